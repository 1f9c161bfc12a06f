local stage = require("stage")

type Count = {word: string, times: integer}

-- Counts words; emits the counts at the end, most frequent first.
local function main(to: string)
    local counts: {[string]: integer} = {}

    stage.run(to, function(word)
        counts[word] = (counts[word] or 0) + 1
    end, function(emit)
        local list: {Count} = {}
        for word, times in pairs(counts) do
            table.insert(list, { word = word, times = times })
        end
        table.sort(list, function(a, b)
            if a.times ~= b.times then
                return a.times > b.times
            end
            return a.word < b.word
        end)
        for _, count in ipairs(list) do
            emit(count)
        end
    end)
end

return { main = main }
