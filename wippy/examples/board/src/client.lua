local time = require("time")

-- Asks the board and waits for its answer. A request is answered by a process of its own, so that
-- no other answer can be mistaken for this one.
local function ask(op: string, value: any?)
    local replies = process.listen("board.reply")
    local ok, err = process.send("board", "board.request", { op = op, value = value })
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

return { ask = ask }
