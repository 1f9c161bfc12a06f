-- Jumps, loops, scopes and closures.
local out = {}
local function emit(...) out[#out + 1] = table.concat({ ... }, ",") end

for i = 1, 10, 2 do
  if i == 5 then goto continue end
  emit(i, i * i)
  ::continue::
end

for i = 3, 1, -1 do
  local captured = i
  emit((function() captured = captured + 1 return captured end)())
end

do
  local n = 0
  ::again::
  n = n + 1
  if n < 4 then goto again end
  emit("again", n)
end

local closures = {}
for k, v in pairs({ a = 1 }) do
  closures[#closures + 1] = function() v = v + 1 return k, v end
end
for _, f in ipairs(closures) do emit(f()) emit(f()) end

local depth = 0
while true do
  depth = depth + 1
  repeat
    local inner = depth
    if inner % 2 == 0 then break end
    emit("odd", inner)
  until inner > 3
  if depth >= 5 then break end
end

local object = { value = 1, nested = { list = { 10, 20, 30 } } }
function object:add(n) self.value = self.value + n return self end
function object.nested.first() return object.nested.list[1] end
emit(object:add(2):add(3).value, object.nested.first(), object.nested["list"][2], #object.nested.list)

local a, b, c = (function() return 1, 2, 3 end)()
a, b, c = c, b, a;
emit(a, b, c);
(emit)("paren", -a + b * c ^ 2 / 4 % 3, not (a == b) and "ne" or "eq", a .. b .. c)

local t = setmetatable({}, { __index = function(_, key) return key .. "!" end, __call = function(_, x) return x end })
emit(t.missing, t(7), t["a" .. "b"])

local function tail(n) if n == 0 then return "done" end return tail(n - 1) end
emit(tail(1000), tostring(1 < 2), tostring(2 <= 2), tostring(3 > 2), tostring(3 >= 4), tostring(1 ~= 2), tostring(nil == false))

if a == 1 then emit("one") elseif a == 2 then emit("two") elseif a == 3 then emit("three") else emit("many") end
while false do end
for _ = 1, 0 do end
repeat until true
do end
print(table.concat(out, "\n"))
