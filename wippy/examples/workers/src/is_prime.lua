local time = require("time")

local function main(n: integer): boolean
    time.sleep("20ms") -- stands for slow work elsewhere: a database, a web service
    if n < 2 then
        return false
    end
    for d = 2, math.floor(math.sqrt(n)) do
        if n % d == 0 then
            return false
        end
    end
    return true
end

return { main = main }
