-- Counts what it is sent until it is stopped, cancelled or crashed.
return { main = function(parent, name)
    local groups = assert(pg.open("soak:groups"))
    assert(groups:join("workers"))
    process.registry.register(name)
    local inbox, control = process.inbox(), process.events()
    local count = 0
    process.send(parent, "ready", name)
    while true do
        local r = channel.select{inbox:case_receive(), control:case_receive()}
        if r.channel == control then
            return count
        end
        local topic = r.value:topic()
        if topic == "count" then
            count = count + 1
        elseif topic == "tell" then
            process.send(parent, "counted", {name = name, count = count})
        elseif topic == "crash" then
            error("crashed as asked")
        elseif topic == "stop" then
            return count
        end
    end
end }
