local funcs = require("funcs")
local time = require("time")
local ui = require("ui")

local timings = {}

-- Runs fn and shows how long one of its `count` operations took.
local function measure(name: string, count: integer, fn: (integer) -> ())
    local started = time.now()
    fn(count)
    local each = time.now():sub(started):seconds() * 1e6 / count
    ui.row(name, string.format("%.2f us", each))
end

function timings.run()
    ui.heading("Timings")
    ui.note("What the operations above cost on this machine, measured from Lua:")

    local echoes = process.listen("echo")
    local echo, err = process.spawn("app:echo", "app:processes")
    if err then
        return nil, err
    end
    measure("message there and back", 10000, function(n)
        for i = 1, n do
            process.send(echo, "ball", i)
            echoes:receive()
        end
    end)
    process.send(echo, "stop")
    process.unlisten(echoes)

    local idle: {string} = {}
    measure("starting a process", 1000, function(n)
        for i = 1, n do
            idle[i] = process.spawn("app:idle", "app:processes")
        end
    end)
    for _, pid in ipairs(idle) do
        process.cancel(pid)
    end

    measure("calling a function", 5000, function(n)
        for i = 1, n do
            funcs.call("app:divide", i, 2)
        end
    end)

    local ch = channel.new()
    coroutine.spawn(function()
        while ch:receive() do
        end
    end)
    measure("value through a channel", 10000, function(n)
        for i = 1, n do
            ch:send(i)
        end
    end)
    ch:close()
    return true
end

return timings
