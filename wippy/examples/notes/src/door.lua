-- A real application keeps hashes of passwords, in a database.
local people = {
    ada = { password = "engine", group = "members", since = 2015 },
    bob = { password = "builder", group = "members", since = 2026 },
    eve = { password = "apple", group = "admins", since = 2020 },
}

local function login()
    local req, res = http.request(), http.response()
    local given, err = req:body_json()
    local person = given and people[given.name]
    if not person or person.password ~= given.password then
        res:set_status(http.STATUS.UNAUTHORIZED)
        return res:write_json({ error = err and err:message() or "wrong name or password" })
    end
    local actor = security.new_actor(given.name, { since = person.since })
    local scope = assert(security.named_scope("app.policies:" .. person.group))
    local tokens = assert(security.token_store("app:tokens"))
    res:write_json({ token = assert(tokens:create(actor, scope)) })
end

return { login = login }
