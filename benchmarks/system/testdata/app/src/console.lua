local io = require("io")

local function main()
    local ready, me = process.listen("ready"), process.pid()
    local pids = {}
    while true do
        local line = io.readline()
        local count = line and tonumber(line)
        if not count then
            break
        end
        for _ = 1, count do
            local pid, err = process.spawn("app:idle", "app:processes", me)
            if not pid then
                error(err)
            end
            pids[#pids + 1] = pid
        end
        for _ = 1, count do
            ready:receive()
        end
        io.print("ready")
    end
    for _, pid in ipairs(pids) do
        process.send(pid, "end")
    end
    return 0
end

return { main = main }
