-- Says that it is there, waits for one message and ends.
local function main(parent)
    local inbox = process.inbox()
    process.send(parent, "ready")
    inbox:receive()
end

return { main = main }
