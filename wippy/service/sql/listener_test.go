// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestUpdateSwapsThePool(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) map[string]any { return map[string]any{"file": filepath.Join(dir, name)} }
	s := newSystem(t)
	old := entry("app:db", sql.KindSQLite, file("a.db"))
	d := s.open(t, old)
	exec(t, d, "CREATE TABLE t (id INTEGER)")
	tx, err := d.Begin(t.Context(), sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	statement, err := tx.Prepare(t.Context(), "INSERT INTO t VALUES (?)")
	if err != nil {
		t.Fatal(err)
	}
	next := entry("app:db", sql.KindSQLite, file("b.db"))
	if err := s.Update(t.Context(), old, next); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (1)", nil); err != nil {
		t.Errorf("before it is certain: %v", err)
	}
	s.Committed(t.Context())
	if s.database(t, "app:db") != d {
		t.Error("the resource is another one")
	}
	exec(t, d, "CREATE TABLE t (id INTEGER)") // it is not there in the new file
	if _, err := statement.Exec(t.Context(), []any{int64(2)}); err != nil {
		t.Errorf("statement on the old pool: %v", err)
	}
	if err := statement.Close(); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Errorf("transaction on the old pool: %v", err)
	}
	expect(t, d, "0", "SELECT COUNT(*) FROM t")
	if err := s.Update(t.Context(), next, old); err != nil {
		t.Fatal(err)
	}
	s.Committed(t.Context())
	expect(t, d, "2", "SELECT COUNT(*) FROM t")
	if err := s.Update(t.Context(), old, entry("app:db", sql.KindSQLite, file("no/such/directory"))); err == nil {
		t.Error("a file that cannot be opened was accepted")
	}
	expect(t, d, "2", "SELECT COUNT(*) FROM t")
}

func TestPoolLimitsChangeLive(t *testing.T) {
	server := sqltest.Postgres(t)
	if server == nil {
		return
	}
	s := newSystem(t)
	pool := func(open, idle int) map[string]any {
		return server.Data(map[string]any{"pool": map[string]any{"max_open": open, "max_idle": idle}})
	}
	old, next := entry("app:db", server.Kind, pool(1, 0)), entry("app:db", server.Kind, pool(2, 1))
	d := s.open(t, old)
	expect(t, d, "1", "SELECT 1")
	if stats := d.Stats(); stats.MaxOpenConnections != 1 || stats.Idle != 0 {
		t.Errorf("%+v", stats)
	}
	first, err := d.Begin(t.Context(), sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), old, next); err != nil {
		t.Fatal(err)
	}
	s.Committed(t.Context())
	expect(t, d, "1", "SELECT 1") // a second connection
	if _, err := first.Exec(t.Context(), "SELECT 1", nil); err != nil {
		t.Errorf("what runs was disturbed: %v", err)
	}
	first.Close()
	if stats := d.Stats(); stats.MaxOpenConnections != 2 || stats.Idle != 1 || stats.InUse != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestDiscardedChangeLeavesTheDatabase(t *testing.T) {
	dir := t.TempDir()
	s := newSystem(t)
	e := entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"})
	d := s.open(t, e)
	exec(t, d, "CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)")
	other := entry("app:db", sql.KindSQLite, map[string]any{"file": filepath.Join(dir, "b.db")})

	// An update that is undone.
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	must(s.Update(t.Context(), e, other), s.Update(t.Context(), other, e), s.Discard(t.Context()))
	expect(t, d, "1", "SELECT COUNT(*) FROM t")
	// A removal that is undone.
	must(s.Delete(t.Context(), e))
	if _, err := s.Get("app:db"); !errors.Is(err, sql.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
	must(s.Create(t.Context(), e), s.Discard(t.Context()))
	expect(t, s.database(t, "app:db"), "1", "SELECT COUNT(*) FROM t")
	// A creation that is undone.
	third := entry("app:new", sql.KindSQLite, map[string]any{"file": ":memory:"})
	must(s.Create(t.Context(), third))
	fresh := s.database(t, "app:new")
	must(s.Delete(t.Context(), third), s.Discard(t.Context()))
	if _, err := value(t.Context(), fresh, "SELECT 1"); !errors.Is(err, sql.ErrClosed) {
		t.Errorf("query on what was never there: %v", err)
	}
	// Clashes.
	if err := s.Create(t.Context(), e); fault.KindOf(err) != fault.AlreadyExists {
		t.Errorf("created twice: %v", err)
	}
	if err := s.Delete(t.Context(), third); fault.KindOf(err) != fault.NotFound {
		t.Errorf("deleted twice: %v", err)
	}
	if err := s.Update(t.Context(), third, third); fault.KindOf(err) != fault.NotFound {
		t.Errorf("updated what is not there: %v", err)
	}
	// A removal that is certain.
	must(s.Delete(t.Context(), e))
	s.Committed(t.Context())
	if _, err := value(t.Context(), d, "SELECT 1"); !errors.Is(err, sql.ErrClosed) {
		t.Errorf("query on what is gone: %v", err)
	}
	if stats := d.Stats(); stats.OpenConnections != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestMemoryDatabaseOutlivesItsService(t *testing.T) {
	s := newSystem(t)
	e := entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:", "pool": map[string]any{"max_lifetime": "1ns"}})
	d := s.open(t, e)
	exec(t, d, "CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)")
	service := s.services["app:db"]
	for range 2 {
		if err := service.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := value(t.Context(), d, "SELECT 1"); !errors.Is(err, sql.ErrClosed) {
			t.Errorf("query while it is down: %v", err)
		}
		if _, err := service.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, d, "1", "SELECT COUNT(*) FROM t")
	}
	if err := s.Update(t.Context(), e, entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"})); err != nil {
		t.Fatal(err)
	}
	s.Committed(t.Context())
	expect(t, d, "1", "SELECT COUNT(*) FROM t")
	// Down when it moves to a file.
	if err := service.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), e, entry("app:db", sql.KindSQLite, map[string]any{"file": filepath.Join(t.TempDir(), "a.db")})); err != nil {
		t.Fatal(err)
	}
	s.Committed(t.Context())
	if _, err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, d, "0", "SELECT COUNT(*) FROM sqlite_schema")
}

func TestStopWaitsForHandles(t *testing.T) {
	s := newSystem(t)
	d := s.open(t, entry("app:db", sql.KindSQLite, map[string]any{"file": filepath.Join(t.TempDir(), "a.db")}))
	release, err := d.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	service, stopped := s.services["app:db"], make(chan error, 1)
	go func() { stopped <- service.Stop(t.Context()) }()
	for {
		again, err := d.Acquire()
		if errors.Is(err, sql.ErrClosed) {
			break
		}
		again()
	}
	expect(t, d, "1", "SELECT 1") // who has a handle goes on
	select {
	case err := <-stopped:
		t.Fatalf("stopped under a handle: %v", err)
	default:
	}
	release()
	release()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A handle and a transaction that nobody ends do not hold a stop up for longer than its time.
	if _, err := d.Acquire(); err != nil {
		t.Fatal(err)
	}
	tx, err := d.Begin(t.Context(), sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := service.Stop(ctx); err != nil {
		t.Error(err)
	}
	if _, err := value(t.Context(), tx, "SELECT 1"); err == nil {
		t.Error("the transaction goes on")
	}
	tx.Close()
}
