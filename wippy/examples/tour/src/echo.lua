-- Sends back what it gets.
local function main()
    local inbox = process.inbox()
    while true do
        local msg = inbox:receive()
        if msg:topic() == "stop" then
            return
        end
        process.send(msg:from(), "echo", msg:payload():data())
    end
end

return { main = main }
