// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"testing"

	"github.com/wippyrun/kit/wippy/service/sql"
)

// Every method of the builders makes a statement that the databases understand, with the placeholders of each.
func TestBuildersRunOnEveryDatabase(t *testing.T) {
	lite := entry("app:lite", sql.KindSQLite, map[string]any{"file": ":memory:"})
	for _, e := range append(servers(t), lite) {
		t.Run(dialect(e), func(t *testing.T) {
			s := newSystem(t, e)
			s.check(t, `
				local b, id = sql.builder, ...
				local db = assert(sql.get(id))
				local kind = db:type()
				local function exec(q, on) return assert(assert(q:run_with(on or db)):exec()) end
				local function rows(q, on) return assert(assert(q:run_with(on or db)):query()) end
				local function list(q, on)
					local out = {}
					for i, row in ipairs(rows(q, on)) do out[i] = tostring(row.x) end
					return table.concat(out, " ")
				end
				for _, name in ipairs({"b_orders", "b_users"}) do assert(db:execute("DROP TABLE IF EXISTS " .. name)) end
				assert(db:execute("CREATE TABLE b_users (id INTEGER PRIMARY KEY, name VARCHAR(50), n INTEGER)"))
				assert(db:execute("CREATE TABLE b_orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER)"))

				-- insert: columns, values, set_map, select, into, options, prefix, suffix
				eq(exec(b.insert("b_users"):columns("id", "name"):columns("n"):values(1, "ann", 10):values(2, "bob", sql.NULL)).rows_affected, 2)
				exec(b.insert():into("b_users"):set_map({id = 3, name = "cy", n = sql.as.int(30.9)}))
				exec(b.insert("b_orders"):columns("id", "user_id", "total"):values(1, 1, 5):values(2, 1, 7):values(3, 3, 9):values(4, 99, 1))
				exec(b.insert("b_users"):columns("id", "name", "n"):select(b.select("id + 10", "name", "n"):from("b_users"):where({name = "ann"})))
				local ignore = {sqlite = "OR IGNORE", mysql = "IGNORE"}
				if ignore[kind] then
					eq(exec(b.insert("b_users"):options(ignore[kind]):columns("id", "name"):values(1, "again")).rows_affected, 0)
				else
					eq(exec(b.insert("b_users"):columns("id", "name"):values(1, "again"):suffix("ON CONFLICT (id) DO NOTHING")).rows_affected, 0)
				end
				eq(rows(b.insert("b_users"):columns("id", "name"):values(12, "dee"):suffix("RETURNING id AS x"))[1].x, 12)
				if kind ~= "mysql" then
					exec(b.insert("b_users"):prefix("WITH k AS (SELECT CAST(? AS INTEGER) AS v)", 13):columns("id", "name"):
						select(b.select("v", "'eve'"):from("k"):where("v > ?", 12)))
				else
					exec(b.insert("b_users"):columns("id", "name"):values(13, "eve"))
				end

				-- select
				local users = b.select("id AS x"):from("b_users"):order_by("id")
				eq(list(users), "1 2 3 11 12 13")
				eq(list(users:limit(2):offset(1)), "2 3")
				eq(list(users:where({name = "ann"}):where("id < ?", 5)), "1")
				eq(list(users:where(b.eq({name = "ann", n = 10}))), "1 11")
				eq(list(users:where(b.eq({n = sql.NULL}))), "2 12 13")
				eq(list(users:where(b.not_eq({n = sql.NULL}))), "1 3 11")
				eq(list(users:where(b.not_eq({name = "ann"}))), "2 3 12 13")
				eq(list(users:where(b.lt({id = 3}))), "1 2")
				eq(list(users:where(b.lte({id = 3}))), "1 2 3")
				eq(list(users:where(b.gt({id = 11}))), "12 13")
				eq(list(users:where(b.gte({id = 11}))), "11 12 13")
				eq(list(users:where(b.like({name = "%e%"}))), "12 13")
				eq(list(users:where(b.not_like({name = "%e%"}))), "1 2 3 11")
				eq(list(users:where(b.or_({{id = 1}, b.and_({b.gt({id = 11}), b.expr("name <> ?", "eve")})}))), "1 12")
				eq(list(users:where(b.and_({}))), "1 2 3 11 12 13")
				eq(list(users:where(b.or_({}))), "")
				eq(list(users:where("")), "1 2 3 11 12 13")
				eq(list(b.select("name AS x"):distinct():from("b_users"):order_by("name")), "ann bob cy dee eve")
				local joined = b.select("u.id AS x"):from("b_users u"):order_by("u.id", "o.id")
				eq(list(joined:join("b_orders o ON o.user_id = u.id AND o.total > ?", 5)), "1 3")
				eq(list(joined:inner_join("b_orders o ON o.user_id = u.id")), "1 1 3")
				eq(list(joined:left_join("b_orders o ON o.user_id = u.id"):where({["o.id"] = sql.NULL})), "2 11 12 13")
				eq(list(b.select("o.id AS x"):from("b_users u"):right_join("b_orders o ON o.user_id = u.id"):where({["u.id"] = sql.NULL})), "4")
				eq(list(b.select("user_id AS x"):columns("SUM(total) AS total"):from("b_orders"):group_by("user_id"):
					having("SUM(total) > ?", 5):having(b.gt({["COUNT(*)"] = 1}))), "1")

				-- update
				local count = b.select("COUNT(*) AS x"):from("b_users")
				exec(b.update("b_users"):set("n", b.expr("COALESCE(n, ?) + ?", 0, 1)):where({id = 1}))
				eq(list(b.select("n AS x"):from("b_users"):where({id = 1})), "11")
				exec(b.update():table("b_users"):set_map({name = b.expr("UPPER(name)"), n = sql.NULL}):where("id = ?", 2))
				eq(list(b.select("name AS x"):from("b_users"):where({id = 2, n = sql.NULL})), "BOB")
				if kind == "mysql" then
					exec(b.update("b_users"):set("n", 77):order_by("id DESC"):limit(2))
					eq(list(users:where({n = 77})), "12 13")
				else
					exec(b.update("b_users"):set("n", b.expr("o.total * ?", 10)):from("b_orders o"):where("o.user_id = b_users.id AND o.id = ?", 3))
					exec(b.update("b_users"):set("n", b.expr("s.t + ?", 1)):from_select(b.select("user_id AS uid", "SUM(total) AS t"):
						from("b_orders"):where(b.lt({id = 3})):group_by("user_id"), "s"):where("s.uid = b_users.id"))
					eq(list(b.select("n AS x"):from("b_users"):where(b.or_({{id = 1}, {id = 3}})):order_by("id")), "13 90")
					eq(list(b.update("b_users"):set("n", 1):where({id = 13}):suffix("RETURNING id AS x")), "13")
				end

				-- delete, inside a transaction that is rolled back
				local tx = assert(db:begin())
				eq(exec(b.delete("b_users"):where(b.gt({id = 10})), tx).rows_affected, 3)
				if kind == "mysql" then
					exec(b.delete("b_users"):order_by("id DESC"):limit(1), tx)
				else
					eq(list(b.delete("b_users"):where({id = 3}):suffix("RETURNING id AS x"), tx), "3")
				end
				eq(list(count, tx), "2")
				exec(b.delete():from("b_users"), tx)
				eq(list(count, tx), "0")
				assert(tx:rollback())
				eq(list(count), "6")

				-- the placeholders of a server, whatever the builder says; the builder itself stays as it was
				local q = b.select("id AS x"):from("b_users"):where({id = 1}):where("name = ?", "ann")
				local text, args = assert(q:run_with(db)):to_sql()
				eq(text, kind == "postgres" and "SELECT id AS x FROM b_users WHERE id = $1 AND name = $2" or "SELECT id AS x FROM b_users WHERE id = ? AND name = ?")
				eq(args[1], 1) eq(args[2], "ann")
				eq((q:to_sql()), "SELECT id AS x FROM b_users WHERE id = ? AND name = ?")
				if kind == "postgres" then
					eq(list(q:placeholder_format(b.question)), "1")
					eq(assert(assert(b.select("'{\"a\":1}'::jsonb ?? 'a' AS x"):where(b.expr("1 = ?", 1)):run_with(db)):query())[1].x, true)
				elseif kind == "sqlite" then
					eq(list(q:placeholder_format(b.at)), "1")
					eq(list(q:placeholder_format(b.colon)), "1")
				end
				eq(list(q), "1")`, e.ID.String())
		})
	}
}
