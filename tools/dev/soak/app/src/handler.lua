return { handle = function()
    local req, res = http.request(), http.response()
    local body = req:body_json()
    if type(body) ~= "table" or type(body.n) ~= "number" then
        res:set_status(400)
        res:write_json({error = "n is missing"})
        return
    end
    local doubled, err = funcs.call("soak:work", "answer", body.n)
    if err then
        res:set_status(500)
        res:write_json({error = tostring(err)})
        return
    end
    res:write_json({doubled = doubled, text = body.text})
end }
