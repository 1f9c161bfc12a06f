// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"maps"
	"slices"
	"strconv"

	"github.com/wippyrun/kit/registry/internal/oset"
	"github.com/wippyrun/kit/registry/internal/pmap"
)

// entrySet is a set of entries in the order of their IDs.
type entrySet = oset.Set[*Entry]

func compareEntries(a, b *Entry) int { return a.ID.Compare(b.ID) }

// index is an immutable index of one state: dimensions, each of which maps a value to
// the entries that have it. Only dimensions that a query has asked for exist. The index
// of a later state is derived from that of an earlier one at the cost of the difference.
type index struct {
	entries pmap.Map[Entry]
	dims    map[string]pmap.Map[entrySet]
}

// Dimensions of root fields; the others are "meta." and a path.
const (
	dimAll  = "all"
	dimKind = "kind"
	dimNS   = "ns"
	dimName = "name"
)

// keysOf calls f with every value of the entry in a dimension.
func keysOf(dim string, e *Entry, f func(pmap.Key)) {
	switch dim {
	case dimAll:
		f(pmap.Key{})
	case dimKind:
		f(pmap.Key{Name: e.Kind})
	case dimNS:
		f(pmap.Key{Name: e.ID.Namespace})
	case dimName:
		f(pmap.Key{Name: e.ID.Name})
	default:
		v, ok := Lookup(e.Meta, dim[len("meta."):])
		if !ok {
			return
		}
		if list, ok := v.([]any); ok {
			for _, x := range list {
				if k, ok := scalarKey(x); ok {
					f(k)
				}
			}
			return
		}
		if k, ok := scalarKey(v); ok {
			f(k)
		}
	}
}

// scalarKey is the key of a metadata value; the namespace part tells the types apart.
func scalarKey(v any) (pmap.Key, bool) {
	switch v := v.(type) {
	case string:
		return pmap.Key{Namespace: "s", Name: v}, true
	case float64:
		return pmap.Key{Namespace: "n", Name: strconv.FormatFloat(v+0, 'g', -1, 64)}, true
	case bool:
		return pmap.Key{Namespace: "b", Name: strconv.FormatBool(v)}, true
	case nil:
		return pmap.Key{Namespace: "z"}, true
	}
	return pmap.Key{}, false
}

// build makes one dimension from nothing.
func build(dim string, entries pmap.Map[Entry]) pmap.Map[entrySet] {
	lists := map[pmap.Key][]*Entry{}
	for _, e := range entries.All() {
		keysOf(dim, e, func(k pmap.Key) { lists[k] = append(lists[k], e) })
	}
	b := pmap.NewBuilder(pmap.Map[entrySet]{})
	for k, list := range lists {
		slices.SortFunc(list, compareEntries)
		list = slices.CompactFunc(list, func(a, b *Entry) bool { return a == b })
		b.Set(k, oset.FromSorted(compareEntries, list))
	}
	return b.Map()
}

// with returns the index with further dimensions.
func (ix *index) with(dims []string) *index {
	n := &index{entries: ix.entries, dims: maps.Clone(ix.dims)}
	if n.dims == nil {
		n.dims = map[string]pmap.Map[entrySet]{}
	}
	for _, d := range dims {
		if _, ok := n.dims[d]; !ok {
			n.dims[d] = build(d, n.entries)
		}
	}
	return n
}

func (ix *index) has(dims []string) bool {
	for _, d := range dims {
		if _, ok := ix.dims[d]; !ok {
			return false
		}
	}
	return true
}

// advance returns the index of other entries with the same dimensions.
func (ix *index) advance(entries pmap.Map[Entry]) *index {
	if ix.entries.Same(entries) {
		return ix
	}
	type change struct{ old, next *Entry }
	var changes []change
	pmap.Diff(ix.entries, entries, func(_ pmap.Key, old, next *Entry) {
		changes = append(changes, change{old, next})
	})
	n := &index{entries: entries, dims: make(map[string]pmap.Map[entrySet], len(ix.dims))}
	for dim, m := range ix.dims {
		// Past this point sorting everything is cheaper than many single changes.
		if len(changes) > entries.Len()/4 {
			n.dims[dim] = build(dim, entries)
			continue
		}
		b := pmap.NewBuilder(m)
		for _, c := range changes {
			if c.old != nil {
				keysOf(dim, c.old, func(k pmap.Key) { drop(b, k, c.old) })
			}
			if c.next != nil {
				keysOf(dim, c.next, func(k pmap.Key) { insert(b, k, c.next) })
			}
		}
		n.dims[dim] = b.Map()
	}
	return n
}

func insert(b *pmap.Builder[entrySet], k pmap.Key, e *Entry) {
	s := oset.New(compareEntries)
	if old := b.Get(k); old != nil {
		s = *old
	}
	b.Set(k, s.Add(e))
}

func drop(b *pmap.Builder[entrySet], k pmap.Key, e *Entry) {
	old := b.Get(k)
	if old == nil {
		return
	}
	if s := old.Remove(e); s.Len() > 0 {
		b.Set(k, s)
	} else {
		b.Delete(k)
	}
}
