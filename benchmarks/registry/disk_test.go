// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
)

// durableApply returns a change of one entry of 1000 with the history in SQLite and
// synchronous=FULL.
func durableApply(b *testing.B) func() {
	h, err := sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "registry.db"))
	if err != nil {
		b.Fatal(err)
	}
	r := filled(b, 1000, registry.WithHistory(h))
	i := 0
	return func() {
		i++
		e := entry(i % 1000)
		e.Data = map[string]any{"n": float64(-i)}
		if _, err := r.Apply(context.Background(), registry.Changeset{{Kind: registry.Update, Entry: e}}); err != nil {
			b.Fatal(err)
		}
	}
}

// bareInsert returns the insertion of a row of the size of a change, in a transaction of
// its own and with the same durability.
func bareInsert(b *testing.B) func() {
	path := filepath.Join(b.TempDir(), "bare.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE changes (id INTEGER PRIMARY KEY, parent INTEGER, data BLOB NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare("INSERT INTO changes (parent, data) VALUES (?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = insert.Close() })
	data := bytes.Repeat([]byte{'x'}, 256)
	i := 0
	return func() {
		i++
		if _, err := insert.Exec(i, data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDurableApply makes changes that are on disk when they are done. Both do one in
// turn, of which one is timed, so that they see the same disk.
func BenchmarkDurableApply(b *testing.B) {
	alternate := func(timed, other func()) func() time.Duration {
		return func() time.Duration {
			other()
			start := time.Now()
			timed()
			return time.Since(start)
		}
	}
	b.Run("ours", func(b *testing.B) { measure.Foreign(b, 1, alternate(durableApply(b), bareInsert(b))) })
	b.Run("insert-commit", func(b *testing.B) { measure.Foreign(b, 1, alternate(bareInsert(b), durableApply(b))) })
}
