// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// occupied is a SQLite database in a.db whose only connection a transaction has.
func occupied(t *testing.T, s *system) (d *sql.Database, tx *sql.Tx, e, next registry.Entry) {
	t.Helper()
	dir := t.TempDir()
	e = entry("app:db", sql.KindSQLite, map[string]any{"file": filepath.Join(dir, "a.db")})
	next = entry("app:db", sql.KindSQLite, map[string]any{"file": filepath.Join(dir, "b.db")})
	d = s.open(t, e)
	exec(t, d, "CREATE TABLE t (id INTEGER)")
	tx, err := d.Begin(t.Context(), sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tx.Close)
	return d, tx, e, next
}

// waiting starts f and returns when one more waits for a connection of d.
func waiting(t *testing.T, d *sql.Database, f func() error) <-chan error {
	t.Helper()
	before, done := d.Stats().WaitCount, make(chan error, 1)
	go func() { done <- f() }()
	until(t, "nobody waits", func() bool { return d.Stats().WaitCount == before+1 })
	return done
}

func TestWaitersMoveToTheNewPool(t *testing.T) {
	s := newSystem(t)
	d, tx, e, next := occupied(t, s)
	ctx := t.Context()
	waiters := map[string]<-chan error{
		"query": waiting(t, d, func() error { _, err := value(ctx, d, "SELECT 1"); return err }),
		"execute": waiting(t, d, func() error {
			_, err := d.Exec(ctx, "CREATE TABLE fresh (id INTEGER)", nil)
			return err
		}),
		"script": waiting(t, d, func() error {
			_, err := d.Exec(ctx, "SELECT ?; SELECT ?", []any{int64(1), int64(2)})
			return err
		}),
		"begin": waiting(t, d, func() error {
			tx, err := d.Begin(ctx, sql.TxOptions{})
			if err == nil {
				err = tx.Commit(ctx)
			}
			return err
		}),
		"prepare": waiting(t, d, func() error {
			statement, err := d.Prepare(ctx, "SELECT 1")
			if err == nil {
				err = statement.Close()
			}
			return err
		}),
		"start": waiting(t, d, func() error { _, err := s.services["app:db"].Start(ctx); return err }),
	}
	if err := s.Update(ctx, e, next); err != nil {
		t.Fatal(err)
	}
	for name, done := range waiters {
		select {
		case err := <-done:
			t.Errorf("%s did not wait: %v", name, err)
		default:
		}
	}
	s.Committed(ctx)
	for name, done := range waiters {
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !tx.Active() {
		t.Error("the transaction ended")
	}
	expect(t, tx, "0", "SELECT count(*) FROM sqlite_schema WHERE name = 'fresh'")
	expect(t, d, "1", "SELECT count(*) FROM sqlite_schema WHERE name = 'fresh'")
}

func TestWaitersOfADatabaseThatGoes(t *testing.T) {
	for name, leave := range map[string]func(s *system, e registry.Entry) error{
		"deleted": func(s *system, e registry.Entry) error {
			err := s.Delete(context.Background(), e)
			s.Committed(context.Background())
			return err
		},
		"stopped": func(s *system, _ registry.Entry) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return s.services["app:db"].Stop(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			d, _, e, _ := occupied(t, s)
			done := waiting(t, d, func() error { _, err := value(t.Context(), d, "SELECT 1"); return err })
			if err := leave(s, e); err != nil {
				t.Fatal(err)
			}
			if err := <-done; !errors.Is(err, sql.ErrClosed) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	s := newSystem(t)
	d, tx, _, _ := occupied(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	first := waiting(t, d, func() error { _, err := value(ctx, d, "SELECT 1"); return err })
	second := waiting(t, d, func() error { _, err := value(t.Context(), d, "SELECT 1"); return err })
	cancel()
	if err := <-first; fault.KindOf(err) != fault.Canceled {
		t.Errorf("%v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Errorf("the one behind it: %v", err)
	}
	if stats := d.Stats(); stats.InUse != 0 || stats.WaitCount != 2 || stats.WaitDuration <= 0 {
		t.Errorf("%+v", stats)
	}
}

func TestWaitersAreServedInOrder(t *testing.T) {
	s := newSystem(t)
	d, tx, _, _ := occupied(t, s)
	var (
		mu   sync.Mutex
		got  []string
		want []string
		done []<-chan error
	)
	for i := range 20 {
		want = append(want, strconv.Itoa(i))
		done = append(done, waiting(t, d, func() error {
			tx, err := d.Begin(t.Context(), sql.TxOptions{})
			if err != nil {
				return err
			}
			mu.Lock()
			got = append(got, strconv.Itoa(i))
			mu.Unlock()
			return tx.Rollback(t.Context())
		}))
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, done := range done {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// A statement stays with the pool it was prepared on: it waits for its turn there.
func TestStatementWaitsOnItsOwnPool(t *testing.T) {
	s := newSystem(t)
	d, tx, e, next := occupied(t, s)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	statement, err := d.Prepare(t.Context(), "INSERT INTO t VALUES (1)")
	if err != nil {
		t.Fatal(err)
	}
	if tx, err = d.Begin(t.Context(), sql.TxOptions{}); err != nil {
		t.Fatal(err)
	}
	done := waiting(t, d, func() error { _, err := statement.Exec(t.Context(), nil); return err })
	if err := s.Update(t.Context(), e, next); err != nil {
		t.Fatal(err)
	}
	s.Committed(t.Context())
	expect(t, tx, "0", "SELECT count(*) FROM t")
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := statement.Exec(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if err := statement.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Update(t.Context(), next, e); err != nil {
		t.Fatal(err)
	}
	s.Committed(t.Context())
	expect(t, d, "2", "SELECT count(*) FROM t")
}
