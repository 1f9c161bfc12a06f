local function shelf()
    return assert(fs.get("app:shelf"))
end

-- Answers with an error as JSON.
local function refuse(res, status: integer, message: string)
    res:set_status(status)
    res:write_json({ error = message })
end

local function list()
    local files = {}
    local vol = shelf()
    for e in vol:readdir("/") do
        if e.type == fs.type.FILE then
            files[#files + 1] = { name = e.name, size = vol:stat(e.name).size }
        end
    end
    http.response():write_json({ files = files })
end

local function put()
    local req, res, vol = http.request(), http.response(), shelf()
    local name = req:param("name")
    local ok, err = vol:writefile(name, assert(req:stream()), "wx")
    if not ok and err:kind() == errors.NOT_FOUND then
        return refuse(res, http.STATUS.CONFLICT, "there is such a file")
    end
    if not ok then -- the body broke off
        vol:remove(name)
        return refuse(res, http.STATUS.BAD_REQUEST, err:message())
    end
    res:set_status(http.STATUS.CREATED)
    res:write_json({ name = name, size = vol:stat(name).size })
end

local function take()
    local name, res = http.request():param("name"), http.response()
    res:set_header("X-Sendfile", name)
    res:set_header("X-File-Name", name)
end

-- Packs the whole shelf into an archive on it.
local function pack()
    local archive = require("archive")
    local vol, count = shelf(), 0
    local out = assert(archive.create(vol, "shelf.zip"))
    for e in vol:readdir("/") do
        if e.type == fs.type.FILE and e.name ~= "shelf.zip" then
            assert(out:add_file(e.name, vol, e.name))
            count = count + 1
        end
    end
    assert(out:close())
    http.response():write_json({ name = "shelf.zip", files = count })
end

return { list = list, put = put, take = take, pack = pack }
