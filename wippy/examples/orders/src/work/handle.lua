local sql, metrics, time = require("sql"), require("metrics"), require("time")

-- handle takes what was ordered out of the stock, in one transaction. A task may come twice: an
-- order that is no longer new is left alone.
local function handle(task)
    local started = time.now()
    local db = assert(sql.get("app:db"))
    local tx, err = db:begin()
    if err then return nil, err end
    local rows, err = tx:query("SELECT o.item, o.quantity, s.price, s.available FROM orders o LEFT JOIN stock s USING (item) WHERE o.id = ? AND o.status = 'new'", {task.order})
    if err then
        tx:rollback()
        return nil, err
    end
    local o = rows[1]
    local status = "unchanged"
    if o and not o.price then
        status = "unknown item"
        tx:execute("UPDATE orders SET status = ? WHERE id = ?", {status, task.order})
    elseif o and o.available < o.quantity then
        status = "out of stock"
        tx:execute("UPDATE orders SET status = ? WHERE id = ?", {status, task.order})
    elseif o then
        status = "shipped"
        tx:execute("UPDATE stock SET available = available - ? WHERE item = ?", {o.quantity, o.item})
        tx:execute("UPDATE orders SET status = ?, price = ? WHERE id = ?", {status, o.price * o.quantity, task.order})
    end
    local _, err = tx:commit()
    if err then return nil, err end -- the queue brings the task again
    metrics.counter_inc("orders_handled_total", {status = status})
    metrics.histogram("order_seconds", time.now():sub(started):seconds())
end

return { handle = handle }
