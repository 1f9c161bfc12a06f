local io = require("io")
local time = require("time")

local TEXT = {
    "The river and the mountain spoke of the sea.",
    "The sea answered the mountain, and the river listened.",
    "A river of rain, a sea of stars.",
}

local function main(): integer
    local inbox = process.inbox()
    local started = time.now()

    -- Built from the end to the beginning: every stage is told whom to send to. The stages are linked to this
    -- process, so when one of them fails nobody waits for ever.
    local to = process.pid()
    for _, id in ipairs({ "app:count", "app:normalise", "app:words" }) do
        local pid, err = process.spawn_linked(id, "app:processes", to)
        if err then
            return nil, err
        end
        to = pid
    end

    for _, line in ipairs(TEXT) do
        process.send(to, "item", line)
    end
    process.send(to, "end")

    while true do
        local msg = inbox:receive()
        if msg:topic() == "end" then
            break
        end
        local count = msg:payload():data()
        io.print(string.format("%-10s %s", count.word, string.rep("#", count.times)))
    end
    io.print(string.format("%d lines through 3 processes in %d us", #TEXT, time.now():sub(started):microseconds()))
    return 0
end

return { main = main }
