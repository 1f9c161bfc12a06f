local io = require("io")

local ui = {}
local chapter = 0

function ui.heading(title: string)
    chapter = chapter + 1
    local text = string.format("%d. %s", chapter, title)
    io.print("")
    io.print(text)
    io.print(string.rep("-", #text))
end

-- One line of explanation.
function ui.note(text: string)
    io.print(text)
end

-- Something that just happened.
function ui.step(format: string, ...: any)
    io.print("  > " .. string.format(format, ...))
end

function ui.row(name: string, value: string)
    io.print(string.format("  %-42s %12s", name, value))
end

return ui
