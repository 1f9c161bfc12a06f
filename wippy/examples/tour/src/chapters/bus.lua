local events = require("events")
local time = require("time")
local ui = require("ui")

local bus = {}

function bus.run()
    ui.heading("Events on the bus")
    ui.note("Whoever publishes does not know who listens; the parts of a pattern are separated by dots.")

    local orders, err = events.subscribe("tour.shop", "order.*")
    if err then
        return nil, err
    end
    ui.step("subscribed to order.* of system tour.shop, and started the process app:shop")
    local _, spawn_err = process.spawn("app:shop", "app:processes")
    if spawn_err then
        return nil, spawn_err
    end

    for _ = 1, 2 do
        local got = channel.select { orders:channel():case_receive(), time.after("1m"):case_receive() }
        if got.channel ~= orders:channel() then
            return nil, errors.new("no event arrived")
        end
        local event = got.value
        ui.step("%s.%s about %s: %d x %s", event.system, event.kind, event.path, event.data.amount, event.data.item)
    end
    orders:close()
    return true
end

return bus
