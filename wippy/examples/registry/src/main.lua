local io = require("io")
local registry = require("registry")
local funcs = require("funcs")

local PRICE = "app.live:price"

local function source(tax: number): string
    return string.format("return { main = function(net) return net * %.2f end }", 1 + tax)
end

local function show(text: string)
    local price, err = funcs.call(PRICE, 100)
    if err then
        io.print(string.format("%-28s %s: %s", text, err:kind(), err:message()))
    else
        io.print(string.format("%-28s price(100) = %.2f", text, price))
    end
end

local function main(): integer
    -- 1. Entries can be searched by their metadata.
    local rates, find_err = registry.find({ ["meta.type"] = "tax_rate" })
    if find_err then
        return nil, find_err
    end
    table.sort(rates, function(a, b) return a.id < b.id end)
    for _, entry in ipairs(rates) do
        io.print(string.format("%-12s %s  %.2f", entry.id, entry.meta.country, entry.data.rate))
    end

    -- 2. A function that does not exist yet.
    local before = registry.current_version()
    show("before:")

    -- 3. Create it. apply() returns once the new code is in place, or changes nothing at all.
    local created, err = registry.snapshot():changes()
        :create({ id = PRICE, kind = "function.lua", data = { source = source(rates[1].data.rate), method = "main" } })
        :apply()
    if err then
        return nil, err
    end
    show("created, version " .. created:id() .. ":")

    -- 4. Change it while the system runs.
    local updated, update_err = registry.snapshot():changes()
        :update({ id = PRICE, kind = "function.lua", data = { source = source(rates[2].data.rate), method = "main" } })
        :apply()
    if update_err then
        return nil, update_err
    end
    show("updated, version " .. updated:id() .. ":")

    -- 5. A change that does not compile is refused as a whole.
    local _, refused = registry.snapshot():changes()
        :update({ id = PRICE, kind = "function.lua", data = { source = "return {", method = "main" } })
        :apply()
    io.print("a broken change is refused:  " .. tostring(refused ~= nil))
    show("still version " .. registry.current_version():id() .. ":")

    -- 6. Every version can be visited again.
    registry.apply_version(created)
    show("back to version " .. created:id() .. ":")
    registry.apply_version(before)
    show("back to version " .. before:id() .. ":")
    return 0
end

return { main = main }
