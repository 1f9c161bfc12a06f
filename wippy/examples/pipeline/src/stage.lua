local stage = {}

-- Runs one stage: on_item(value, emit) for each value, on_end(emit) after the last one. What is emitted goes
-- to the process `to`. The end travels down the chain as a message of its own and ends each stage.
function stage.run(to: string, on_item: (any, (any) -> ()) -> (), on_end: (((any) -> ()) -> ())?)
    local function emit(value: any)
        process.send(to, "item", value)
    end

    local inbox = process.inbox()
    while true do
        local msg = inbox:receive()
        if msg:topic() == "item" then
            on_item(msg:payload():data(), emit)
        elseif msg:topic() == "end" then
            if on_end then
                on_end(emit)
            end
            process.send(to, "end")
            return
        end
    end
end

return stage
