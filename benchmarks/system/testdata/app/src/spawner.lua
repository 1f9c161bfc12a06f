-- Spawns idle processes and returns their ids, one per line, when all of them wait.
local function main(count)
    local ready, me = process.listen("ready"), process.pid()
    local pids = {}
    for i = 1, count do
        local pid, err = process.spawn("app:idle", "app:processes", me)
        if not pid then
            error(err)
        end
        pids[i] = pid
    end
    for _ = 1, count do
        ready:receive()
    end
    return table.concat(pids, "\n")
end

return { main = main }
