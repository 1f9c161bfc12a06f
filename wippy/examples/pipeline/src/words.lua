local stage = require("stage")

-- Splits lines into words.
local function main(to: string)
    stage.run(to, function(line, emit)
        for word in string.gmatch(line, "[%w']+") do
            emit(word)
        end
    end)
end

return { main = main }
