local funcs = require("funcs")
local json = require("json")
local time = require("time")
local ui = require("ui")

local functions = {}

function functions.run()
    ui.heading("Function calls")
    ui.note("A function is an entry, too. A call suspends the caller, not a thread; errors carry a kind and details.")

    local quotient = funcs.call("app:divide", 84, 2)
    ui.step("app:divide(84, 2) = %d", quotient)

    local _, err = funcs.call("app:divide", 1, 0)
    ui.step("app:divide(1, 0): %s, \"%s\", details %s", err:kind(), err:message(), json.encode(err:details()))

    -- Three calls at the same time. The context travels with the call, and with every call that it makes.
    local started = time.now()
    local caller = funcs.new():with_context({ user = "ada" })
    local futures = {}
    for i, key in ipairs({ "mail", "calendar", "news" }) do
        local future, async_err = caller:async("app:slow_lookup", key)
        if async_err then
            return nil, async_err
        end
        futures[i] = future
    end
    local found = {}
    for i, future in ipairs(futures) do
        found[i] = future:response():receive():data()
    end
    ui.step("three calls of 50 ms each in %d ms: %s", time.now():sub(started):milliseconds(), table.concat(found, ", "))
    return true
end

return functions
