// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/go-memdb"

	"github.com/wippyrun/kit/registry"
)

// searched is how many entries the searches look among.
const searched = 10_000

// find runs 500 different queries in turn, each of which finds as many entries. Ours
// compiles the query every time and gives copies of the entries, in the order of their
// IDs; "ours-cached" keeps results.
func find(b *testing.B, found int, query func(i int) map[string]any, peer func(txn *memdb.Txn, i int) []registry.Entry) {
	var queries [500]map[string]any
	for i := range queries {
		queries[i] = query(i)
	}
	ours := func(b *testing.B, r *registry.Registry) {
		r.Find(queries[0])
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if got := r.Find(queries[i%len(queries)]); len(got) != found {
				b.Fatal(len(got))
			}
		}
	}
	b.Run("ours", func(b *testing.B) { ours(b, filled(b, searched, registry.WithQueryCache(0, 0))) })
	b.Run("ours-cached", func(b *testing.B) { ours(b, filled(b, searched)) })
	b.Run("go-memdb", func(b *testing.B) {
		db := filledMemDB(b, searched)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			txn := db.Txn(false)
			got := peer(txn, i%len(queries))
			txn.Abort()
			if len(got) != found {
				b.Fatal(len(got))
			}
		}
	})
}

// collect takes the entries an index of go-memdb offers and keep accepts.
func collect(txn *memdb.Txn, index, value string, keep func(*row) bool) []registry.Entry {
	rows, err := txn.Get("entry", index, value)
	if err != nil {
		panic(err)
	}
	var got []registry.Entry
	for v := rows.Next(); v != nil; v = rows.Next() {
		if r := v.(*row); keep(r) {
			got = append(got, r.Entry)
		}
	}
	return got
}

func all(*row) bool { return true }

// BenchmarkFind collects the 20 of 10 000 entries with one type.
func BenchmarkFind(b *testing.B) {
	find(b, 20, func(i int) map[string]any { return map[string]any{"meta.type": fmt.Sprintf("t%d", i)} },
		func(txn *memdb.Txn, i int) []registry.Entry { return collect(txn, "type", fmt.Sprintf("t%d", i), all) })
}

// BenchmarkFindBoth collects the 20 entries that have one type and one kind; go-memdb
// looks for the type and checks the kind.
func BenchmarkFindBoth(b *testing.B) {
	kind := func(i int) string { return fmt.Sprintf("test.kind%d", i%20) }
	find(b, 20, func(i int) map[string]any {
		return map[string]any{".kind": kind(i), "meta.type": fmt.Sprintf("t%d", i)}
	}, func(txn *memdb.Txn, i int) []registry.Entry {
		return collect(txn, "type", fmt.Sprintf("t%d", i), func(r *row) bool { return r.Kind == kind(i) })
	})
}

// BenchmarkFindPrefix collects the 20 entries whose type begins with a text, one type
// among 500.
func BenchmarkFindPrefix(b *testing.B) {
	prefix := func(i int) string { return fmt.Sprintf("t%d", 100+i%400) }
	find(b, 20, func(i int) map[string]any { return map[string]any{"^meta.type": prefix(i)} },
		func(txn *memdb.Txn, i int) []registry.Entry { return collect(txn, "type_prefix", prefix(i), all) })
}

// BenchmarkFindSubstring collects the 20 entries whose type contains a text. go-memdb has
// no index for that and looks at every entry; ours looks at every type.
func BenchmarkFindSubstring(b *testing.B) {
	text := func(i int) string { return fmt.Sprintf("t%d", 100+i%400) }
	find(b, 20, func(i int) map[string]any { return map[string]any{"*meta.type": text(i)} },
		func(txn *memdb.Txn, i int) []registry.Entry {
			return collect(txn, "type_prefix", "", func(r *row) bool { return r.Type == text(i) })
		})
}
