// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
)

// facts are what programs rely on.
var facts = []struct{ name, body string }{
	{"unknown", `
		local err = fails("Invalid", "resource id is required", sql.get(""))
		eq(err:retryable(), false)
		fails("NotFound", "resource not found", sql.get("no:db"))
		fails("Invalid", "resource is not a database: app:store", sql.get("app:store"))
		eq(pcall(sql.get), false)`},
	{"type", `
		local type, err = db:type()
		eq(type, "sqlite") eq(err, nil) eq(type, sql.type.SQLITE)
		eq(sql.type.POSTGRES .. sql.type.MYSQL .. sql.type.UNKNOWN, "postgresmysqlunknown")
		eq(sql.isolation.REPEATABLE_READ, "repeatable_read") eq(sql.isolation.DEFAULT, "default")
		eq(pcall(function() sql.type.SQLITE = 1 end), false)
		eq(pcall(db.type, {}), false)`},
	{"execute", `
		assert(db:execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"))
		local a = assert(db:execute("INSERT INTO t(name) VALUES (?)", {"a"}))
		local b, err = db:execute("INSERT INTO t(name) VALUES (?)", {"a"})
		eq(err, nil) eq(a.rows_affected, 1) eq(b.last_insert_id, a.last_insert_id + 1)
		local rows, none = db:query("SELECT * FROM t WHERE name = ?", {"nobody"})
		eq(#rows, 0) eq(next(rows), nil) eq(none, nil)
		eq(#assert(db:query("INSERT INTO t(name) VALUES ('b'), ('c') RETURNING id")), 2)
		eq(#assert(db:query("CREATE TABLE u (id INTEGER)")), 0)
		eq(assert(db:execute("UPDATE t SET name = 'x'", {})).rows_affected, 4)`},
	{"errors", `
		local err = fails("", nil, db:query("INVALID SQL"))
		eq(err:retryable(), nil)
		assert(err:message():find("syntax error"))
		eq(tostring(err), err:message())
		fails("Invalid", "parameters must be a table, got string", db:query("SELECT 1", "x"))
		fails("Invalid", "parameters must be a table, got number", db:execute("SELECT 1", 1))
		fails("", nil, db:execute("INSERT INTO nowhere VALUES (1)"))
		fails("", nil, db:query("SELECT ?"))
		fails("Invalid", "too many parameters: there may be 65535", db:query("SELECT 1", {[1e9] = 1}))
		eq(pcall(db.query, db), false)`},
	{"null", `
		db:execute("CREATE TABLE t (a, b)")
		assert(db:execute("INSERT INTO t VALUES (?, ?)", {"n", sql.NULL}))
		local row = db:query("SELECT * FROM t")[1]
		eq(row.a, "n") eq(row.b, nil) eq(next(row), "a")
		eq(db:query("SELECT ? IS NULL AND ? IS NULL AND ? IS NULL AS n", {[1] = sql.as.null(), [3] = sql.NULL})[1].n, 1)
		eq(sql.as.null() == sql.NULL, false)
		eq(db:query("SELECT ? IS NULL AS t, ? IS NULL AS f", {{}, print})[1].t, 1)
		eq(db:query("SELECT 1 AS x, 2 AS x")[1].x, 2)`},
	{"typed", `
		local function kind(v)
			local row = assert(db:query("SELECT typeof(?) AS t, ? AS v", {v, v}))[1]
			return row.t .. " " .. tostring(row.v)
		end
		eq(kind(5), "integer 5") eq(kind(5.5), "real 5.5") eq(kind(-2^53), "integer -9007199254740992")
		eq(kind(2^60), "real 1152921504606846976")
		eq(kind(sql.as.float(5)), "real 5") eq(kind(sql.as.float("5")), "real 0")
		eq(kind(sql.as.int(42.9)), "integer 42") eq(kind(sql.as.int(-42.9)), "integer -42") eq(kind(sql.as.int("7")), "integer 0")
		eq(kind(sql.as.text(42)), "text 42") eq(kind(sql.as.text(1.5)), "text 1.5") eq(kind(sql.as.text({})), "text ")
		eq(kind(sql.as.binary("a\0b")), "blob a\0b") eq(kind(sql.as.binary(1)), "null nil") eq(kind(sql.as.null()), "null nil")
		eq(kind(true), "integer 1") eq(kind("x"), "text x") eq(kind(0/0), "null nil")`},
	{"declared", `
		db:execute("CREATE TABLE t (b BOOLEAN, d DATETIME, u TIMESTAMP, m DATE, x DATE, n BOOLEAN)")
		db:execute("INSERT INTO t VALUES (1, '2024-06-15 14:30:45', 1718461845, 1718461845999, 'soon', -1)")
		local row = db:query("SELECT * FROM t")[1]
		eq(row.b, true) eq(row.d, "2024-06-15T14:30:45Z") eq(row.u, "2024-06-15T14:30:45Z") eq(row.m, "2024-06-15T14:30:45Z")
		eq(row.x, "0001-01-01T00:00:00Z") eq(row.n, false)
		local row = db:query("SELECT count(*) AS c, max(b) AS m FROM t")[1]
		eq(row.c, 1) eq(row.m, 1)
		for text, want in pairs({
			["2024-06-15"] = "2024-06-15T00:00:00Z", ["2024-06-15T14:30"] = "2024-06-15T14:30:00Z",
			["2024-06-15 14:30:45.25"] = "2024-06-15T14:30:45Z", ["2024-06-15 14:30:45+02:00"] = "2024-06-15T12:30:45Z",
			["2024-06-15T14:30:45Z"] = "2024-06-15T14:30:45Z", ["2024-06-15T14:30-01:30"] = "2024-06-15T16:00:00Z",
		}) do
			db:execute("UPDATE t SET d = ?", {text})
			eq(db:query("SELECT d FROM t")[1].d, want, text)
		end`},
	{"transaction", `
		db:execute("CREATE TABLE t (id INTEGER)")
		local tx = assert(db:begin())
		eq(tx:db_type(), "sqlite")
		assert(tx:execute("INSERT INTO t VALUES (1)"))
		eq(tx:savepoint("sp1"), true)
		assert(tx:execute("INSERT INTO t VALUES (2)"))
		eq(tx:rollback_to("sp1"), true)
		eq(tx:release("sp1"), true)
		fails("Invalid", "savepoint name can only contain alphanumeric characters and underscores", tx:savepoint("bad name"))
		fails("Invalid", "savepoint name can only contain alphanumeric characters and underscores", tx:release("a;b"))
		fails("Invalid", "savepoint name is required", tx:rollback_to(""))
		local ok, err = tx:commit()
		eq(ok, true) eq(err, nil)
		for _, f in ipairs({
			function() return tx:query("SELECT 1") end, function() return tx:commit() end, function() return tx:rollback() end,
			function() return tx:db_type() end, function() return tx:savepoint("") end, function() return tx:query() end,
			function() return tx:prepare("SELECT 1") end, function() return tx:execute("SELECT 1", "x") end,
		}) do fails("Invalid", "transaction is not active", f()) end
		eq(db:query("SELECT count(*) AS n FROM t")[1].n, 1)
		local tx = assert(db:begin({isolation = sql.isolation.SERIALIZABLE, read_only = true}))
		assert(tx:execute("DELETE FROM t"))
		eq(tx:rollback(), true)
		eq(db:query("SELECT count(*) AS n FROM t")[1].n, 1)
		fails("Invalid", "invalid isolation level: bogus", db:begin({isolation = "bogus"}))
		for _, o in ipairs({{isolation = 1, read_only = "yes"}, "x", 7}) do assert(assert(db:begin(o)):rollback()) end`},
	{"statement", `
		db:execute("CREATE TABLE t (id INTEGER)")
		local s = assert(db:prepare("INSERT INTO t VALUES (?)"))
		for i = 1, 3 do eq(assert(s:execute({i})).rows_affected, 1) end
		fails("Invalid", "parameters must be a table, got string", s:query("x"))
		local ok, err = s:close()
		eq(ok, true) eq(err, nil)
		fails("Invalid", "statement is closed", s:query({1}))
		fails("Invalid", "statement is closed", s:execute("x"))
		fails("Invalid", "statement is already closed", s:close())
		local s = assert(db:prepare("SELECT id FROM t WHERE id > ? ORDER BY id"))
		eq(#s:query({1}), 2) eq(s:query({2})[1].id, 3)
		fails("", nil, db:prepare("SELEC"))
		local tx = assert(db:begin())
		local ins = assert(tx:prepare("INSERT INTO t VALUES (?)"))
		assert(ins:execute({9}))
		assert(ins:close())
		local late = assert(tx:prepare("INSERT INTO t VALUES (?)"))
		assert(tx:commit())
		fails("Invalid", "transaction is not active", late:execute({10}))
		eq(late:close(), true)
		eq(#s:query({8}), 1)`},
	{"stats", `
		local s, err = db:stats()
		eq(err, nil) eq(s.max_open_connections, 1) eq(s.in_use, 0) eq(s.wait_duration, "0s")
		for _, name in ipairs({"open_connections", "idle", "wait_count", "max_idle_closed", "max_idle_time_closed", "max_lifetime_closed"}) do
			eq(type(s[name]), "number", name)
		end
		eq(pcall(function() s.idle = 1 end), false)
		eq(db:release(), true) eq(db:release(), true)
		assert(db:query("SELECT 1"))`},
	{"scripts", `
		assert(db:execute("CREATE TABLE t (a, b); CREATE TABLE u (c)"))
		assert(db:execute("INSERT INTO t VALUES (?, ?); INSERT INTO u VALUES (?)", {1, 2, 3, 4}))
		eq(db:query("SELECT a || b || c AS x FROM t, u")[1].x, "123")
		fails("", nil, db:execute("INSERT INTO t VALUES (?, ?)", {1}))`},
	{"coroutines", `
		local done = channel.new(0)
		coroutine.spawn(function()
			local rows, err = db:query("SELECT 42 AS n")
			done:send(rows and rows[1].n or err)
		end)
		eq(done:receive(), 42)
		local tx = assert(db:begin())
		coroutine.spawn(function() done:send(assert(db:query("SELECT 1 AS n"))[1].n) end)
		local first = channel.select({done:case_receive(), default = true})
		eq(first.default, true, "a query beside a transaction")
		assert(tx:commit())
		eq(done:receive(), 1)`},
}

func TestFacts(t *testing.T) {
	for _, fact := range facts {
		t.Run(fact.name, func(t *testing.T) { newSystem(t).check(t, fact.body) })
	}
}

func TestDeniedDatabaseIsNotAccessible(t *testing.T) {
	s := newSystem(t)
	s.allow = func(_ *engine.Process, action, resource string, _ map[string]any) bool {
		return action != "db.get" || resource != "app:other"
	}
	s.check(t, `fails("PermissionDenied", "not allowed to access database: app:other", sql.get("app:other"))`)
}

func TestStoppedDatabaseIsUnavailable(t *testing.T) {
	s := newSystem(t, entry("app:other", "db.sql.sqlite", map[string]any{"file": ":memory:"}))
	if err := s.services["app:other"].Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.check(t, `fails("Unavailable", "connection pool is closed", sql.get("app:other"))`)
}

func TestLargeIntegersAreTexts(t *testing.T) {
	newSystem(t).check(t, `
		db:execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
		local r = assert(db:execute("INSERT INTO t VALUES (9007199254740993, ?)", {"9223372036854775807"}))
		eq(r.last_insert_id, "9007199254740993")
		local row = db:query("SELECT id, n, typeof(n) AS t, 9007199254740992 AS exact FROM t")[1]
		eq(row.id, "9007199254740993") eq(row.n, "9223372036854775807") eq(row.t, "integer") eq(row.exact, 2^53)`)
}
