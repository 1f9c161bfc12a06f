// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
)

func benchChange(i int) registry.Changeset {
	e := registry.Entry{ID: registry.NewID("app", fmt.Sprintf("e%d", i%100)), Kind: "registry.entry",
		Meta: map[string]any{"type": "t", "title": "A title"}, Data: map[string]any{"n": float64(i), "method": "main"}}
	return registry.Changeset{{Kind: registry.Update, Entry: e}}
}

// bareInsert returns the least an SQLite database can do to keep a blob of the size of a
// changeset: one INSERT and its COMMIT.
func bareInsert(b *testing.B, sync sqlite.Synchronous) func() {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "b.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous("+string(sync)+")&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if _, err := db.Exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB)`); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare(`INSERT INTO t (data) VALUES (?)`)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { insert.Close() })
	blob := make([]byte, 200)
	return func() {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tx.Stmt(insert).Exec(blob); err != nil {
			b.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// registryApply returns a change of one entry in a registry with a durable history.
func registryApply(b *testing.B, sync sqlite.Synchronous) func() {
	r, err := registry.New(registry.WithHistory(open(b, filepath.Join(b.TempDir(), "r.db"), sqlite.WithSynchronous(sync))))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close() })
	for i := range 100 {
		c := benchChange(i)
		c[0].Kind = registry.Create
		if _, err := r.Apply(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	i := 0
	return func() {
		i++
		if _, err := r.Apply(b.Context(), benchChange(i)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit does one of each in turn, so that both see the same disk, and reports
// the medians and what part of the bare rate the registry reaches.
func BenchmarkCommit(b *testing.B) {
	for _, sync := range []sqlite.Synchronous{sqlite.Full, sqlite.Normal} {
		b.Run(string(sync), func(b *testing.B) {
			bare, apply := bareInsert(b, sync), registryApply(b, sync)
			var bares, applies []time.Duration
			for b.Loop() {
				t0 := time.Now()
				bare()
				t1 := time.Now()
				apply()
				bares, applies = append(bares, t1.Sub(t0)), append(applies, time.Since(t1))
			}
			x, y := median(bares), median(applies)
			b.ReportMetric(float64(x), "bare-ns")
			b.ReportMetric(float64(y), "apply-ns")
			b.ReportMetric(100*float64(x)/float64(y), "%of-bare")
		})
	}
}

// BenchmarkOpen opens a database with 10 000 versions, with and without the check.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "r.db")
	h := open(b, path, sqlite.WithSynchronous(sqlite.Normal))
	for i := range uint64(10_000) {
		r := registry.Record{Version: registry.Version{ID: i + 1, Parent: i}, Author: "somebody", Comment: "a comment"}
		if err := h.Append(b.Context(), r, benchChange(int(i))); err != nil {
			b.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	for name, opts := range map[string][]sqlite.Option{"checked": nil, "unchecked": {sqlite.WithoutCheck()}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(info.Size())
			for b.Loop() {
				if err := open(b, path, opts...).Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
