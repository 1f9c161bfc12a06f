-- Counts how often it was asked. Told to crash, it does: its supervisor starts a new one, with a fresh count.
local function main()
    local events = process.events()
    local inbox = process.inbox()
    process.registry.register("counter")

    local count = 0
    while true do
        local got = channel.select { events:case_receive(), inbox:case_receive() }
        if got.channel == events then
            if got.value.kind == process.event.CANCEL then
                return
            end
        elseif got.value:topic() == "crash" then
            error("asked to crash")
        else
            count = count + 1
            process.send(got.value:from(), "count", count)
        end
    end
end

return { main = main }
