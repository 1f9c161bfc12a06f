// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/go-memdb"

	"github.com/wippyrun/kit/registry"
)

// row is an entry as go-memdb wants it: its indexes read struct fields.
type row struct {
	ID, Kind, Type string
	Entry          registry.Entry
}

func entry(i int) registry.Entry {
	return registry.Entry{
		ID:   registry.NewID(fmt.Sprintf("app.ns%d", i%100), fmt.Sprintf("entry_%d", i)),
		Kind: fmt.Sprintf("test.kind%d", i%20),
		Meta: map[string]any{"type": fmt.Sprintf("t%d", i%500), "title": fmt.Sprintf("Entry %d", i)},
		Data: map[string]any{"n": float64(i), "method": "main"},
	}
}

func rowOf(e registry.Entry) *row {
	return &row{ID: e.ID.String(), Kind: e.Kind, Type: e.MetaString("type"), Entry: e}
}

// accept is a listener that lets everything pass.
type accept struct{}

func (accept) Create(context.Context, registry.Entry) error        { return nil }
func (accept) Update(_ context.Context, _, _ registry.Entry) error { return nil }
func (accept) Delete(context.Context, registry.Entry) error        { return nil }

// filled returns a registry of n entries that is closed with the benchmark.
func filled(b *testing.B, n int, opts ...registry.Option) *registry.Registry {
	r := fill(b, n, opts...)
	b.Cleanup(func() {
		if err := r.Close(); err != nil {
			b.Error(err)
		}
	})
	return r
}

func fill(b *testing.B, n int, opts ...registry.Option) *registry.Registry {
	r, err := registry.New(opts...)
	if err != nil {
		b.Fatal(err)
	}
	if err := r.Listen("test.*", accept{}); err != nil {
		b.Fatal(err)
	}
	entries := make([]registry.Entry, n)
	for i := range entries {
		entries[i] = entry(i)
	}
	if err := r.LoadState(context.Background(), entries); err != nil {
		b.Fatal(err)
	}
	return r
}

// shared are registries and databases that several benchmarks look into, by size. Filling
// them takes longer than a short run of the benchmarks.
var shared = struct {
	ours  map[int]*registry.Registry
	memdb map[int]*memdb.MemDB
}{map[int]*registry.Registry{}, map[int]*memdb.MemDB{}}

func sharedRegistry(b *testing.B, n int) *registry.Registry {
	r := shared.ours[n]
	if r == nil {
		r = fill(b, n)
		shared.ours[n] = r
	}
	return r
}

func sharedMemDB(b *testing.B, n int) *memdb.MemDB {
	db := shared.memdb[n]
	if db == nil {
		db = filledMemDB(b, n)
		shared.memdb[n] = db
	}
	return db
}

func filledMemDB(b *testing.B, n int) *memdb.MemDB {
	db, err := memdb.NewMemDB(&memdb.DBSchema{Tables: map[string]*memdb.TableSchema{"entry": {
		Name: "entry",
		Indexes: map[string]*memdb.IndexSchema{
			"id":   {Name: "id", Unique: true, Indexer: &memdb.StringFieldIndex{Field: "ID"}},
			"kind": {Name: "kind", Indexer: &memdb.StringFieldIndex{Field: "Kind"}},
			"type": {Name: "type", Indexer: &memdb.StringFieldIndex{Field: "Type"}},
		},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	txn := db.Txn(true)
	for i := range n {
		if err := txn.Insert("entry", rowOf(entry(i))); err != nil {
			b.Fatal(err)
		}
	}
	txn.Commit()
	return db
}
