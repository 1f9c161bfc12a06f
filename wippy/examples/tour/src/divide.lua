local function main(a: number, b: number)
    if b == 0 then
        return nil, errors.new {
            message = "cannot divide by zero",
            kind = errors.INVALID,
            details = { dividend = a },
        }
    end
    return a / b
end

return { main = main }
