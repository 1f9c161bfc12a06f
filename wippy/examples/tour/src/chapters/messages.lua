local ui = require("ui")

local messages = {}

type Square = {n: number, square: number}

function messages.run()
    ui.heading("Processes exchanging messages")
    ui.note("Processes share nothing. They send copies of values, and can be told when another one ends.")

    local squares = process.listen("square")
    local events = process.events()

    local workers: {string} = {}
    for i = 1, 3 do
        local pid, err = process.spawn_monitored("app:squarer", "app:processes", process.pid())
        if err then
            return nil, err
        end
        workers[i] = pid
    end
    ui.step("started %s", table.concat(workers, " "))

    for n = 1, 9 do
        process.send(workers[(n - 1) % #workers + 1], "work", n)
    end
    local results: {[number]: number} = {}
    for _ = 1, 9 do
        local square: Square = squares:receive()
        results[square.n] = square.square
    end
    ui.step("sent them 1 to 9, got back %s", table.concat(results, " "))

    for _, pid in ipairs(workers) do
        process.send(pid, "stop")
    end
    for _ = 1, #workers do
        local event = events:receive()
        ui.step("%s ended after %d pieces of work", event.from, event.result.value)
    end
    process.unlisten(squares)
    return true
end

return messages
