type Request = {ref: integer, op: string, key: string?, value: any?}

-- The data lives in this process and nowhere else: no locks, because requests are handled one by one.
local data: {[string]: any} = {}

local handlers = {
    get = function(req: Request)
        return data[req.key]
    end,
    set = function(req: Request)
        local old = data[req.key]
        data[req.key] = req.value
        return old
    end,
    delete = function(req: Request)
        local old = data[req.key]
        data[req.key] = nil
        return old
    end,
    keys = function()
        local keys = {}
        for key in pairs(data) do
            table.insert(keys, key)
        end
        table.sort(keys)
        return keys
    end,
}

local function main()
    local events = process.events()
    local inbox = process.inbox()
    process.registry.register("kv")

    while true do
        local got = channel.select { events:case_receive(), inbox:case_receive() }
        if got.channel == events then
            if got.value.kind == process.event.CANCEL then
                return
            end
        else
            local msg = got.value
            local req: Request = msg:payload():data()
            local handler = handlers[req.op]
            if handler then
                process.send(msg:from(), "kv.reply", { ref = req.ref, value = handler(req) })
            else
                process.send(msg:from(), "kv.reply", { ref = req.ref, problem = "no operation " .. tostring(req.op) })
            end
        end
    end
end

return { main = main }
