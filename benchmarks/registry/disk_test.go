// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
)

// BenchmarkDurableApply changes one entry of 1000 with the history in SQLite and
// synchronous=FULL. The peer stores a row of the same size per transaction and does
// nothing else.
func BenchmarkDurableApply(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		h, err := sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "registry.db"))
		if err != nil {
			b.Fatal(err)
		}
		r := filled(b, 1000, registry.WithHistory(h))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			e := entry(i % 1000)
			e.Data = map[string]any{"n": float64(-i - 1)}
			if _, err := r.Apply(context.Background(), registry.Changeset{{Kind: registry.Update, Entry: e}}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("insert-commit", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "bare.db")
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		db.SetMaxOpenConns(1)
		if _, err := db.Exec("CREATE TABLE changes (id INTEGER PRIMARY KEY, parent INTEGER, data BLOB NOT NULL)"); err != nil {
			b.Fatal(err)
		}
		insert, err := db.Prepare("INSERT INTO changes (parent, data) VALUES (?, ?)")
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = insert.Close() }()
		data := bytes.Repeat([]byte{'x'}, 256)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := insert.Exec(i, data); err != nil { // a transaction of its own
				b.Fatal(err)
			}
		}
	})
}
