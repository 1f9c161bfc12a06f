local time = require("time")

-- Sends to the board. A service is "running" once its process was spawned; its name appears a moment later, also when
-- it had to be started again.
local function send(topic: string, value: any?)
    local ok, err
    for _ = 1, 500 do
        ok, err = process.send("board", topic, value)
        if ok or err:kind() ~= errors.NOT_FOUND then
            break
        end
        time.sleep("10ms")
    end
    return ok, err
end

-- Asks the board and waits for its answer. A request is answered by a process of its own, so that
-- no other answer can be mistaken for this one.
local function ask(op: string, value: any?)
    local replies = process.listen("board.reply")
    local ok, err = send("board.request", { op = op, value = value })
    if not ok then
        return nil, err
    end
    local timeout = time.after("5s")
    local got = channel.select { replies:case_receive(), timeout:case_receive() }
    if got.channel == timeout then
        return nil, errors.new { message = "the board does not answer", kind = errors.TIMEOUT }
    end
    return got.value
end

return { ask = ask, send = send }
