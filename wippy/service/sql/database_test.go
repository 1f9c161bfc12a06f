// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestStatementsOnEveryKind(t *testing.T) {
	each(t, func(t *testing.T, _ *system, d *sql.Database, mark string) {
		exec(t, d, "DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n DOUBLE PRECISION, ok BOOLEAN)")
		r, err := d.Exec(t.Context(), "INSERT INTO t (id, name, n, ok) VALUES (1, 'a', 1.5, true), (2, 'b', 2, false)", nil)
		if err != nil || r.RowsAffected != 2 {
			t.Fatalf("insert: %+v, %v", r, err)
		}
		expect(t, d, "b", "SELECT name FROM t WHERE id = "+mark, int64(2))
		expect(t, d, "a", "SELECT name FROM t WHERE n < "+mark, 1.75)
		expect(t, d, "1", "SELECT COUNT(*) FROM t WHERE ok = "+mark, true)
		// A number is good for a text, too: the statement says what it means.
		if _, err := d.Exec(t.Context(), "UPDATE t SET name = "+mark, []any{int64(7)}); err != nil {
			t.Error(err)
		}
		expect(t, d, "2", "SELECT COUNT(*) FROM t WHERE name = "+mark, "7")

		s, err := d.Prepare(t.Context(), "SELECT id FROM t WHERE id = "+mark)
		if err != nil {
			t.Fatal(err)
		}
		prepared := queryFunc(func(ctx context.Context, _ string, args []any, visit sql.Visit) error {
			return s.Query(ctx, args, visit)
		})
		expect(t, prepared, "2", "prepared", int64(2))
		expect(t, prepared, "1", "prepared", int64(1))
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Query(t.Context(), []any{int64(1)}, nil); !errors.Is(err, sql.ErrStatementClosed) {
			t.Errorf("closed statement: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("second close: %v", err)
		}
		if _, err := d.Prepare(t.Context(), "SELEC"); err == nil {
			t.Error("a statement of nonsense was prepared")
		}
		if stats := d.Stats(); stats.InUse != 0 {
			t.Errorf("%d connections are still in use", stats.InUse)
		}
	})
}

// queryFunc is a querier.
type queryFunc func(ctx context.Context, text string, args []any, visit sql.Visit) error

func (f queryFunc) Query(ctx context.Context, text string, args []any, visit sql.Visit) error {
	return f(ctx, text, args, visit)
}

func TestTransactionsOnEveryKind(t *testing.T) {
	each(t, func(t *testing.T, _ *system, d *sql.Database, mark string) {
		exec(t, d, "DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER)")
		begin := func(o sql.TxOptions) *sql.Tx {
			t.Helper()
			tx, err := d.Begin(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			return tx
		}
		tx := begin(sql.TxOptions{Isolation: "serializable"})
		exec(t, tx, "INSERT INTO t VALUES (1)", "SAVEPOINT sp", "INSERT INTO t VALUES (2)", "ROLLBACK TO SAVEPOINT sp", "RELEASE SAVEPOINT sp")
		expect(t, tx, "1", "SELECT COUNT(*) FROM t")
		s, err := tx.Prepare(t.Context(), "INSERT INTO t VALUES ("+mark+")")
		if err != nil {
			t.Fatal(err)
		}
		if r, err := s.Exec(t.Context(), []any{int64(3)}); err != nil || r.RowsAffected != 1 {
			t.Errorf("prepared insert: %+v, %v", r, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if tx.Active() {
			t.Error("active after commit")
		}
		for _, err := range []error{tx.Commit(t.Context()), tx.Rollback(t.Context()), tx.Query(t.Context(), "SELECT 1", nil, nil)} {
			if !errors.Is(err, sql.ErrInactive) {
				t.Errorf("after commit: %v", err)
			}
		}
		tx = begin(sql.TxOptions{})
		exec(t, tx, "INSERT INTO t VALUES (4)")
		if err := tx.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
		tx = begin(sql.TxOptions{})
		exec(t, tx, "INSERT INTO t VALUES (5)")
		tx.Close()
		tx.Close()
		expect(t, d, "2", "SELECT COUNT(*) FROM t")
		if _, err := d.Begin(t.Context(), sql.TxOptions{Isolation: "bogus"}); fault.KindOf(err) != fault.Invalid || err.Error() != "invalid isolation level: bogus" {
			t.Errorf("bogus level: %v", err)
		}
		tx, err = d.Begin(t.Context(), sql.TxOptions{Isolation: "write_committed"})
		if d.Type() == sql.SQLite {
			if err != nil {
				t.Fatalf("SQLite ignores levels, but: %v", err)
			}
			tx.Close()
		} else if err == nil || fault.KindOf(err) != fault.Unknown {
			t.Errorf("unsupported level: %v (%s)", err, fault.KindOf(err))
		}
	})
}

func TestReadOnlyTransactionDoesNotWrite(t *testing.T) {
	each(t, func(t *testing.T, _ *system, d *sql.Database, _ string) {
		if d.Type() == sql.SQLite {
			return // it knows no such thing
		}
		exec(t, d, "DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER)")
		tx, err := d.Begin(t.Context(), sql.TxOptions{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Close()
		if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (1)", nil); err == nil {
			t.Error("a read-only transaction wrote")
		}
	})
}

func TestCancelledQueryEndsOnTheServer(t *testing.T) {
	for _, c := range []struct {
		server                *sqltest.Server
		slow, prepared, watch string
	}{
		{sqltest.Postgres(t), "SELECT pg_sleep(60)", "SELECT pg_sleep($1)",
			"SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"},
		{sqltest.MariaDB(t), "SELECT SLEEP(60)", "SELECT SLEEP(?)",
			"SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"},
	} {
		if c.server == nil {
			continue
		}
		t.Run(c.server.Kind, func(t *testing.T) {
			s := newSystem(t)
			d := s.open(t, entry("app:db", c.server.Kind, c.server.Data(nil)))
			statement, err := d.Prepare(t.Context(), c.prepared)
			if err != nil {
				t.Fatal(err)
			}
			defer statement.Close()
			tx, err := d.Begin(t.Context(), sql.TxOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Close()
			nothing := func(ctx context.Context, text string) error { _, err := value(ctx, d, text); return err }
			for name, run := range map[string]func(ctx context.Context) error{
				"query":       func(ctx context.Context) error { return nothing(ctx, c.slow) },
				"exec":        func(ctx context.Context) error { _, err := d.Exec(ctx, c.slow, nil); return err },
				"transaction": func(ctx context.Context) error { _, err := value(ctx, tx, c.slow); return err },
				"prepared": func(ctx context.Context) error {
					_, err := statement.Exec(ctx, []any{int64(60)})
					return err
				},
			} {
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- run(ctx) }()
				await(t, d, "1", c.watch)
				cancel()
				if err := <-done; fault.KindOf(err) != fault.Canceled {
					t.Errorf("%s: %v (%s)", name, err, fault.KindOf(err))
				}
				await(t, d, "0", c.watch)
			}
		})
	}
}

// await asks until the answer is the one wanted.
func await(t testing.TB, q querier, want, text string) {
	t.Helper()
	until(t, want+" from "+text, func() bool {
		got, err := value(t.Context(), q, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return got == want
	})
}

func TestCancelledSQLiteQueryIsInterrupted(t *testing.T) {
	s := newSystem(t)
	d := s.open(t, entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"}))
	exec(t, d, "CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)")
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := value(ctx, d, endless); fault.KindOf(err) != fault.Timeout {
		t.Errorf("endless query: %v (%s)", err, fault.KindOf(err))
	}
	tx, err := d.Begin(t.Context(), sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	waiting, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := value(waiting, d, "SELECT 1"); fault.KindOf(err) != fault.Timeout {
		t.Errorf("query beside a transaction: %v", err)
	}
	tx.Close()
	expect(t, d, "1", "SELECT COUNT(*) FROM t") // the connection, and what is in it, is still there
}

func TestScriptsShareTheirParameters(t *testing.T) {
	s := newSystem(t)
	d := s.open(t, entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"}))
	exec(t, d, "CREATE TABLE t (a, b); CREATE TABLE u (a)")
	script := `INSERT INTO t VALUES (?, 'a;?'); -- one ; here ?
		INSERT INTO t ("a", [b]) VALUES (?, :x || :x) /* ; ? */;
		INSERT INTO u VALUES (?1);;`
	r, err := d.Exec(t.Context(), script, []any{int64(1), int64(2), "y", int64(4), "too much"})
	if err != nil || r.RowsAffected != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	expect(t, d, "1a;?2yy", "SELECT group_concat(a || b, '') FROM t")
	expect(t, d, "4", "SELECT a FROM u")
	if _, err := d.Exec(t.Context(), "DELETE FROM t; INSERT INTO u VALUES (?), (?)", []any{int64(1)}); err == nil {
		t.Error("too few parameters were taken")
	}
	tx, err := d.Begin(t.Context(), sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "INSERT INTO u VALUES (?); INSERT INTO u VALUES (?)", []any{int64(5), int64(6)}); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	expect(t, d, "4,5,6", "SELECT group_concat(a) FROM u")
}

func TestNamedParametersTakeValuesInOrder(t *testing.T) {
	s := newSystem(t)
	d := s.open(t, entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"}))
	expect(t, d, "a|b|a|:x|c", "SELECT :x || '|' || @y || '|' || :x || '|:x|' || ?", "a", "b", "c")
	expect(t, d, "ab", "SELECT $1 || $2", "a", "b")
	expect(t, d, "ab", "SELECT :1 || :2", "a", "b")
	statement, err := d.Prepare(t.Context(), "SELECT @p1 || @p2")
	if err != nil {
		t.Fatal(err)
	}
	defer statement.Close()
	expect(t, queryFunc(func(ctx context.Context, _ string, args []any, visit sql.Visit) error {
		return statement.Query(ctx, args, visit)
	}), "ab", "prepared", "a", "b")
}

func TestVectorsAreThere(t *testing.T) {
	s := newSystem(t)
	d := s.open(t, entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"}))
	exec(t, d, "CREATE VIRTUAL TABLE v USING vec0(e float[2])", "INSERT INTO v(rowid, e) VALUES (1, '[1, 0]'), (2, '[0, 1]')")
	expect(t, d, "2", "SELECT rowid FROM v WHERE e MATCH '[0, 0.9]' ORDER BY distance LIMIT 1")
}

func TestFileDatabaseIsWALAndKept(t *testing.T) {
	dir := t.TempDir()
	s := newSystem(t)
	e := entry("app:db", sql.KindSQLite, map[string]any{"file": filepath.Join(dir, "a.db"), "options": map[string]any{"x": "y"}})
	d := s.open(t, e)
	expect(t, d, "wal", "PRAGMA journal_mode")
	if s.warnings != nil {
		t.Errorf("warnings %v", s.warnings)
	}
	exec(t, d, "CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)")
	service := s.services["app:db"]
	if err := service.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Acquire(); !errors.Is(err, sql.ErrClosed) {
		t.Errorf("handle of a stopped database: %v", err)
	}
	if _, err := value(t.Context(), d, "SELECT 1"); !errors.Is(err, sql.ErrClosed) {
		t.Errorf("query on a stopped database: %v", err)
	}
	if _, err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, d, "1", "SELECT COUNT(*) FROM t")
	if err := newSystem(t).Create(t.Context(), entry("app:x", sql.KindSQLite, map[string]any{"file": filepath.Join(dir, "no", "a.db")})); err == nil ||
		!strings.Contains(err.Error(), "cannot open database") {
		t.Errorf("file in a directory that is not there: %v", err)
	}
}

// The database itself says that nothing of it can be reached, so the boot does.
func TestUnreachableServerIsUnavailable(t *testing.T) {
	for _, kind := range []string{sql.KindPostgres, sql.KindMySQL} {
		s := newSystem(t)
		d := s.open(t, entry("app:db", kind, map[string]any{"host": "127.0.0.1", "port": 1, "database": "d", "username": "u", "password": "p"}))
		_, err := s.services["app:db"].Start(t.Context())
		if retry, _ := fault.RetryableOf(err); fault.KindOf(err) != fault.Unavailable || !retry || !strings.HasPrefix(err.Error(), "failed to ping database") {
			t.Errorf("%s: start: %v (%s)", kind, err, fault.KindOf(err))
		}
		_, err = value(t.Context(), d, "SELECT 1")
		if retry, _ := fault.RetryableOf(err); fault.KindOf(err) != fault.Unavailable || !retry {
			t.Errorf("%s: query: %v (%s)", kind, err, fault.KindOf(err))
		}
		if _, err := d.Begin(t.Context(), sql.TxOptions{}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: begin: %v (%s)", kind, err, fault.KindOf(err))
		}
	}
}
