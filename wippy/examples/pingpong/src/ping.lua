local env = require("env")
local logger = require("logger")
local time = require("time")

local log = logger:named("ping")

-- A name is taken only once the other side has started (or has been restarted), so look until it is there.
local function find_partner(): string
    while true do
        local pid = process.registry.lookup("pong")
        if pid and process.monitor(pid) then
            return pid
        end
        time.sleep("10ms")
    end
end

local function main()
    local report_every = tonumber(env.get("PINGPONG_REPORT_EVERY"))
    if not report_every or report_every < 1 then
        return nil, errors.new { message = "PINGPONG_REPORT_EVERY must be a positive number", kind = errors.INVALID }
    end

    local events = process.events()
    local inbox = process.inbox()
    local partner = find_partner()
    log:info("playing", { partner = partner })

    local round = 0
    local since = time.now()
    process.send(partner, "ping", round)

    while true do
        local got = channel.select { events:case_receive(), inbox:case_receive() }
        if got.channel == events then
            if got.value.kind == process.event.CANCEL then
                log:info("stopped", { rounds = round })
                return
            elseif got.value.kind == process.event.EXIT then
                log:warn("partner is gone")
                partner = find_partner()
                process.send(partner, "ping", round)
            end
        else
            round = got.value:payload():data() + 1
            if round % report_every == 0 then
                local now = time.now()
                local took = now:sub(since)
                since = now
                log:info(string.format("%d rounds, %.2f us each", round, took:seconds() * 1e6 / report_every))
            end
            process.send(partner, "ping", round)
        end
    end
end

return { main = main }
