local io = require("io")
local kv = require("kv")

local function main(): integer
    if not kv.wait() then
        io.eprint("the store did not start")
        return 1
    end

    kv.set("colour", "green")
    kv.set("answer", 42)
    kv.set("point", { x = 3, y = 4 })

    io.print("keys:   " .. table.concat(kv.keys(), ", "))
    io.print("colour: " .. kv.get("colour"))
    io.print("answer: " .. kv.get("answer"))

    -- Values are copied on their way between processes: changing ours does not change the store's.
    local point = kv.get("point")
    point.x = 100
    io.print("point:  " .. kv.get("point").x .. ", " .. kv.get("point").y)

    io.print("set returns the old value:    " .. kv.set("colour", "blue"))
    io.print("delete returns the old value: " .. kv.delete("colour"))
    io.print("a missing key is " .. tostring(kv.get("colour")))

    local _, err = kv.request("explode")
    io.print("an unknown operation: " .. err:kind() .. ", " .. err:message())
    return 0
end

return { main = main }
