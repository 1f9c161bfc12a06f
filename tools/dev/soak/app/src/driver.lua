-- Does one random thing after the other and checks what came of it. What must not be is
-- logged as a VIOLATION; every second the number of things done is logged.
local me = process.pid()
local counted, ready = process.listen("counted"), process.listen("ready")
local control = process.events()
local groups, memory
local log = logger:named("soak")
local serial, generation, done = 0, 0, 0

local function check(ok, what, ...)
    if not ok then
        log:error("VIOLATION: " .. what, {detail = json.encode({...})})
    end
end

-- stop is raised when the service is asked to end.
local stop = {}

-- await receives from a channel within half a minute.
local function await(ch, what)
    local timer = time.timer("30s")
    local timeout = timer:channel()
    local cases = {ch:case_receive(), timeout:case_receive()}
    if ch ~= control then table.insert(cases, control:case_receive()) end
    local r = channel.select(cases)
    timer:stop()
    if r.channel == timeout then
        check(false, "waited in vain for " .. what)
        return nil
    elseif r.channel == control and r.value.kind == process.event.CANCEL then
        error(stop)
    end
    check(r.channel == ch, "an event nobody waits for", r.value and r.value.kind)
    return r.value
end

local function crowd()
    local n = math.random(1, 20)
    local workers = {}
    for _ = 1, n do
        serial = serial + 1
        local name = "w" .. serial
        local pid = assert(process.spawn_monitored("soak:worker", "soak:processes", me, name))
        workers[pid] = {name = name, sent = 0}
    end
    for _ = 1, n do await(ready, "a worker") end
    check(#groups:get_members("workers") == n, "members of the group", n, #groups:get_members("workers"))
    for pid, w in pairs(workers) do
        for _ = 1, math.random(0, 30) do
            check(process.send(math.random() < 0.5 and pid or w.name, "count"), "send to a worker")
            w.sent = w.sent + 1
        end
        process.send(pid, "tell")
    end
    local by_name = {}
    for _, w in pairs(workers) do by_name[w.name] = w end
    for _ = 1, n do
        local c = await(counted, "a count")
        if c then check(c.count == by_name[c.name].sent, "messages counted", c.name, c.count, by_name[c.name].sent) end
    end
    for pid, w in pairs(workers) do
        local how = math.random(4)
        w.how = how
        if how == 1 then process.send(pid, "stop")
        elseif how == 2 then process.send(pid, "crash")
        elseif how == 3 then check(process.terminate(pid), "terminate")
        else check(process.cancel(pid, "enough"), "cancel") end
    end
    for _ = 1, n do
        local e = await(control, "the end of a worker")
        if e then
            local w = workers[e.from]
            check(e.kind == process.event.EXIT and w ~= nil, "event of an end", e.kind)
            if w and (w.how == 1 or w.how == 4) then
                check(e.result.error == nil and e.result.value == w.sent, "result of a worker", e.result.value, w.sent)
            elseif w then
                check(e.result.error ~= nil, "a worker that was crashed or terminated ended well")
            end
            if w then check(process.registry.lookup(w.name) == nil, "the name of an ended worker is taken", w.name) end
        end
    end
    check(#groups:get_members("workers") == 0, "members of the group are left")
end

local function calls()
    local futures = {}
    for i = 1, math.random(1, 20) do
        local kind = ({"answer", "fail", "raise", "slow", "big"})[math.random(5)]
        futures[i] = {kind = kind, f = assert(funcs.async("soak:work", kind, i))}
    end
    for i, c in ipairs(futures) do
        await(c.f:response(), "a call")
        local result, err = c.f:result()
        if c.kind == "answer" then check(result:data() == i * 2, "answer", i)
        elseif c.kind == "fail" then check(err:kind() == "Conflict", "kind of a failure", err and err:kind())
        elseif c.kind == "raise" then check(err:message():find("raised " .. i, 1, true), "message of a raise", err and err:message())
        else check(result:data() == i, "result", c.kind, i) end
    end
    local result, err = funcs.new():with_options({retry = {max_attempts = 2, initial_delay = 1}}):call("soak:work", "fail", 1)
    check(result == nil and err:kind() == "Conflict", "a retried failure")
end

-- resume finds what the last life has stored, and clears what it had no time to clear.
local function resume()
    generation = tonumber(registry.get("soak:code").data.source:match("%d+"))
    if registry.get("soak:temporary") then
        local changes = registry.snapshot():changes()
        changes:delete("soak:temporary")
        check(changes:apply(), "delete what was left")
    end
end

local function reload()
    generation = generation + 1
    local e = registry.get("soak:code")
    e.data.source = "return { version = " .. generation .. " }"
    local changes = registry.snapshot():changes()
    changes:update(e)
    local _, err = changes:apply()
    check(err == nil, "change of a library", tostring(err))
    local version = funcs.call("soak:version")
    check(version == generation, "the old code runs", version, generation)
    if generation % 10 == 0 then
        changes = registry.snapshot():changes()
        changes:create({id = "soak:temporary", kind = "function.lua", data = {source = "return { main = function() return 1 end }", method = "main"}})
        check(changes:apply(), "create")
        check(funcs.call("soak:temporary") == 1, "a new function")
        changes = registry.snapshot():changes()
        changes:delete("soak:temporary")
        check(changes:apply(), "delete")
        local _, gone = funcs.call("soak:temporary")
        check(gone and gone:kind() == "NotFound", "a deleted function answers")
    end
end

local function bus()
    local sub = assert(events.subscribe("soak.bus", "tick"))
    local n = math.random(1, 200)
    for i = 1, n do events.send("soak.bus", "tick", "p", i) end
    for i = 1, n do
        local e = await(sub:channel(), "an event")
        check(e and e.data == i, "order of events", e and e.data, i)
    end
    sub:close()
end

local function values()
    for _ = 1, 50 do
        local key, value = "k" .. math.random(2000), {n = math.random(), text = ("v"):rep(math.random(100))}
        local ok, err = memory:set(key, value, math.random() < 0.5 and 0.2 or nil)
        if ok then
            local back = memory:get(key)
            check(back == nil or back.n == value.n, "a stored value", key)
        else
            check(err:kind() == "Unavailable", "a store refuses", tostring(err))
        end
        if math.random() < 0.3 then memory:delete("k" .. math.random(2000)) end
    end
end

local function pipeline()
    local input, output = channel.new(4), channel.new()
    for _ = 1, 3 do
        coroutine.spawn(function()
            while true do
                local v, ok = input:receive()
                if not ok then return end
                output:send(v * v)
            end
        end)
    end
    coroutine.spawn(function()
        for i = 1, 100 do input:send(i) end
        input:close()
    end)
    local sum = 0
    for _ = 1, 100 do sum = sum + output:receive() end
    check(sum == 338350, "sum of a pipeline", sum)
end

return { main = function()
    groups, memory = assert(pg.open("soak:groups")), assert(store.get("soak:memory"))
    math.randomseed(time.now():unix_nano() % 1000000007)
    local things = {crowd, crowd, calls, calls, reload, bus, values, pipeline}
    local told = time.now()
    resume()
    log:info("soak is ready", {generation = generation})
    while true do
        local asked = channel.select{control:case_receive(), default = true}
        if asked.channel == control then return "ended after " .. done end
        local ok, err = pcall(things[math.random(#things)])
        if err == stop then return "ended after " .. done end
        check(ok, "something failed", tostring(err))
        done = done + 1
        local now = time.now()
        if now:sub(told):seconds() >= 1 then
            told = now
            log:info("soak goes on", {done = done, generation = generation})
        end
    end
end }
