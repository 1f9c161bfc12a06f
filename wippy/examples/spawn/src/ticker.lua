local time = require("time")

-- Tells its parent once a second that it is alive, until it is cancelled.
local function main(parent: string)
    local events = process.events()
    local ticks = time.ticker("1s"):channel()

    while true do
        local got = channel.select { events:case_receive(), ticks:case_receive() }
        if got.channel == events then
            if got.value.kind == process.event.CANCEL then
                return
            end
        else
            process.send(parent, "tick")
        end
    end
end

return { main = main }
