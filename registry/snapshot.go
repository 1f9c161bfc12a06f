// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"iter"
	"sync/atomic"

	"github.com/wippyrun/kit/registry/internal/pmap"
)

// state is one committed state. Everything but index is immutable.
type state struct {
	seq     uint64 // distinguishes states; 0 for states that were never current
	version Version
	entries pmap.Map[Entry]
	base    *baseline
	index   atomic.Pointer[index] // built by the finder on demand
}

// baseline is what LoadState was given last.
type baseline struct {
	entries pmap.Map[Entry]
	last    uint64 // highest version at that time
}

// keyOf returns the key of an entry in a map of entries.
func keyOf(e *Entry) *pmap.Key { return (*pmap.Key)(&e.ID) }

func (s *state) has(id ID) bool { return s.entries.Get(pmap.Key(id)) != nil }

// Snapshot is an unchanging view of all entries at one moment. It is a small value, all
// methods may be called concurrently, and the entries must not be modified.
type Snapshot struct {
	r *Registry
	s *state
}

// Get returns the entry with the given ID. It does not allocate.
func (s Snapshot) Get(id ID) (Entry, bool) {
	if e := s.s.entries.Get(pmap.Key(id)); e != nil {
		return *e, true
	}
	return Entry{}, false
}

// Len returns the number of entries.
func (s Snapshot) Len() int { return s.s.entries.Len() }

// Version returns the version the snapshot shows.
func (s Snapshot) Version() Version { return s.s.version }

// All iterates over all entries in the order of their IDs.
func (s Snapshot) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range s.r.finder.all(s.s).All() {
			if !yield(*e) {
				return
			}
		}
	}
}

// Namespace iterates over the entries of exactly this namespace in the order of their
// names.
func (s Snapshot) Namespace(ns string) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range s.r.finder.namespace(s.s, ns).All() {
			if !yield(*e) {
				return
			}
		}
	}
}

// Find returns the entries that meet all criteria of the query, in the order of their
// IDs; see CompileQuery for the form of a query. What is wrong in the query is logged
// and otherwise ignored. Results are cached per state.
func (s Snapshot) Find(query map[string]any) []Entry {
	return s.r.finder.find(s.s, query)
}

// Select is Find for a query compiled before. Its results are not cached.
func (s Snapshot) Select(q *Query) []Entry {
	return entriesOf(s.r.finder.search(s.s, q))
}

// Find is Snapshot().Find.
func (r *Registry) Find(query map[string]any) []Entry { return r.Snapshot().Find(query) }

// Dependencies returns the entries the given one refers to, in the order of their IDs;
// references to entries that do not exist are left out.
func (r *Registry) Dependencies(id ID) []ID {
	s := r.Snapshot()
	e, ok := s.Get(id)
	if !ok {
		return nil
	}
	return s.Dependencies(e)
}

// Dependencies returns the entries of the snapshot that e refers to; e itself need not
// be in it.
func (s Snapshot) Dependencies(e Entry) []ID {
	seen := map[ID]bool{}
	s.r.cfg.extractor.resolve(e, snapshotUniverse{s}, func(id ID, _ bool) { seen[id] = true })
	return sortedIDs(seen)
}

// snapshotUniverse resolves references against a snapshot.
type snapshotUniverse struct{ s Snapshot }

func (u snapshotUniverse) has(id ID) bool { return u.s.s.has(id) }

func (u snapshotUniverse) inGroup(group string) []ID {
	return idsOf(u.s.r.finder.search(u.s.s, &Query{criteria: []criterion{{op: opEqual, field: "groups", want: []any{group}}}}))
}

func (u snapshotUniverse) inNamespace(ns string) []ID {
	var out []ID
	for e := range u.s.Namespace(ns) {
		out = append(out, e.ID)
	}
	return out
}

func (u snapshotUniverse) variable(name string) (ID, bool) {
	q := &Query{criteria: []criterion{{op: opGlob, root: "kind", text: "env.variable"}}}
	for _, e := range u.s.r.finder.search(u.s.s, q) {
		if variableName(*e) == name {
			return e.ID, true
		}
	}
	return ID{}, false
}
