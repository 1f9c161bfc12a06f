// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"
	_ "modernc.org/sqlite" // the driver

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
	"github.com/wippyrun/kit/registry/source"
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

// BenchmarkLoad10000 takes 10 000 entries from 100 YAML files to active. The peer only
// decodes the same files.
func BenchmarkLoad10000(b *testing.B) {
	const files, perFile = 100, 100
	tree := fstest.MapFS{}
	for f := range files {
		var text bytes.Buffer
		fmt.Fprintf(&text, "version: \"1.0\"\nnamespace: app.ns%d\n\nentries:\n", f)
		for i := range perFile {
			fmt.Fprintf(&text, `  - name: entry_%d
    kind: test.kind%d
    meta:
      type: t%d
      title: Entry number %d
      tags: [one, two]
    method: main
    modules: [io, time]
    pool:
      size: %d
`, i, i%20, i%50, i, i%8)
		}
		tree[fmt.Sprintf("ns%d/_index.yaml", f)] = &fstest.MapFile{Data: text.Bytes()}
	}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			entries, err := source.LoadFS(context.Background(), tree, "tree", source.Options{})
			if err != nil {
				b.Fatal(err)
			}
			r, err := registry.New()
			if err != nil {
				b.Fatal(err)
			}
			if err := r.Listen("test.*", accept{}); err != nil {
				b.Fatal(err)
			}
			if err := r.LoadState(context.Background(), entries); err != nil {
				b.Fatal(err)
			}
			if got := r.Snapshot().Len(); got != files*perFile {
				b.Fatal(got)
			}
		}
	})
	b.Run("yaml.v3-decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, f := range tree {
				var v map[string]any
				if err := yaml.Unmarshal(f.Data, &v); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
