-- Sends everything back until it gets a negative number.
local function main()
    local inbox = process.inbox()
    while true do
        local msg = inbox:receive()
        local n = msg:payload():data()
        if n < 0 then
            return
        end
        process.send(msg:from(), "pong", n)
    end
end

return { main = main }
