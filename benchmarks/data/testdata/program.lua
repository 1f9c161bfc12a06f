local function keys(first, n)
    local list = {}
    for i = 1, n do list[i] = "user:" .. (first + i) end
    return list
end

local M = {}

function M.set(first, n)
    local s = store.get("app:store")
    for _, k in ipairs(keys(first, n)) do s:set(k, "value of a hundred bytes or so, " .. k) end
    return n
end

function M.get(first, n)
    local s, found = store.get("app:store"), 0
    for _, k in ipairs(keys(first, n)) do
        if s:get(k) then found = found + 1 end
    end
    return found
end

-- One counter, written only when nobody else has written it meanwhile.
function M.count(_, n)
    local s = store.get("app:store")
    for _ = 1, n do
        repeat
            local e = s:entry("counter:c")
            local ok
            if e then
                ok = s:put("counter:c", e.value + 1, {if_version = e.version})
            else
                ok = s:put("counter:c", 1, {only_if_absent = true})
            end
        until ok
    end
    return n
end

function M.list(_, n)
    local s, found = store.get("app:store"), 0
    for _ = 1, n do found = found + #s:list({prefix = "user:", limit = 100}).items end
    return found / 100
end

-- Publishes n messages and waits until the last one has been handled.
function M.publish(id, n)
    local inbox = process.inbox()
    for i = 1, n - 1 do assert(queue.publish(id, {n = i, text = "some work to do"})) end
    assert(queue.publish(id, {n = n, text = "some work to do"}, {reply_to = process.pid()}))
    inbox:receive()
    return n
end

function M.handle()
    local to = queue.message():header("reply_to")
    if to then process.send(to, "done", true) end
end

return M
