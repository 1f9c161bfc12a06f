-- An inventory kept in tables: what an application module usually looks like.
local Inventory = {}
Inventory.__index = Inventory

local function trim(s)
    return (string.gsub(s, "^%s*(.-)%s*$", "%1"))
end

local units = { piece = 1, dozen = 12, gross = 144 }

function Inventory.new(name)
    local self = setmetatable({}, Inventory)
    self.name = name
    self.items = {}
    self.log = {}
    self.changed = 0
    return self
end

function Inventory:note(kind, ...)
    local parts = { kind }
    for i = 1, select("#", ...) do
        parts[#parts + 1] = tostring((select(i, ...)))
    end
    self.log[#self.log + 1] = table.concat(parts, " ")
    self.changed = self.changed + 1
end

function Inventory:add(item, count, unit)
    item = trim(item):lower()
    if item == "" then
        return nil, "an item needs a name"
    end
    local factor = units[unit or "piece"]
    if not factor then
        return nil, "unknown unit " .. tostring(unit)
    end
    local entry = self.items[item]
    if not entry then
        entry = { count = 0, first = os.time(), tags = {} }
        self.items[item] = entry
    end
    entry.count = entry.count + count * factor
    self:note("add", item, count, unit or "piece")
    return entry.count
end

function Inventory:take(item, count)
    local entry = self.items[item]
    if not entry then
        return nil, "no such item"
    elseif entry.count < count then
        return nil, string.format("only %d of %q left", entry.count, item)
    end
    entry.count = entry.count - count
    if entry.count == 0 then
        self.items[item] = nil
    end
    self:note("take", item, count)
    return count
end

function Inventory:tag(item, ...)
    local entry = assert(self.items[item], "no such item")
    for _, tag in ipairs({ ... }) do
        if not entry.tags[tag] then
            entry.tags[tag] = true
            self:note("tag", item, tag)
        end
    end
end

function Inventory:each(filter)
    local names = {}
    for name, entry in pairs(self.items) do
        if filter == nil or filter(name, entry) then
            names[#names + 1] = name
        end
    end
    table.sort(names, function(a, b) return a < b end)
    local i = 0
    return function()
        i = i + 1
        local name = names[i]
        if name then
            return name, self.items[name]
        end
    end
end

local function parse(line)
    local verb, rest = line:match("^(%a+)%s+(.*)$")
    if not verb then
        return { kind = "empty" }
    end
    if verb == "add" or verb == "take" then
        local count, unit, item = rest:match("^(%d+)%s+(%a+)%s+(.+)$")
        if not count then
            return { kind = "error", message = "expected: " .. verb .. " COUNT UNIT ITEM" }
        end
        return { kind = verb, count = tonumber(count), unit = unit, item = item }
    elseif verb == "tag" then
        local tags = {}
        for tag in rest:gmatch("#(%w+)") do
            tags[#tags + 1] = tag
        end
        return { kind = "tag", item = trim((rest:gsub("#%w+", ""))), tags = tags }
    end
    return { kind = "error", message = [[unknown verb ]] .. verb }
end

local handlers = {
    add = function(inv, c) return inv:add(c.item, c.count, c.unit) end,
    take = function(inv, c) return inv:take(c.item, c.count) end,
    tag = function(inv, c) inv:tag(c.item, unpack(c.tags)) return true end,
    empty = function() return true end,
    error = function(_, c) return nil, c.message end,
}

local function run(inv, text)
    local failed, number = {}, 0
    for line in text:gmatch("[^\n]+") do
        number = number + 1
        local command = parse(line)
        local ok, result, message = pcall(handlers[command.kind], inv, command)
        if not ok then
            failed[#failed + 1] = number .. ": " .. tostring(result)
        elseif not result then
            failed[#failed + 1] = number .. ": " .. tostring(message)
        end
    end
    return #failed == 0, failed
end

local function report(inv, width)
    width = width or 24
    local lines, total = { inv.name, ("-"):rep(width) }, 0
    for name, entry in inv:each(function(_, e) return e.count > 0 end) do
        local pad = width - #name - #tostring(entry.count)
        lines[#lines + 1] = name .. (" "):rep(pad > 0 and pad or 1) .. entry.count
        total = total + entry.count
    end
    repeat
        lines[#lines + 1] = ("="):rep(width)
    until #lines >= 3
    lines[#lines + 1] = string.format("%d things, %d changes, %.1f%%", total, inv.changed, 100 * total / (total + 1))
    return table.concat(lines, "\n")
end

local function main(text)
    local inv = Inventory.new("store")
    local ok, failed = run(inv, text or "add 2 dozen eggs\nadd 5 piece apple\ntag eggs #fresh #food\ntake 3 piece eggs")
    if not ok then
        for i = 1, #failed do
            inv:note("failed", failed[i])
        end
    end
    while inv.changed > 0x10 do
        inv.changed = inv.changed - 1
    end
    return report(inv, 30), #failed
end

return { main = main, Inventory = Inventory, parse = parse }
