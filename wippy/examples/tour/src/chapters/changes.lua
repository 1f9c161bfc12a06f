local funcs = require("funcs")
local registry = require("registry")
local ui = require("ui")

local changes = {}

local GREET = "app.live:greet"

local function greeting(source: string): any
    return { id = GREET, kind = "function.lua", data = { source = source, method = "main" } }
end

function changes.run()
    ui.heading("Changing the running system")
    ui.note("Everything the application consists of is an entry in a versioned registry, which it may change itself.")

    local before = registry.current_version()
    local _, missing = funcs.call(GREET, "Ada")
    ui.step("version %d: calling %s: %s", before:id(), GREET, missing:kind())

    local created, err = registry.snapshot():changes()
        :create(greeting([[return { main = function(name) return "Hello, " .. name .. "!" end }]]))
        :apply()
    if err then
        return nil, err
    end
    ui.step("version %d: created it: %s", created:id(), funcs.call(GREET, "Ada"))

    local updated, update_err = registry.snapshot():changes()
        :update(greeting([[return { main = function(name) return "Bonjour, " .. name .. " !" end }]]))
        :apply()
    if update_err then
        return nil, update_err
    end
    ui.step("version %d: changed it: %s", updated:id(), funcs.call(GREET, "Ada"))

    local _, back_err = registry.apply_version(before)
    if back_err then
        return nil, back_err
    end
    local _, gone = funcs.call(GREET, "Ada")
    ui.step("back to version %d: %s", before:id(), gone:kind())
    return true
end

return changes
