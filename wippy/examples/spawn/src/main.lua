local io = require("io")
local time = require("time")

local function main(seconds: string?, processes: string?): integer
    local run_for = tonumber(seconds or "0") or 0
    local count = tonumber(processes or "10000") or 10000

    local events = process.events()
    local ticks = process.listen("tick")
    local me = process.pid()

    local started = time.now()
    for _ = 1, count do
        local _, err = process.spawn("app:ticker", "app:processes", me)
        if err then
            return nil, err
        end
    end
    local took = time.now():sub(started)
    io.print(string.format("spawned %d processes in %d ms: %.1f us each", count,
        took:milliseconds(), took:seconds() * 1e6 / count))
    if run_for <= 0 then
        io.print("every one of them ticks once a second; press Ctrl-C to end")
    end

    local every_second = time.ticker("1s")
    local elapsed, ticked = 0, 0
    while true do
        local got = channel.select {
            events:case_receive(),
            every_second:channel():case_receive(),
            ticks:case_receive(),
        }
        if got.channel == ticks then
            ticked = ticked + 1
        elseif got.channel == events then
            if got.value.kind == process.event.CANCEL then
                io.print("stopping")
                return 0
            end
        else
            elapsed = elapsed + 1
            io.print(string.format("%3d s: %d ticks", elapsed, ticked))
            ticked = 0
            if run_for > 0 and elapsed >= run_for then
                return 0
            end
        end
    end
end

return { main = main }
