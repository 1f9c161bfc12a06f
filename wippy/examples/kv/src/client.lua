local time = require("time")

local client = {}
local last_ref = 0

-- Sends one request and waits for the reply that carries the same reference.
local function request(op: string, key: string?, value: any?)
    local replies, err = process.listen("kv.reply")
    if err then
        return nil, err
    end

    last_ref = last_ref + 1
    local ref = last_ref
    local ok, send_err = process.send("kv", "kv.request", { ref = ref, op = op, key = key, value = value })
    if not ok then
        return nil, send_err
    end

    local timeout = time.after("5s")
    while true do
        local got = channel.select { replies:case_receive(), timeout:case_receive() }
        if got.channel == timeout then
            return nil, errors.new { message = "the store did not answer", kind = errors.TIMEOUT, retryable = true }
        end
        local reply = got.value
        if reply.ref == ref then -- anything else answers a request we gave up on
            if reply.problem then
                return nil, errors.new { message = reply.problem, kind = errors.INVALID }
            end
            return reply.value
        end
    end
end

-- A service is "running" once its process was spawned; its name appears a moment later.
function client.wait(): boolean
    for _ = 1, 2000 do
        if process.registry.lookup("kv") then
            return true
        end
        time.sleep("5ms")
    end
    return false
end

function client.get(key: string) return request("get", key) end
function client.set(key: string, value: any) return request("set", key, value) end
function client.delete(key: string) return request("delete", key) end
function client.keys() return request("keys") end
function client.request(op: string) return request(op) end

return client
