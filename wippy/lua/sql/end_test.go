// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"fmt"
	"testing"

	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
	"github.com/wippyrun/kit/wippy/system/processes"
)

// endings are programs that leave something open.
var endings = map[string]string{
	"return":    `assert(tx:execute("INSERT INTO t VALUES (1)"))`,
	"error":     `assert(tx:execute("INSERT INTO t VALUES (1)")) error("broken")`,
	"statement": `local s = assert(tx:prepare("INSERT INTO t VALUES (1)")) assert(s:execute()) assert(db:query("SELECT 1"))`,
	"coroutine": `coroutine.spawn(function() tx:execute("INSERT INTO t VALUES (1)") end)`,
	"waiting":   `coroutine.spawn(function() db:begin() end) coroutine.spawn(function() db:prepare("SELECT 1") end)`,
}

func TestNothingOutlivesTheProgram(t *testing.T) {
	for _, e := range append(servers(t), entry("app:lite", sql.KindSQLite, map[string]any{"file": t.TempDir() + "/a.db"})) {
		t.Run(dialect(e), func(t *testing.T) {
			s := newSystem(t, e)
			id := e.ID.String()
			s.check(t, `local db = assert(sql.get(...))
				assert(db:execute("DROP TABLE IF EXISTS t"))
				assert(db:execute("CREATE TABLE t (id INTEGER)"))`, id)
			for name, body := range endings {
				if name == "statement" && dialect(e) == "sqlite" {
					body = `local s = assert(tx:prepare("INSERT INTO t VALUES (1)")) assert(s:execute())`
				}
				_, err := s.Run(prelude+`local db = assert(sql.get(...)) local tx = assert(db:begin()) `+body, id)
				if (err != nil) != (name == "error") {
					t.Errorf("%s: %v", name, err)
				}
			}
			if got := s.value(t, id, "SELECT COUNT(*) FROM t"); got != "0" {
				t.Errorf("%s rows are left", got)
			}
			d, _ := s.Get(id)
			until(t, "connections are returned", func() bool { return d.Stats().InUse == 0 })
		})
	}
}

// A function that is called, and then cancelled with its caller, is one whose statement ends on the server.
func TestTerminatedProgramCancelsItsStatement(t *testing.T) {
	sleep := map[string]string{"postgres": "SELECT pg_sleep(60)", "mysql": "SELECT SLEEP(60)"}
	active := map[string]string{
		"postgres": "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' AND query NOT LIKE '%pg_stat_activity%'",
		"mysql":    "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(60)' ",
	}
	for _, e := range servers(t) {
		t.Run(dialect(e), func(t *testing.T) {
			s := newSystem(t, e)
			id, kind := e.ID.String(), dialect(e)
			for name, body := range map[string]string{
				"query":       `assert(sql.get(%q)):query(%q)`,
				"execute":     `assert(sql.get(%q)):execute(%q)`,
				"transaction": `assert(assert(sql.get(%q)):begin()):query(%q)`,
				"statement":   `local db = assert(sql.get(%q)) assert(db:prepare(%q)):query()`,
			} {
				s.Define("app:sleeper", "return { main = function() "+prelude+fmt.Sprintf(body, id, sleep[kind])+" end }")
				pid, err := s.Processes.Start(t.Context(), processes.Spawn{Host: luatest.Host, Source: "app:sleeper"})
				if err != nil {
					t.Fatal(err)
				}
				until(t, name+" runs", func() bool { return s.value(t, id, active[kind]) == "1" })
				if err := s.Processes.Terminate(pid); err != nil {
					t.Fatal(err)
				}
				until(t, name+" ends", func() bool { return s.value(t, id, active[kind]) == "0" })
			}
			d, _ := s.Get(id)
			until(t, "connections are returned", func() bool { return d.Stats().InUse == 0 })
		})
	}
}

func TestTransactionKeepsTheOrderOfCalls(t *testing.T) {
	for _, e := range append(servers(t), entry("app:lite", sql.KindSQLite, map[string]any{"file": ":memory:"})) {
		t.Run(dialect(e), func(t *testing.T) {
			s := newSystem(t, e)
			s.check(t, `local db = assert(sql.get(...))
				assert(db:execute("DROP TABLE IF EXISTS t"))
				assert(db:execute("CREATE TABLE t (id INTEGER, of INTEGER)"))
				local tx, done = assert(db:begin()), channel.new(0)
				for i = 1, 50 do
					coroutine.spawn(function()
						local r, err = tx:execute("INSERT INTO t SELECT COUNT(*) + 1, " .. i .. " FROM t")
						done:send(err and tostring(err) or "ok")
					end)
				end
				for i = 1, 50 do eq(done:receive(), "ok") end
				assert(tx:commit())
				for _, row in ipairs(assert(db:query("SELECT id, of FROM t"))) do eq(row.id, row.of) end`, e.ID.String())
		})
	}
}

func TestServerTypesArrive(t *testing.T) {
	if server := sqltest.Postgres(t); server != nil {
		s := newSystem(t, entry("app:postgres", server.Kind, server.Data(nil)))
		s.check(t, `local db = assert(sql.get("app:postgres"))
			eq(db:type(), "postgres")
			local row = assert(db:query([[SELECT 1::int2 AS i, 9007199254740993::bigint AS big, 1.5::float8 AS f, 1.25::numeric AS n, true AS b,
				'x'::text AS t, '\x00ff'::bytea AS y, null AS z, '2024-06-15 14:30:45.9+02'::timestamptz AS ts, '2024-06-15'::date AS d,
				'{"a": [1]}'::jsonb AS j, 'f47ac10b-58cc-4372-a567-0e02b2c3d479'::uuid AS u, '{1,2}'::int[] AS l, '14:30'::time AS c,
				'infinity'::timestamp AS e, 0.1::float4 AS r]]))[1]
			eq(row.i, 1) eq(row.big, "9007199254740993") eq(row.f, 1.5) eq(row.n, "1.25") eq(row.b, true) eq(row.t, "x") eq(row.y, "\0\255")
			eq(row.z, nil) eq(row.ts, "2024-06-15T12:30:45Z") eq(row.d, "2024-06-15T00:00:00Z") eq(row.j, '{"a": [1]}')
			eq(row.u, "f47ac10b-58cc-4372-a567-0e02b2c3d479") eq(row.l, "{1,2}") eq(row.c, "14:30:00") eq(row.e, "infinity")
			assert(math.abs(row.r - 0.1) < 1e-6)
			assert(db:execute("DROP TABLE IF EXISTS v"))
			assert(db:execute("CREATE TABLE v (i INT, f FLOAT8, n NUMERIC, b BOOL, t TEXT, y BYTEA, j JSONB, ts TIMESTAMPTZ)"))
			local r = assert(db:execute("INSERT INTO v VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
				{7, 7, 2.5, true, 42, sql.as.binary("\0\255"), '{"k":1}', "2024-06-15T14:30:45Z"}))
			eq(r.last_insert_id, 0) eq(r.rows_affected, 1)
			local row = assert(db:query("SELECT *, y = $1 AS same FROM v WHERE t = $2 AND i = $3", {sql.as.binary("\0\255"), "42", 7}))[1]
			eq(row.f, 7) eq(row.n, "2.5") eq(row.b, true) eq(row.j, '{"k": 1}') eq(row.same, true) eq(row.ts, "2024-06-15T14:30:45Z")
			fails("", nil, db:execute("INSERT INTO v (i) VALUES ($1)", {1.5}))
			fails("", nil, db:execute("SELECT $1::int", {}))
			fails("", nil, db:begin({isolation = "write_committed"}))
			local tx = assert(db:begin({read_only = true}))
			fails("", nil, tx:execute("DELETE FROM v"))
			fails("", nil, tx:query("SELECT 1"))
			local ok, err = tx:commit()
			eq(ok, nil) assert(err)
			fails("Invalid", "transaction is not active", tx:query("SELECT 1"))
			local b = sql.builder
			local q = assert(b.select("t"):from("v"):where({i = 7}):where(b.or_({{t = "42"}, b.expr("f = ?", 1)})):run_with(db))
			eq((q:to_sql()), "SELECT t FROM v WHERE i = $1 AND (t = $2 OR f = $3)")
			eq(assert(q:query())[1].t, "42")`)
	}
	if server := sqltest.MariaDB(t); server != nil {
		times := server.Data(map[string]any{"options": map[string]any{"parseTime": true}})
		s := newSystem(t, entry("app:mariadb", server.Kind, server.Data(nil)), entry("app:times", server.Kind, times))
		s.check(t, `local db = assert(sql.get("app:mariadb"))
			eq(db:type(), "mysql")
			local text = [[SELECT 1 AS i, 9007199254740993 AS big, 18446744073709551615 AS u, 1.5e0 AS f, 1.25 AS n, TRUE AS b, 'x' AS t, X'00ff' AS y,
				NULL AS z, CAST('2024-06-15 14:30:45' AS DATETIME) AS d]]
			for _, row in ipairs({assert(db:query(text))[1], assert(db:query(text .. ", ? AS p", {7}))[1]}) do
				eq(row.i, 1) eq(row.big, "9007199254740993") eq(row.u, "18446744073709551615") eq(row.f, 1.5) eq(row.n, "1.25") eq(row.b, 1)
				eq(row.t, "x") eq(row.y, "\0\255") eq(row.z, nil) eq(row.d, "2024-06-15 14:30:45")
			end
			eq(assert(assert(sql.get("app:times")):query(text))[1].d, "2024-06-15T14:30:45Z")
			assert(db:execute("DROP TABLE IF EXISTS v"))
			assert(db:execute("CREATE TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT, y BLOB, j JSON)"))
			local r = assert(db:execute("INSERT INTO v (t, y, j) VALUES (?, ?, ?)", {42, sql.as.binary("\0\255"), '{"k":1}'}))
			eq(r.last_insert_id, 1)
			local row = assert(db:query("SELECT * FROM v WHERE id = ? AND t = ?", {1, "42"}))[1]
			eq(row.y, "\0\255") eq(row.j, '{"k":1}')
			fails("", nil, db:query("SELECT ?", {}))
			fails("", nil, db:query("SELEC"))`)
	}
}

func TestProgramSeesAnOutageAsRetryable(t *testing.T) {
	for _, server := range []*sqltest.Server{sqltest.Postgres(t), sqltest.MariaDB(t)} {
		if server == nil {
			continue
		}
		t.Run(server.Kind, func(t *testing.T) {
			s := newSystem(t, entry("app:remote", server.Kind, server.Data(nil)))
			defer server.Restart(t)
			s.check(t, `local db = assert(sql.get("app:remote")) assert(db:query("SELECT 1"))`)
			server.Kill()
			s.check(t, `
				local db = assert(sql.get("app:remote"))
				for _, f in ipairs({
					function() return db:query("SELECT 1") end, function() return db:execute("SELECT 1") end,
					function() return db:begin() end, function() return db:prepare("SELECT 1") end,
				}) do
					for _ = 1, 3 do
						local err = fails("Unavailable", nil, f())
						eq(err:retryable(), true)
						assert(#err:message() > 0)
					end
				end`)
			server.Restart(t)
			s.check(t, `local db = assert(sql.get("app:remote")) assert(db:query("SELECT 1"))`)
		})
	}
}
