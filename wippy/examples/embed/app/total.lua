local function main(basket)
    local sum = 0
    for name, count in pairs(basket) do
        local price, err = prices.of(name)
        if err then
            return nil, err
        end
        sum = sum + price * count
    end
    return sum
end

return {main = main}
