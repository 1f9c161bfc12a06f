local function main()
    local address = assert(system.supervisor.state("app:gateway")).details:match("[%d%.]+:%d+$")
    local base = "http://" .. address

    local function say(what, res)
        local line = (res.body or ""):match("^[^\n]*")
        io.print((string.format("%-28s %d  %s", what, res.status_code, line):gsub("%s+$", "")))
        return res
    end

    local page = say("the page", http_client.get(base .. "/"))
    say("a path in the browser", http_client.get(base .. "/about/us"))
    say("its style", http_client.get(base .. "/style.css"))
    say("the page, if it has changed", http_client.get(base .. "/", { headers = { ["If-None-Match"] = page.headers.Etag } }))

    local text = string.rep("a line of a long letter\n", 100000)
    say("put a letter on the shelf", http_client.put(base .. "/shelf/letter.txt", { body = text }))
    say("put it there again", http_client.put(base .. "/shelf/letter.txt", { body = "other" }))
    say("the shelf", http_client.get(base .. "/shelf/"))
    say("the end of the letter", http_client.get(base .. "/shelf/letter.txt", { headers = { Range = "bytes=-7" } }))
    say("what is not there", http_client.get(base .. "/shelf/none.txt"))
    say("pack it", http_client.post(base .. "/shelf/"))

    -- Read as it arrives: no more than a piece of it is in memory.
    local res = assert(http_client.get(base .. "/shelf/letter.txt", { stream = true }))
    local lines, scanner = 0, assert(res.stream:scanner("lines"))
    while scanner:scan() do
        lines = lines + 1
    end
    io.print("lines of the letter: " .. lines)
end

return { main = main }
