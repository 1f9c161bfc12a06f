// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
	"github.com/wippyrun/kit/wippy/system/functions"
)

func TestMain(m *testing.M) { sqltest.Main(m) }

const index = `version: "1.0"
namespace: app
entries:
  - {name: lite, kind: db.sql.sqlite, file: ":memory:"}
  - {name: run, kind: function.lua, source: "file://run.lua", method: main, modules: [sql]}
`

const remote = `  - {name: remote, kind: db.sql.postgres, host: %s, port: %d, username: %s, password: '%s', database: %s, pool: {max_open: 4, max_idle: 4}}
`

const program = `
local sql = require("sql")
local M = {}
function M.prepare(db)
	assert(db:execute("DROP TABLE IF EXISTS t"))
	assert(db:execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"))
	local mark = db:type() == "postgres" and "($1, $2)" or "(?, ?)"
	for i = 1, 100 do assert(db:execute("INSERT INTO t VALUES " .. mark, {i, "name " .. i})) end
end
function M.one(db, n, where)
	for i = 1, n do assert(#db:query("SELECT name FROM t WHERE id = " .. where, {i % 100 + 1}) == 1) end
end
function M.rows(db, n)
	for i = 1, n do assert(#db:query("SELECT id, name FROM t") == 100) end
end
function M.built(db, n)
	local b = sql.builder
	for i = 1, n do
		assert(#b.select("name"):from("t"):where({id = i % 100 + 1}):run_with(db):query() == 1)
	end
end
function M.transaction(db, n, where)
	for i = 1, n do
		local tx = assert(db:begin())
		assert(tx:execute("UPDATE t SET name = name WHERE id = " .. where, {i % 100 + 1}))
		assert(tx:commit())
	end
end
return {main = function(id, what, n)
	local db = assert(sql.get(id))
	M[what](db, n, db:type() == "postgres" and "$1" or "?")
end}
`

// ours starts an application. The function returned calls its function, which runs n statements.
func ours(b *testing.B, server *sqltest.Server) func(id, what string, n int) {
	b.Helper()
	dir, text := b.TempDir(), index
	if server != nil {
		text += fmt.Sprintf(remote, server.Host, server.Port, server.User, strings.ReplaceAll(server.Password, "'", "''"), server.Database)
	}
	for name, text := range map[string]string{"_index.yaml": text, "run.lua": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	rt, err := boot.New(boot.Options{Dir: dir, Silent: true, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(rt.Shutdown)
	if err := rt.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	registry := boot.KeyFunctions.MustGet(appctx.From(rt.Context()))
	return func(id, what string, n int) {
		b.Helper()
		_, err := registry.Call(b.Context(), functions.Task{ID: "app:run", Input: []payload.Payload{
			payload.New(id), payload.New(what), payload.New(float64(n)),
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// bare does the same in Go. Contexts can be cancelled, as those of ours can.
func bare(b *testing.B, db *stdsql.DB, mark, what string, n int) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	query := func(text string, want int, args ...any) {
		rows, err := db.QueryContext(ctx, text, args...)
		if err != nil {
			b.Fatal(err)
		}
		defer rows.Close()
		var out []map[string]any
		columns, err := rows.Columns()
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			values, to := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				to[i] = &values[i]
			}
			if err := rows.Scan(to...); err != nil {
				b.Fatal(err)
			}
			row := make(map[string]any, len(columns))
			for i, name := range columns {
				row[name] = values[i]
			}
			out = append(out, row)
		}
		if err := rows.Err(); err != nil || len(out) != want {
			b.Fatal(len(out), err)
		}
	}
	for i := range n {
		switch what {
		case "rows":
			query("SELECT id, name FROM t", 100)
		case "transaction":
			tx, err := db.BeginTx(ctx, nil)
			if err == nil {
				_, err = tx.ExecContext(ctx, "UPDATE t SET name = name WHERE id = "+mark, int64(i%100+1))
			}
			if err == nil {
				err = tx.Commit()
			}
			if err != nil {
				b.Fatal(err)
			}
		default:
			query("SELECT name FROM t WHERE id = "+mark, 1, int64(i%100+1))
		}
	}
}

func fill(b *testing.B, db *stdsql.DB) {
	b.Helper()
	for _, text := range []string{"DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"} {
		if _, err := db.ExecContext(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 100 {
		if _, err := db.ExecContext(b.Context(), fmt.Sprintf("INSERT INTO t VALUES (%d, 'name %d')", i+1, i+1)); err != nil {
			b.Fatal(err)
		}
	}
}

// cases are what is run how many times in a batch. Of built, the peer has no builder: the text is there.
var cases = []struct {
	name, what string
	n          int
}{{"Row", "one", 200}, {"Rows100", "rows", 20}, {"Built", "built", 200}, {"Transaction", "transaction", 50}}

// BenchmarkSQLite is the time per statement, or transaction, on a database in memory.
func BenchmarkSQLite(b *testing.B) {
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				run := ours(b, nil)
				run("app:lite", "prepare", 0)
				measure.Items(b, c.n, func() { run("app:lite", c.what, c.n) })
			})
			b.Run("database-sql", func(b *testing.B) {
				db, err := stdsql.Open("sqlite", ":memory:")
				if err != nil {
					b.Fatal(err)
				}
				defer db.Close()
				db.SetMaxOpenConns(1)
				fill(b, db)
				measure.Items(b, c.n, func() { bare(b, db, "?", c.what, c.n) })
			})
		})
	}
}

// BenchmarkPostgres is the same on a server, over connections that are kept.
func BenchmarkPostgres(b *testing.B) {
	server := sqltest.Postgres(b)
	if server == nil {
		return
	}
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	dsn := fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", server.Host, server.Port, server.User, quote.Replace(server.Password), server.Database)
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				run := ours(b, server)
				run("app:remote", "prepare", 0)
				measure.Items(b, c.n, func() { run("app:remote", c.what, c.n) })
			})
			b.Run("database-sql", func(b *testing.B) {
				db, err := stdsql.Open("pgx", dsn)
				if err != nil {
					b.Fatal(err)
				}
				defer db.Close()
				fill(b, db)
				measure.Items(b, c.n, func() { bare(b, db, "$1", c.what, c.n) })
			})
		})
	}
}
