--[==[
  Counting words, in several ways, over a text with every kind of literal.
]==]
local text = [[
the quick brown fox
jumps over the lazy dog -- not a comment
the end]]
local escaped = "tab\there \"quoted\" \065\10\\ and \
a new line" .. 'single \'quotes\'' .. [=[level ]] one]=]
local numbers = { 0, 1, 10, 0x1F, 0XaB, 3.14, .5, 2., 1e3, 1E-3, 5e+2, 0.1e1 }

local function count(s, pattern)
  local seen, order = {}, {}
  for word in s:gmatch(pattern or "%a+") do
    if not seen[word] then
      order[#order + 1] = word
    end
    seen[word] = (seen[word] or 0) + 1
  end
  return seen, order
end

local seen, order = count(text)
table.sort(order, function(a, b)
  if seen[a] ~= seen[b] then return seen[a] > seen[b] end
  return a < b
end)
for rank, word in ipairs(order) do
  if rank > 3 then break end
  print(rank, word, seen[word])
end

local sum = 0
for _, n in pairs(numbers) do sum = sum + n end
print(sum, #escaped, escaped:byte(1, 3))

local function variadic(...)
  local first, second = ...
  local packed = { n = select("#", ...), ... }
  return packed.n, first, second, (select(2, ...))
end
print(variadic(1, nil, "three"))
print((variadic(1, 2)))
print(variadic "text")
print(variadic { key = "value", [1] = true; [2 + 1] = false, })

