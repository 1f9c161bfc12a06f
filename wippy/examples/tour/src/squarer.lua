-- Squares what it gets until it is told to stop. Its result is how much work it did.
local function main(parent: string): integer
    local inbox = process.inbox()
    local done = 0
    while true do
        local msg = inbox:receive()
        if msg:topic() == "stop" then
            return done
        end
        local n: number = msg:payload():data()
        process.send(parent, "square", { n = n, square = n * n })
        done = done + 1
    end
end

return { main = main }
