local events = require("events")

-- Announces what happens in it. It does not know who listens.
local function main()
    events.send("tour.shop", "order.created", "order/17", { item = "tea", amount = 2 })
    events.send("tour.shop", "order.paid", "order/17", { item = "tea", amount = 2 })
    events.send("tour.shop", "closed", "shop")
end

return { main = main }
