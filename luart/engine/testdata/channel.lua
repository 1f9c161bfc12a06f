local ch = channel.new(1)
assert(ch:send(1) == true)
local order = {}
coroutine.spawn(function() ch:send(2) order[#order + 1] = "sent" end)
coroutine.yield()
assert(#order == 0)
local v, ok = ch:receive()
assert(v == 1 and ok)
coroutine.yield()
assert(order[1] == "sent" and ch:receive() == 2)
ch:send(3)
ch:close() ch:close()
v, ok = ch:receive()
assert(v == 3 and ok)
v, ok = ch:receive()
assert(v == nil and ok == false)
local good, e = pcall(ch.send, ch, 1)
assert(not good and e:find("send on closed channel", 1, true), e)
-- blocked sender when closed
local c2 = channel.new()
local result
coroutine.spawn(function() result = {c2:send("x")} end)
coroutine.yield()
c2:close()
coroutine.yield()
assert(result[1] == nil and result[2]:message() == "send on closed channel")
-- blocked receivers when closed
local c3, got = channel.new(), {}
for i = 1, 3 do coroutine.spawn(function() local v, ok = c3:receive() got[i] = {v, ok} end) end
coroutine.yield()
c3:send("a")
c3:close()
coroutine.yield()
assert(got[1][1] == "a" and got[1][2] and got[2][1] == nil and got[2][2] == false and got[3][2] == false)
-- nil can be sent
local c4 = channel.new(1)
c4:send(nil)
v, ok = c4:receive()
assert(v == nil and ok == true)
-- select
local a, b = channel.new(1), channel.new(1)
local r = channel.select{a:case_receive(), default = true}
assert(r.default == true and r.ok == true and r.channel == nil)
r = channel.select({a:case_receive()}, true)
assert(r.default)
a:send("A") b:send("B")
r = channel.select{b:case_receive(), a:case_receive()}
assert(r.channel == b and r.value == "B" and r.ok == true and r.default == nil)
r = channel.select{"junk", b:case_receive(), a:case_receive()}
assert(r.channel == a and r.value == "A")
r = channel.select{a:case_send("S")}
assert(r.channel == a and r.value == "S" and r.ok and a:receive() == "S")
r = channel.select{a:case_receive(), test.after("late"):case_receive()}
assert(r.value == "late")
coroutine.spawn(function() b:send("later") end)
r = channel.select{a:case_receive(), b:case_receive()}
assert(r.channel == b and r.value == "later")
local closed = channel.new()
closed:close()
r = channel.select{closed:case_receive()}
assert(r.ok == false and r.value == nil and r.channel == closed)
r = channel.select{closed:case_send(1), default = true}
assert(r.default)
-- a select that waits is woken by close; its other cases are gone then
local d1, d2 = channel.new(), channel.new()
local picked
coroutine.spawn(function() picked = channel.select{d1:case_receive(), d2:case_send("v")} end)
coroutine.yield()
d1:close()
coroutine.yield()
assert(picked.channel == d1 and picked.ok == false)
r = channel.select{d2:case_receive(), default = true}
assert(r.default)
-- reusable cases, channels as keys
local keyed, case = {[a] = 1}, a:case_receive()
a:send(1)
assert(channel.select{case}.value == 1)
a:send(2)
assert(channel.select{case}.value == 2 and keyed[a] == 1 and keyed[b] == nil and a ~= b)
-- rendezvous order
local q, log = channel.new(), {}
for i = 1, 5 do coroutine.spawn(function() q:send(i) end) end
for i = 1, 5 do log[i] = q:receive() end
assert(table.concat(log) == "12345")
-- waiting inside a hand-driven coroutine
local w = coroutine.wrap(function() local x = q:receive() coroutine.yield(x) return q:receive() end)
coroutine.spawn(function() q:send("h1") q:send("h2") end)
assert(w() == "h1" and w() == "h2")
-- nested waits in pcall
coroutine.spawn(function() q:send("p") end)
local okp, vp = pcall(function() return select(2, pcall(function() return (q:receive()) end)) end)
assert(okp and vp == "p")
-- tail calls
coroutine.spawn(function() q:send("tail") end)
local function tail() return q:receive() end
assert((tail()) == "tail")
coroutine.spawn(function() q:send("tail2") end)
assert(select(2, pcall(q.receive, q)) == "tail2")
assert(not pcall(channel.select) and tostring(a) == "Channel{}")
return "done"
