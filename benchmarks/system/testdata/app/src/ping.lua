-- Plays so many rounds with a partner of its own.
local function main(rounds)
    local inbox = process.inbox()
    local pong = process.spawn("app:pong", "app:processes")
    for i = 1, rounds do
        process.send(pong, "ping", i)
        if inbox:receive():payload():data() ~= i then
            error("out of step at " .. i)
        end
    end
    process.send(pong, "ping", -1)
    return rounds
end

return { main = main }
