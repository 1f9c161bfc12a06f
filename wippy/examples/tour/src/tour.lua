local time = require("time")
local ui = require("ui")

local function main(): integer
    local started = time.now()
    ui.note("A tour of the runtime. You are reading the output of process " .. process.pid() .. ",")
    ui.note("which runs the code of entry " .. process.id() .. ".")

    local chapters = {
        require("services"),
        require("messages"),
        require("bus"),
        require("functions"),
        require("channels"),
        require("changes"),
        require("timings"),
    }
    for _, chapter in ipairs(chapters) do
        local _, err = chapter.run()
        if err then
            return nil, err
        end
    end

    ui.note("")
    ui.note(string.format("The tour took %d ms. Its sources are in wippy/examples/tour/src.",
        time.now():sub(started):milliseconds()))
    return 0
end

return { main = main }
