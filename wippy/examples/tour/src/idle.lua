-- Waits to be cancelled.
local function main()
    local events = process.events()
    while events:receive().kind ~= process.event.CANCEL do
    end
end

return { main = main }
