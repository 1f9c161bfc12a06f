local code = require("code")

-- work(kind, n) does what a caller expects to see: answers, fails, raises, or takes its time.
local function work(kind, n)
    if kind == "answer" then return n * 2 end
    if kind == "fail" then return nil, errors.new({message = "failed " .. n, kind = errors.CONFLICT}) end
    if kind == "raise" then error("raised " .. n) end
    if kind == "slow" then
        time.sleep("5ms")
        return n
    end
    local list = {}
    for i = 1, n do list[i] = ("x"):rep(10) .. i end
    return #list
end

return { work = work, version = function() return code.version end }
