local http = require("http")
local time = require("time")
local client = require("client")

-- Sends a browser what happens on the board, for as long as it watches. When it leaves, the call ends
-- at the next thing it waits for; nothing needs to be cleaned up here.
local function main()
    local res = http.response()
    local all = process.listen("all")
    local posted, removed = process.listen("posted"), process.listen("removed")
    local ok, err = client.send("watch", true)
    if not ok then
        return nil, err
    end

    while true do
        local quiet = time.after("15s")
        local got = channel.select { all:case_receive(), posted:case_receive(), removed:case_receive(), quiet:case_receive() }
        local name = "ping" -- keeps proxies from closing a connection that looks dead
        if got.channel == all then
            name = "all"
        elseif got.channel == posted then
            name = "posted"
        elseif got.channel == removed then
            name = "removed"
        end
        local failure = res:write_event({ name = name, data = name == "ping" and {} or got.value })
        if failure then
            return nil, failure
        end
    end
end

return { main = main }
