local time = require("time")
local ui = require("ui")

local channels = {}

local function producer(name: string, delay: string, count: integer): any
    local out = channel.new()
    coroutine.spawn(function()
        for i = 1, count do
            time.sleep(delay)
            out:send(name .. i)
        end
        out:close()
    end)
    return out
end

function channels.run()
    ui.heading("Channels and select")
    ui.note("Coroutines of one process talk through channels; select takes whatever is ready first.")

    local fast = producer("fast", "4ms", 4)
    local slow = producer("slow", "9ms", 2)
    local seen: {string} = {}
    local open = 2
    local cases = { fast:case_receive(), slow:case_receive() }
    while open > 0 do
        local got = channel.select(cases)
        if got.ok then
            table.insert(seen, got.value)
        else
            open = open - 1
            cases = { (got.channel == fast and slow or fast):case_receive() }
        end
    end
    ui.step("two producers at their own pace: %s", table.concat(seen, " "))

    local silent = channel.new()
    local started = time.now()
    local timeout = time.after("20ms")
    local got = channel.select { silent:case_receive(), timeout:case_receive() }
    ui.step("nobody sends on a third channel: %s after %d ms",
        got.channel == timeout and "time-out" or "a value", time.now():sub(started):milliseconds())

    local poll = channel.select { silent:case_receive(), default = true }
    ui.step("looking without waiting: %s", poll.default and "nothing there" or "a value")
    return true
end

return channels
