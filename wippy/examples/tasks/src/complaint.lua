-- Handles what the workers have given up. The headers tell what happened.
local function handle(task)
    local msg = queue.message()
    store.get("app:results"):set("failed:" .. task.id, {
        why = msg:header("x_dead_letter_reason"), from = msg:header("x_original_queue"), attempts = msg:header("attempts"),
    })
end

return {handle = handle}
