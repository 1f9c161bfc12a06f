local http = require("http")
local client = require("client")

local function refuse(status: integer, text: string)
    local res = http.response()
    res:set_status(status)
    res:write_json({ error = text })
end

local function list()
    local messages, err = client.ask("list")
    if err then
        return nil, err -- becomes a 500 and a record in the log
    end
    http.response():write_json(messages)
end

local function post()
    local req = http.request({ max_body = 10000, timeout = 5000 })
    local body, err = req:body_json()
    if err then
        return refuse(http.STATUS.BAD_REQUEST, err:message())
    end
    if type(body) ~= "table" or type(body.author) ~= "string" or type(body.text) ~= "string" then
        return refuse(http.STATUS.BAD_REQUEST, "author and text must be texts")
    end
    if body.author:match("^%s*$") or body.text:match("^%s*$") then
        return refuse(http.STATUS.UNPROCESSABLE, "author and text must not be empty")
    end
    local message, problem = client.ask("post", { author = body.author, text = body.text })
    if problem then
        return nil, problem
    end
    local res = http.response()
    res:set_status(http.STATUS.CREATED)
    res:write_json(message)
end

local function remove()
    local id = tonumber(http.request():param("id"))
    local removed, err = client.ask("remove", id)
    if err then
        return nil, err
    elseif not removed then
        return refuse(http.STATUS.NOT_FOUND, "there is no such message")
    end
    http.response():set_status(http.STATUS.NO_CONTENT)
end

return { list = list, post = post, remove = remove }
