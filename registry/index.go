// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/wippyrun/kit/registry/internal/lru"
	"github.com/wippyrun/kit/registry/internal/oset"
	"github.com/wippyrun/kit/registry/internal/pmap"
)

// entrySet is a set of entries in the order of their IDs.
type entrySet = oset.Set[*Entry]

// valueSet is a set of values in the order of their texts.
type valueSet = oset.Set[pmap.Key]

func compareEntries(a, b *Entry) int {
	if c := strings.Compare(a.ID.Namespace, b.ID.Namespace); c != 0 {
		return c
	}
	return strings.Compare(a.ID.Name, b.ID.Name)
}

func compareValues(a, b pmap.Key) int {
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// keepUnused is for how many states a dimension is kept up to date that no query asks
// for. Each costs a microsecond per changed entry (BenchmarkFindAfterChange); building
// one anew costs a millisecond per 1000 entries.
const keepUnused = 256

// index is an immutable index of one state: dimensions, each of which maps a value to
// the entries that have it. Only dimensions that queries ask for exist. The index of a
// later state is derived from that of an earlier one at the cost of the difference.
type index struct {
	entries pmap.Map[Entry]
	dims    map[string]*dimension
	step    uint64               // how many states it was derived over
	results *lru.Cache[[]*Entry] // found in this state; shared by its indexes
}

// dimension maps the values of one field to the entries that have them.
type dimension struct {
	sets   pmap.Map[entrySet]
	values atomic.Pointer[valueSet] // the keys of sets; made for the first query that needs them
	used   *atomic.Uint64           // step of the last query; shared with the dimensions derived from this one
}

// Dimensions of root fields; the others are "meta." and a path. There is none of IDs: the
// map of entries is one.
const (
	dimAll  = "all"
	dimID   = "id"
	dimKind = "kind"
	dimNS   = "ns"
	dimName = "name"
)

// texts is the namespace of the keys of string values in dimensions of metadata.
const texts = "s"

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
		return pmap.Key{Namespace: texts, Name: v}, true
	case float64:
		return pmap.Key{Namespace: "n", Name: strconv.FormatFloat(v+0, 'g', -1, 64)}, true
	case bool:
		return pmap.Key{Namespace: "b", Name: strconv.FormatBool(v)}, true
	case nil:
		return pmap.Key{Namespace: "z"}, true
	}
	return pmap.Key{}, false
}

// buildDimension makes a dimension from nothing.
func buildDimension(dim string, entries pmap.Map[Entry], step uint64) *dimension {
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
	d := &dimension{sets: b.Map(), used: &atomic.Uint64{}}
	d.used.Store(step)
	return d
}

// get returns the entries that have a value.
func (d *dimension) get(k pmap.Key) entrySet {
	if set := d.sets.Get(k); set != nil {
		return *set
	}
	return oset.New(compareEntries)
}

// ordered returns the values in order.
func (d *dimension) ordered() valueSet {
	if v := d.values.Load(); v != nil {
		return *v
	}
	keys := make([]pmap.Key, 0, d.sets.Len())
	for k := range d.sets.All() {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareValues)
	v := oset.FromSorted(compareValues, keys)
	d.values.Store(&v)
	return v
}

// dim returns a dimension, or nil when there is none, and notes that it is in use.
func (ix *index) dim(name string) *dimension {
	d := ix.dims[name]
	if d != nil && d.used.Load() < ix.step {
		d.used.Store(ix.step)
	}
	return d
}

// with returns the index with a further dimension.
func (ix *index) with(name string) *index {
	n := *ix
	if n.dims = maps.Clone(ix.dims); n.dims == nil {
		n.dims = map[string]*dimension{}
	}
	n.dims[name] = buildDimension(name, n.entries, n.step)
	return &n
}

type entryChange struct{ old, next *Entry }

// advance returns the index of other entries. It has the same dimensions, but not those
// that were not used for long, and none when so much differs that it is cheaper to build
// those that are asked for again.
func (ix *index) advance(entries pmap.Map[Entry], results *lru.Cache[[]*Entry]) *index {
	n := &index{entries: entries, dims: map[string]*dimension{}, step: ix.step + 1, results: results}
	if ix.entries.Same(entries) {
		n.dims = ix.dims
		return n
	}
	var changes []entryChange
	pmap.Diff(ix.entries, entries, func(_ pmap.Key, old, next *Entry) {
		changes = append(changes, entryChange{old, next})
	})
	if len(changes) > entries.Len()/4 {
		return n
	}
	for name, d := range ix.dims {
		if n.step-d.used.Load() <= keepUnused {
			n.dims[name] = d.advance(name, changes)
		}
	}
	return n
}

func (d *dimension) advance(name string, changes []entryChange) *dimension {
	next := &dimension{used: d.used}
	b := pmap.NewBuilder(d.sets)
	values := d.values.Load()
	for _, c := range changes {
		if c.old != nil {
			keysOf(name, c.old, func(k pmap.Key) {
				if drop(b, k, c.old) && values != nil {
					v := values.Remove(k)
					values = &v
				}
			})
		}
		if c.next != nil {
			keysOf(name, c.next, func(k pmap.Key) {
				if insert(b, k, c.next) && values != nil {
					v := values.Add(k)
					values = &v
				}
			})
		}
	}
	next.sets = b.Map()
	if values != nil {
		next.values.Store(values)
	}
	return next
}

// insert reports whether the key is new.
func insert(b *pmap.Builder[entrySet], k pmap.Key, e *Entry) bool {
	old := b.Get(k)
	s := oset.New(compareEntries)
	if old != nil {
		s = *old
	}
	b.Set(k, s.Add(e))
	return old == nil
}

// drop reports whether the key is gone.
func drop(b *pmap.Builder[entrySet], k pmap.Key, e *Entry) bool {
	old := b.Get(k)
	if old == nil {
		return false
	}
	if s := old.Remove(e); s.Len() > 0 {
		b.Set(k, s)
		return false
	}
	b.Delete(k)
	return true
}
