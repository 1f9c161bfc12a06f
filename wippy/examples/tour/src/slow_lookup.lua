local ctx = require("ctx")
local time = require("time")

-- Takes a while, as a remote service would.
local function main(key: string): string
    time.sleep("50ms")
    local who = ctx.get("user") or "nobody"
    return key .. " for " .. who
end

return { main = main }
