-- Applies the migrations of a database in the order of their names, each in a transaction of
-- its own, and remembers which are done.
local sql = require("sql")
local registry = require("registry")

local M = {}

-- migrations(database) finds the entries.
local function migrations(database)
    local list, err = registry.find({[".kind"] = "registry.entry", ["meta.type"] = "migration", ["meta.database"] = database})
    if err then return nil, err end
    table.sort(list, function(a, b) return a.id < b.id end)
    return list
end

local function run(db, statement, record, ...)
    local tx, err = db:begin()
    if err then return err end
    for _, step in ipairs({{statement}, {record, {...}}}) do
        local _, err = tx:execute(step[1], step[2])
        if err then
            tx:rollback()
            return err
        end
    end
    local _, err = tx:commit()
    return err
end

-- apply(database) returns the names of the migrations it has applied.
function M.apply(database: string): ({string}?, any)
    local db, err = sql.get(database)
    if err then return nil, err end
    local _, err = db:execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied DATETIME DEFAULT CURRENT_TIMESTAMP)")
    if err then return nil, err end
    local done = {}
    for _, row in ipairs(assert(db:query("SELECT name FROM migrations"))) do done[row.name] = true end
    local list, err = migrations(database)
    if err then return nil, err end
    local applied = {}
    for _, m in ipairs(list) do
        if not done[m.id] then
            local err = run(db, m.data.up, "INSERT INTO migrations (name) VALUES (?)", m.id)
            if err then return nil, errors.wrap(err, "migration " .. m.id) end
            table.insert(applied, m.id)
        end
    end
    return applied
end

-- revert(database) takes the last one back and returns its name, nil when there is none.
function M.revert(database: string): (string?, any)
    local db, err = sql.get(database)
    if err then return nil, err end
    local rows, err = db:query("SELECT name FROM migrations ORDER BY name DESC LIMIT 1")
    if err then return nil, err end
    if #rows == 0 then return nil end
    local m, err = registry.get(rows[1].name)
    if err then return nil, err end
    err = run(db, m.data.down, "DELETE FROM migrations WHERE name = ?", m.id)
    if err then return nil, errors.wrap(err, "migration " .. m.id) end
    return m.id
end

return M
