local io = require("io")

-- The arguments of the command line arrive as strings. Returning a number makes it the exit code.
local function main(name: string?): number
    io.print("Hello, " .. (name or "world") .. "!")
    io.print("I am " .. process.id() .. ", running as " .. process.pid())
    return 0
end

return { main = main }
