local stage = require("stage")

local IGNORED = { the = true, a = true, of = true, ["and"] = true }

-- Lower case, without the words that say nothing.
local function main(to: string)
    stage.run(to, function(word, emit)
        word = string.lower(word)
        if not IGNORED[word] then
            emit(word)
        end
    end)
end

return { main = main }
