local logger = require("logger")
local time = require("time")

-- Works for a moment, then fails. There is no error handling here on purpose:
-- the process dies, and the supervisor decides what happens next.
local function main()
    local events = process.events()
    logger:info("worker started", { me = process.pid() })

    local failure = time.after("100ms")
    while true do
        local got = channel.select { events:case_receive(), failure:case_receive() }
        if got.channel == failure then
            error("the disk is on fire")
        elseif got.value.kind == process.event.CANCEL then
            return
        end
    end
end

return { main = main }
