-- Sends every ball back to whoever sent it.
local function main()
    local events = process.events()
    local inbox = process.inbox()
    process.registry.register("pong")

    while true do
        local got = channel.select { events:case_receive(), inbox:case_receive() }
        if got.channel == events then
            if got.value.kind == process.event.CANCEL then
                return
            end
        else
            local msg = got.value
            process.send(msg:from(), "pong", msg:payload():data())
        end
    end
end

return { main = main }
