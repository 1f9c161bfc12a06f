-- A binary heap and a scheduler of timed jobs on top of it.
local Heap = {}
Heap.__index = Heap

function Heap.new(less)
  return setmetatable({ items = {}, size = 0, less = less or function(a, b) return a < b end }, Heap)
end

function Heap:push(item)
  local items = self.items
  self.size = self.size + 1
  local i = self.size
  items[i] = item
  while i > 1 do
    local parent = (i - i % 2) / 2
    if not self.less(items[i], items[parent]) then break end
    items[i], items[parent] = items[parent], items[i]
    i = parent
  end
  return self
end

function Heap:pop()
  if self.size == 0 then return nil, "empty" end
  local items, top = self.items, self.items[1]
  items[1], items[self.size] = items[self.size], nil
  self.size = self.size - 1
  local i = 1
  repeat
    local least, left, right = i, 2 * i, 2 * i + 1
    if left <= self.size and self.less(items[left], items[least]) then least = left end
    if right <= self.size and self.less(items[right], items[least]) then least = right end
    local done = least == i
    if not done then
      items[i], items[least] = items[least], items[i]
      i = least
    end
  until done
  return top
end

local jobs, clock = Heap.new(function(a, b) return a.at < b.at end), 0
local log = {}

local function schedule(delay, name, repeats)
  jobs:push{ at = clock + delay; name = name, repeats = repeats or 0, ["delay"] = delay }
end

for i, name in ipairs({ "tick", "tock", 'boom' }) do
  schedule(i * 10, name, 3 - i)
end

while jobs.size > 0 do
  local job = jobs:pop()
  clock = job.at
  log[#log + 1] = ("%d:%s"):format(clock, job.name)
  if job.repeats > 0 then
    schedule(job.delay, job.name, job.repeats - 1)
  elseif job.name == "boom" then
    log[#log + 1] = "end"
  else
    log[#log + 1] = "-"
  end
end

print(table.concat(log, " "), #log, -2 ^ 2, 2 ^ -1, not nil == true)
return Heap
