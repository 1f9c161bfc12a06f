local events = require("events")
local logger = require("logger")
local time = require("time")

local SERVICE = "app:worker.service"

-- Follows the worker's state on the event bus and measures how long each restart was put off.
local function main()
    local log = logger:named("watcher")
    local control = process.events()
    local updates, err = events.subscribe("supervisor", "service.update")
    if err then
        return nil, err
    end

    local failed_at = nil
    local restarts = 0

    while true do
        local got = channel.select { control:case_receive(), updates:channel():case_receive() }
        if got.channel == control then
            if got.value.kind == process.event.CANCEL then
                log:info("stopped", { restarts = restarts })
                return
            end
        elseif got.value.path == SERVICE then
            local status = got.value.data.status
            if status == "failed" then
                if not failed_at then
                    failed_at = time.now()
                    log:warn("worker failed", { reason = tostring(got.value.data.details) })
                end
            elseif status == "running" and failed_at then
                restarts = restarts + 1
                local pause = time.now():sub(failed_at):milliseconds()
                failed_at = nil
                log:info(string.format("restart %d came after %d ms", restarts, pause))
            end
        end
    end
end

return { main = main }
