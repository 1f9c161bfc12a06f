-- Writes one invoice. It may be called again for the same task, so everything it does can
-- be done twice: the number of an invoice is given out once.
local function number_of(results, task)
    local key = "number:" .. task.id
    while true do
        local known = results:entry(key)
        if known then return known.value end
        local last = results:entry("last:" .. task.customer)
        local n = last and last.value + 1 or 1
        -- Two workers may have seen the same last number: one of them gets a conflict.
        local options = last and {if_version = last.version} or {only_if_absent = true}
        if results:put("last:" .. task.customer, n, options) then
            results:set(key, n)
            return n
        end
    end
end

local function handle(task)
    local results = store.get("app:results")
    local msg = queue.message()
    local attempt = msg:header("attempts") or 1

    if task.amount <= 0 then
        -- An error gives the task back; the third one gives it up.
        return nil, errors.new({kind = errors.INVALID, message = "nothing to pay"})
    end
    if task.slow and attempt == 1 then
        return false -- not now: the same as an error, without a reason
    end
    time.sleep("5ms") -- as if it were work

    results:set("done:" .. task.id, {
        customer = task.customer, number = number_of(results, task), amount = task.amount, attempts = attempt,
    })
end

return {handle = handle}
