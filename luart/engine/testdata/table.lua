local t = {1, 2, 3}
table.insert(t, 4); table.insert(t, 1, 0)
assert(table.concat(t, ",") == "0,1,2,3,4")
assert(table.remove(t) == 4 and table.remove(t, 1) == 0 and #t == 3 and table.remove({}) == nil and table.remove(t, 9) == nil)
assert(table.concat(t, "-", 2, 3) == "2-3" and table.concat({}) == "" and not pcall(table.concat, {{}}))
assert(table.maxn({1, 2, [10.5] = 1}) == 10.5 and table.getn({1, 2}) == 2)
local s = {5, 3, 1, 4, 2}
table.sort(s)
assert(table.concat(s) == "12345")
table.sort(s, function(a, b) return a > b end)
assert(table.concat(s) == "54321")
table.sort(s, function(a, b) test.wait(1) return a < b end)
assert(table.concat(s) == "12345", "a comparison may wait")
local big = {}
for i = 1, 500 do big[i] = (i * 7919) % 503 end
table.sort(big, function(a, b) return a < b end)
for i = 2, 500 do assert(big[i - 1] <= big[i]) end
table.sort(big, function() return true end) -- inconsistent, but it ends
assert(test.call(function() local x = {2, 1} table.sort(x, function(a, b) return a < b end) return x[1] end) == 1)
assert(not pcall(table.sort, {1, "a"}))
local ok, e = pcall(table.sort, {3, 2, 1}, function() error("cmp", 0) end)
assert(e == "cmp")
-- create and freeze
local c = table.create(10, 10)
assert(#c == 0 and next(c) == nil)
local inner = {}
local f = table.freeze({1, 2, a = "x", n = inner})
assert(table.isfrozen(f) and not table.isfrozen({}) and f[1] == 1 and f.a == "x" and #f == 2)
inner.changed = true
assert(f.n.changed)
for _, fn in ipairs{function() f.b = 1 end, function() f.a = 2 end, function() f[1] = 0 end, function() f[3] = 0 end,
	function() rawset(f, "a", 1) end, function() table.insert(f, 1) end, function() table.remove(f) end,
	function() table.sort(f) end, function() setmetatable(f, {}) end} do
	local ok, e = pcall(fn)
	assert(not ok and e:find("attempt to modify Immutable table", 1, true), e)
end
local keys = 0
for k, v in pairs(f) do keys = keys + 1 end
assert(keys == 4 and rawget(f, "a") == "x" and getmetatable(f) == nil and select("#", unpack(f)) == 2)
for i, v in ipairs(f) do assert(i == v) end
assert(next(f) == 1 and table.concat(f, ",") == "1,2")
local obj = table.freeze(setmetatable({v = 1}, {__add = function(a, b) return a.v + b end, __index = {m = 7}}))
assert(obj + 1 == 2 and obj.m == 7 and getmetatable(obj).__index.m == 7)
assert(table.unpack({1, 2}) == 1 and table.pack == nil and table.move == nil)
-- libraries are read-only
for _, lib in ipairs{string, table, math, os, coroutine, errors, channel, payload, payload.format, test} do
	assert(not pcall(function() lib.x = 1 end) and not pcall(rawset, lib, "x", 1) and not pcall(setmetatable, lib, {}))
	assert(not pcall(table.insert, lib, 1) and next(lib) ~= nil and table.isfrozen(lib) and getmetatable(lib) == nil)
end
local copy = setmetatable({}, string)
getmetatable(copy).upper = nil
assert(string.upper)
-- pairs while clearing
local m = {a = 1, b = 2, c = 3}
for k in pairs(m) do m[k] = nil end
assert(next(m) == nil)
return "done"
