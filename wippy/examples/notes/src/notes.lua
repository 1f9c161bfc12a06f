local function answer(status, data)
    local res = http.response()
    res:set_status(status)
    res:write_json(data)
end

local function note(notes, name)
    return notes:has(name) and notes:get(name) or nil
end

-- Everybody sees what they may read.
local function list()
    local notes, names = assert(store.get("app:notes")), {}
    for _, item in ipairs(assert(notes:list()).items) do
        local name = item.key:gsub("^:", "")
        if security.can("note.read", name, { owner = item.value.owner }) then
            names[#names + 1] = name
        end
    end
    answer(200, { notes = names })
end

local function put()
    local req, notes = http.request(), assert(store.get("app:notes"))
    local name = req:param("name")
    local old = note(notes, name)
    if not security.can("note.write", name, { owner = old and old.owner }) then
        return answer(403, { error = name .. " belongs to " .. old.owner })
    end
    notes:set(name, { owner = old and old.owner or security.actor():id(), text = req:body() })
    answer(old and 200 or 201, { name = name })
end

local function remove()
    local notes, name = assert(store.get("app:notes")), http.request():param("name")
    local old = note(notes, name)
    if not old then
        return answer(404, { error = "there is no " .. name })
    end
    if not security.can("note.remove", name, { owner = old.owner }) then
        return answer(403, { error = "you may not remove " .. name })
    end
    notes:delete(name)
    answer(200, { removed = name })
end

return { list = list, put = put, remove = remove }
