local http, sql, queue, metrics = require("http"), require("sql"), require("queue"), require("metrics")

local function refuse(res, status, message)
    res:set_status(status)
    res:write_json({error = message})
end

-- place puts an order into the database and a task about it into the queue.
local function place()
    local req, res = http.request(), http.response()
    local order, err = req:body_json()
    if err or type(order) ~= "table" then return refuse(res, http.STATUS.BAD_REQUEST, "an order is a JSON object") end
    local quantity = tonumber(order.quantity) or 1
    if type(order.customer) ~= "string" or type(order.item) ~= "string" or quantity < 1 then
        return refuse(res, http.STATUS.BAD_REQUEST, "an order has a customer, an item and a quantity")
    end
    local db = assert(sql.get("app:db"))
    local result, err = sql.builder.insert("orders")
        :set_map({customer = order.customer, item = order.item, quantity = sql.as.int(quantity)})
        :run_with(db):exec()
    if err then error(err) end
    -- Orders of one customer are handled one after the other.
    assert(queue.publish("app:tasks", {order = result.last_insert_id}, {partition_key = order.customer}))
    metrics.counter_inc("orders_placed_total", {item = order.item})
    res:set_status(http.STATUS.ACCEPTED)
    res:write_json({id = result.last_insert_id, status = "new"})
end

local function list()
    local req, res = http.request(), http.response()
    local q = sql.builder.select("id", "customer", "item", "quantity", "status", "price"):from("orders"):order_by("id")
    local status = req:query("status")
    if status then q = q:where({status = status}) end
    local rows, err = q:run_with(assert(sql.get("app:db"))):query()
    if err then error(err) end
    res:write_json({orders = rows})
end

local function get()
    local req, res = http.request(), http.response()
    local rows, err = assert(sql.get("app:db")):query("SELECT * FROM orders WHERE id = ?", {tonumber(req:param("id")) or 0})
    if err then error(err) end
    if #rows == 0 then return refuse(res, http.STATUS.NOT_FOUND, "no such order") end
    res:write_json(rows[1])
end

return { place = place, list = list, get = get }
