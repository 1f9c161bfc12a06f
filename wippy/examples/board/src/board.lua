type Message = {id: integer, author: string, text: string}

local most = 100 -- messages that are kept

local messages: {Message} = {}
local last_id = 0
local watchers: {[string]: boolean} = {} -- by PID

local function tell(topic: string, value: any)
    for pid in pairs(watchers) do
        process.send(pid, topic, value)
    end
end

local handlers = {
    list = function()
        return messages
    end,
    post = function(value)
        last_id = last_id + 1
        local message: Message = { id = last_id, author = value.author, text = value.text }
        table.insert(messages, message)
        if #messages > most then
            table.remove(messages, 1)
        end
        tell("posted", message)
        return message
    end,
    remove = function(id)
        for i, message in ipairs(messages) do
            if message.id == id then
                table.remove(messages, i)
                tell("removed", { id = id })
                return true
            end
        end
        return false
    end,
}

local function main()
    local events, inbox = process.events(), process.inbox()
    local watch = process.listen("watch", { message = true })
    process.registry.register("board")

    while true do
        local got = channel.select { events:case_receive(), watch:case_receive(), inbox:case_receive() }
        if got.channel == events then
            local event = got.value
            if event.kind == process.event.CANCEL then
                return
            elseif event.kind == process.event.EXIT then
                watchers[event.from] = nil -- the browser has left, and its request with it
            end
        elseif got.channel == watch then
            local pid = got.value:from()
            watchers[pid] = true
            process.monitor(pid)
            process.send(pid, "all", messages)
        else
            local request = got.value:payload():data()
            local value = handlers[request.op](request.value)
            process.send(got.value:from(), "board.reply", value)
        end
    end
end

return { main = main }
