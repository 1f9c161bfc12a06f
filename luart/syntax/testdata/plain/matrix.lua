-- Numerical code: matrices, primes, a small interpreter.
local Matrix = {}
local mt = {
  __index = Matrix,
  __add = function(a, b)
    local r = Matrix.zero(a.rows, a.cols)
    for i = 1, a.rows do for j = 1, a.cols do r[i][j] = a[i][j] + b[i][j] end end
    return r
  end,
  __mul = function(a, b)
    local r = Matrix.zero(a.rows, b.cols)
    for i = 1, a.rows do
      for j = 1, b.cols do
        local s = 0
        for k = 1, a.cols do s = s + a[i][k] * b[k][j] end
        r[i][j] = s
      end
    end
    return r
  end,
  __tostring = function(m)
    local lines = {}
    for i = 1, m.rows do lines[i] = table.concat(m[i], " ") end
    return table.concat(lines, "\n")
  end,
}

function Matrix.zero(rows, cols)
  local m = { rows = rows, cols = cols }
  for i = 1, rows do
    m[i] = {}
    for j = 1, cols do m[i][j] = 0 end
  end
  return setmetatable(m, mt)
end

function Matrix.identity(n)
  local m = Matrix.zero(n, n)
  for i = 1, n do m[i][i] = 1 end
  return m
end

local m = Matrix.identity(3)
m[1][3], m[2][1] = 4, 5
print(tostring(m * m + m))

local function primes(limit)
  local sieve, list = {}, {}
  for i = 2, limit do
    if not sieve[i] then
      list[#list + 1] = i
      for j = i * i, limit, i do sieve[j] = true end
    end
  end
  return list
end
print(#primes(1000), primes(30)[10])

local ops = {
  push = function(stack, arg) stack[#stack + 1] = arg end,
  add = function(stack) local b, a = table.remove(stack), table.remove(stack) stack[#stack + 1] = a + b end,
  mul = function(stack) local b, a = table.remove(stack), table.remove(stack) stack[#stack + 1] = a * b end,
  dup = function(stack) stack[#stack + 1] = stack[#stack] end,
}
local function run(program)
  local stack = {}
  for line in (program .. "\n"):gmatch("(.-)\n") do
    local op, arg = line:match("^%s*(%a+)%s*(%-?%d*)")
    if op then
      local f = ops[op]
      if f == nil then error("unknown operation " .. op, 2) end
      f(stack, tonumber(arg))
    end
  end
  return unpack(stack)
end
print(run [[
  push 2
  push 3
  add
  dup
  mul
]])
print(pcall(run, "pop"))
