local events = require("events")

type Order = {item: string, amount: integer}

-- Reports what it saw when it has seen the shop close.
local function main(parent: string)
    local sub, err = events.subscribe("shop", "**")
    if err then
        return nil, err
    end
    process.send(parent, "ready")

    local seen, sold = 0, 0
    while true do
        local event = sub:channel():receive()
        seen = seen + 1
        if event.kind == "order.paid" then
            local order: Order = event.data
            sold = sold + order.amount
        elseif event.kind == "closed" then
            sub:close()
            return { seen = seen, sold = sold }
        end
    end
end

return { main = main }
