local http, json, time, io = require("http_client"), require("json"), require("time"), require("io")
local system, sql = require("system"), require("sql")

-- base finds out where the server listens: it may have been given any free port.
local function base()
    while true do
        local s = system.supervisor.state("app:gateway")
        local at = s and s.status == "running" and tostring(s.details):match("listening on (%S+)")
        if at then return "http://" .. at .. "/orders/" end
        time.sleep("5ms")
    end
end

-- wait until the database has its tables.
local function migrated()
    while system.supervisor.state("app:migrated").status ~= "exited" do time.sleep("5ms") end
end

return { main = function()
    migrated()
    local url = base()
    local db = sql.get("app:db")
    local names = {}
    for _, row in ipairs(db:query("SELECT name FROM migrations ORDER BY name")) do table.insert(names, (row.name:gsub("app.migrations:", ""))) end
    io.print("migrations: " .. table.concat(names, ", "))

    local orders = {
        {customer = "ada", item = "apple", quantity = 3},
        {customer = "bob", item = "pear", quantity = 3},
        {customer = "ada", item = "pear", quantity = 1},
        {customer = "ada", item = "apple", quantity = 9},
        {customer = "cyd", item = "rocket"},
        {customer = "cyd", item = "plum", quantity = 50},
    }
    for _, o in ipairs(orders) do
        local r, err = http.post(url, {headers = {["Content-Type"] = "application/json"}, body = json.encode(o)})
        if err then error(err) end
        assert(r.status_code == 202, r.body)
    end
    local r = http.post(url, {body = "{"})
    io.print("a broken order: " .. r.status_code .. " " .. r.body)
    r = http.get(url .. "99")
    io.print("an unknown order: " .. r.status_code .. " " .. r.body)

    -- Handled by the workers, whenever they come to it.
    while #json.decode(http.get(url .. "?status=new").body).orders > 0 do time.sleep("10ms") end
    for _, o in ipairs(json.decode(http.get(url).body).orders) do
        io.print(string.format("%d  %-4s %2d %-7s %-13s %s", o.id, o.customer, o.quantity, o.item, o.status, o.price or ""))
    end
    for _, row in ipairs(db:query("SELECT item, available FROM stock ORDER BY item")) do
        io.print("stock: " .. row.item .. " " .. row.available)
    end
end }
