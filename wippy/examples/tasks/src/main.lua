local function main()
    local tasks = {
        {id = "t1", customer = "ada", amount = 120},
        {id = "t2", customer = "ada", amount = 80, slow = true},
        {id = "t3", customer = "ada", amount = 45},
        {id = "t4", customer = "bob", amount = 0},
        {id = "t5", customer = "bob", amount = 300},
        {id = "t6", customer = "cyd", amount = 7},
    }
    for _, task in ipairs(tasks) do
        -- Tasks of one customer are handled one at a time, in this order; those of others beside them.
        assert(queue.publish("app:tasks", task, {partition_key = task.customer}))
    end
    io.print(#tasks .. " tasks published")

    local results = store.get("app:results")
    local function finished()
        return #results:list({prefix = "done:"}).items + #results:list({prefix = "failed:"}).items == #tasks
    end
    while not finished() do time.sleep("5ms") end

    for _, entry in ipairs(results:list({prefix = "done:"}).items) do
        local r = entry.value
        io.print(string.format("%s  invoice %s/%d over %3d, attempts: %d", entry.key, r.customer, r.number, r.amount, r.attempts))
    end
    for _, entry in ipairs(results:list({prefix = "failed:"}).items) do
        local r = entry.value
        io.print(string.format("%s  given up by %s after %d attempts: %s", entry.key, r.from, r.attempts, r.why))
    end
    local info = queue.info("app:tasks")
    io.print(info.message_count .. " tasks left")
end

return {main = main}
