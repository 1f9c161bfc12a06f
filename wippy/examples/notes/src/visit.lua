local function main()
    local address = assert(system.supervisor.state("app:gateway")).details:match("[%d%.]+:%d+$")
    local base = "http://" .. address

    local function say(who, what, res, err)
        assert(res, err)
        io.print(string.format("%-6s %-26s %d  %s", who, what, res.status_code, res.body))
        return res
    end

    -- What somebody does who has logged in, or has not.
    local function person(name, password)
        local options = {}
        if password then
            local res = assert(http_client.post(base .. "/door/", { body = json.encode({ name = name, password = password }) }))
            local token = json.decode(res.body).token
            io.print(string.format("%-6s %-26s %d", name, "logs in", res.status_code))
            options = token and { Authorization = "Bearer " .. token } or {}
        end
        return function(verb, note, text)
            local res, err = http_client.request(verb, base .. "/notes/" .. (note or ""), { headers = options, body = text })
            return say(name, verb .. " " .. (note or "all"), res, err)
        end
    end

    local guest = person("guest")
    guest("GET")
    person("ada", "difference")

    local ada = person("ada", "engine")
    ada("PUT", "poem", "science of operations")
    ada("PUT", "public-plan", "a machine")
    ada("GET")

    local bob = person("bob", "builder")
    bob("GET")
    bob("PUT", "poem", "mine now")
    bob("PUT", "public-plan", "a bigger machine")
    bob("DELETE", "public-plan")

    local eve = person("eve", "apple")
    eve("GET")
    eve("DELETE", "poem")
    ada("DELETE", "public-plan")
    ada("GET")
end

return { main = main }
