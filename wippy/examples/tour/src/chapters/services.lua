local time = require("time")
local ui = require("ui")

local services = {}

-- Looks a name up until somebody other than `not_this` holds it.
local function wait_for(name: string, not_this: string?): string?
    for _ = 1, 2000 do
        local pid = process.registry.lookup(name)
        if pid and pid ~= not_this then
            return pid
        end
        time.sleep("5ms")
    end
    return nil
end

local function ask(counts: any): integer
    process.send("counter", "next")
    return counts:receive()
end

function services.run()
    ui.heading("A supervised service")
    ui.note("app:counter.service has been running since boot; its process registered the name \"counter\".")

    local first = wait_for("counter")
    if not first then
        return nil, errors.new("the counter service did not start")
    end
    local counts = process.listen("count")
    local events = process.events()
    ask(counts)
    ui.step("asked %s twice, it has counted to %d", first, ask(counts))

    process.monitor(first)
    process.send("counter", "crash")
    local exit = events:receive()
    local crashed = time.now()
    ui.step("told it to crash, and saw it go: %s", exit.result.error:message())

    local second = wait_for("counter", first)
    if not second then
        return nil, errors.new("the counter service was not restarted")
    end
    ui.step("%d ms later the supervisor had started %s", time.now():sub(crashed):milliseconds(), second)
    ui.step("a new process has a new state: it has counted to %d", ask(counts))
    process.unlisten(counts)
    return true
end

return services
