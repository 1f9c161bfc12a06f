local migrations = require("migrations")
local logger = require("logger")

return { main = function()
    local applied, err = migrations.apply("app:db")
    if err then error(err) end
    if #applied > 0 then logger:info("database is up to date", {applied = table.concat(applied, ", ")}) end
end }
