-- globals present and absent
for _, name in ipairs{"assert","error","getmetatable","setmetatable","next","pairs","ipairs","pcall","xpcall","print",
	"rawequal","rawget","rawset","select","tonumber","tostring","type","unpack","require","package","string","table",
	"math","coroutine","os","errors","channel","payload","subscribe","unsubscribe","_G","_VERSION"} do
	assert(_G[name] ~= nil, name)
end
for _, name in ipairs{"load","loadstring","loadfile","dofile","collectgarbage","rawlen","getfenv","setfenv","module",
	"newproxy","debug","utf8","io"} do
	assert(_G[name] == nil, name)
end
for _, name in ipairs{"execute","exit","remove","rename","tmpname","getenv","setlocale"} do
	assert(os[name] == nil, name)
end
-- _G is private and writable, and lists what it shares
assert(_G._G == _G)
x1 = 5
assert(_G.x1 == 5 and rawget(_G, "x1") == 5)
assert(rawget(_G, "string") == string)
local seen = {}
for k, v in pairs(_G) do
	assert(seen[k] == nil, k)
	seen[k] = v
end
assert(seen.x1 == 5 and seen.string == string and seen.test == test)
for k in pairs(seen) do assert(type(k) == "string" and not k:find("%z")) end
assert(getmetatable(_G) == nil)
-- strict mode idiom
setmetatable(_G, {__index = function(_, k) error("undeclared " .. k, 2) end})
assert(not pcall(function() return undeclared_thing end))
assert(string.len("abc") == 3 and _G.x1 == 5 and _G._G == _G)
setmetatable(_G, nil)

-- select, unpack
assert(select("#") == 0 and select("#", nil, nil) == 2)
assert(select(2, "a", "b", "c") == "b" and select(-1, "a", "b") == "b")
assert(not pcall(select, 0))
local a, b, c = unpack({1, 2, 3})
assert(a == 1 and c == 3)
assert(select("#", unpack({}, 1, 3)) == 3)
assert(select("#", unpack({1, nil, 3}, 1, 3)) == 3)
local big = {}
for i = 1, 5000 do big[i] = i end
assert(select("#", unpack(big)) == 5000)

-- tonumber, tostring, type
assert(tonumber("10") == 10 and tonumber(" 0x1F ") == 31 and tonumber("1e3") == 1000 and tonumber("-.5") == -0.5)
assert(tonumber("abc") == nil and tonumber("") == nil and tonumber("1 2") == nil and tonumber("inf") == nil)
assert(tonumber("ff", 16) == 255 and tonumber("zz", 36) == 1295 and tonumber("8", 8) == nil and tonumber("1_0") == nil)
assert(tonumber({}) == nil)
assert(tostring(24.0) == "24" and tostring(10/2) == "5" and tostring(nil) == "nil" and tostring(true) == "true")
assert(tostring(setmetatable({}, {__tostring = function() return "custom" end})) == "custom")
assert(type(print) == "function" and type(nil) == "nil" and type(coroutine.create(print)) == "thread")

-- error and assert
local ok, e = pcall(error)
assert(not ok and e == nil)
ok, e = pcall(error, {1})
assert(type(e) == "table" and e[1] == 1)
ok, e = pcall(assert, false)
assert(e == "assertion failed!")
ok, e = pcall(assert, nil, "msg")
assert(e == "msg")
ok, e = pcall(assert, nil, errors.new("obj"))
assert(tostring(e) == "obj")
assert(select("#", assert(1, 2, 3)) == 3)
local function thrower() error("deep", 2) end
ok, e = pcall(function()
	thrower()
end)
assert(e == "app:test:68: deep", e)
ok, e = pcall(function() error("plain", 0) end)
assert(e == "plain")
ok, e = pcall(function() local t = nil; return t.x end)
assert(e:find("^app:test:%d+: "), e)

-- goto, integer division, bit operators
local n = 0
for i = 1, 10 do
	if i % 2 == 0 then goto continue end
	n = n + 1
	::continue::
end
assert(n == 5)
assert(7 // 2 == 3 and -7 // 2 == -4 and (6 & 3) == 2 and (6 | 3) == 7 and (6 ~ 3) == 5 and (1 << 4) == 16 and (16 >> 2) == 4 and ~0 == -1)

-- require and package
assert(require("string") == string and require("test") == test)
ok, e = pcall(require, "sql")
assert(e:find("module 'sql' not found", 1, true), e)
assert(package.path == "" and package.cpath == "" and package.loaded == nil)
assert(package.loadlib("x") == "cannot load module 'x': loadlib disabled")

-- xpcall
assert(select(2, xpcall(function(a) return a end, print, 4)) == 4)
ok, e = xpcall(function() error("a", 0) end, function(m) return m .. "!" end)
assert(not ok and e == "a!")
ok, e = xpcall(function() error("a", 0) end, function(m) error("b", 0) end)
assert(not ok and e == "b")
ok, e = xpcall(nil, function(m) return m end)
assert(not ok and e == "attempt to call a nil value", e)
return "done"
