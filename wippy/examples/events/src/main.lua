local io = require("io")
local events = require("events")
local time = require("time")

local function main(): integer
    local control = process.events()
    local ready = process.listen("ready")

    local auditor, err = process.spawn_monitored("app:auditor", "app:processes", process.pid())
    if err then
        return nil, err
    end
    ready:receive() -- its subscription exists: nothing published from here on is missed

    -- Patterns work on the dot-separated parts: one part is *, any number of parts is **.
    local orders = events.subscribe("shop", "order.*")
    local everything = events.subscribe("shop")

    events.send("shop", "opened", "berlin")
    events.send("shop", "order.created", "berlin/1", { item = "tea", amount = 2 })
    events.send("shop", "order.paid", "berlin/1", { item = "tea", amount = 2 })
    events.send("shop", "order.paid", "berlin/2", { item = "cake", amount = 5 })
    events.send("shop", "closed", "berlin")

    io.print("subscribed to shop, order.*")
    for _ = 1, 3 do
        local event = orders:channel():receive()
        io.print(string.format("  %s.%s  %s  %d x %s", event.system, event.kind, event.path,
            event.data.amount, event.data.item))
    end

    io.print("subscribed to shop")
    for _ = 1, 5 do
        local event = everything:channel():receive()
        io.print(string.format("  %s.%s  %s", event.system, event.kind, event.path))
    end

    local got = channel.select { control:case_receive(), time.after("1m"):case_receive() }
    if got.channel ~= control then
        return nil, "the auditor did not finish"
    end
    local report = got.value.result.value
    io.print(string.format("the auditor, another process, saw %d events and %d pieces sold", report.seen, report.sold))

    orders:close()
    everything:close()
    return 0
end

return { main = main }
