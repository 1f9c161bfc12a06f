local funcs = require("funcs")

-- Calls a function so many times, one after the other.
local function main(count)
    for i = 1, count do
        local got, err = funcs.call("app:echo", i)
        if got ~= i then
            error("echo of " .. i .. ": " .. tostring(got) .. " " .. tostring(err))
        end
    end
    return count
end

return { main = main }
