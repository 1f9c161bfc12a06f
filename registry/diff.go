// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"maps"
	"slices"
	"strconv"

	"github.com/wippyrun/kit/registry/internal/pmap"
)

// How says in which way two states differ in an entry or a field.
type How string

// The ways in which states differ.
const (
	Added   How = "added"
	Removed How = "removed"
	Changed How = "changed"
)

// Difference is what distinguishes two states. String and WriteTo render it for people.
type Difference struct {
	From, To Version
	Entries  []EntryDifference // in the order of their IDs
}

// EntryDifference is an entry that two states do not have in common.
type EntryDifference struct {
	ID  ID
	How How
	// Old and New are the entry in the two states, nil where it does not exist. They must
	// not be modified.
	Old, New *Entry
	// Fields are the fields that differ, in the order of their paths: of an entry that was
	// added or removed all of them.
	Fields []FieldDifference
}

// FieldDifference is a field that two values of an entry do not have in common.
type FieldDifference struct {
	// Path is for example "kind", "meta.title" or "data.pool.size", as Entry.Field takes
	// it. Elements of a list are named by their place: of a removed one in the old list,
	// of others in the new one.
	Path     string
	How      How
	Old, New any // nil where the field does not exist
}

// Diff returns what leads from this state to another one. Its cost follows the number of
// changed entries when one state was made from the other.
func (s Snapshot) Diff(to Snapshot) Difference {
	d := Difference{From: s.Version(), To: to.Version()}
	pmap.Diff(s.s.entries, to.s.entries, func(k pmap.Key, old, next *Entry) {
		switch e := (EntryDifference{ID: ID(k), Old: old, New: next}); {
		case old == nil:
			e.How = Added
			e.Fields = fieldsOf(nil, next)
			d.Entries = append(d.Entries, e)
		case next == nil:
			e.How = Removed
			e.Fields = fieldsOf(old, nil)
			d.Entries = append(d.Entries, e)
		case !old.Equal(*next):
			e.How = Changed
			e.Fields = fieldsOf(old, next)
			d.Entries = append(d.Entries, e)
		}
	})
	slices.SortFunc(d.Entries, func(a, b EntryDifference) int { return a.ID.Compare(b.ID) })
	return d
}

// Diff returns what leads from one version to another. It reads the history as SnapshotAt
// does.
func (r *Registry) Diff(from, to Version) (Difference, error) {
	a, err := r.SnapshotAt(from)
	if err != nil {
		return Difference{}, err
	}
	b, err := r.SnapshotAt(to)
	if err != nil {
		return Difference{}, err
	}
	return a.Diff(b), nil
}

// fieldsOf compares two entries, one of which may be nil.
func fieldsOf(old, next *Entry) []FieldDifference {
	var c fieldComparison
	parts := func(e *Entry) map[string]any {
		if e == nil {
			return nil
		}
		m := map[string]any{"kind": e.Kind}
		if len(e.Meta) > 0 {
			m["meta"] = e.Meta
		}
		if e.Data != nil {
			m["data"] = e.Data
		}
		return m
	}
	c.maps("", parts(old), parts(next))
	return c.out
}

type fieldComparison struct{ out []FieldDifference }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// maps compares maps of which one may be nil.
func (c *fieldComparison) maps(path string, old, next map[string]any) {
	keys := maps.Clone(old)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, next)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		a, was := old[key]
		b, is := next[key]
		c.values(join(path, key), a, was, b, is)
	}
}

// values compares two values, one of which may not be there. It goes down into maps and
// lists that do not face a value of another type.
func (c *fieldComparison) values(path string, old any, was bool, next any, is bool) {
	if was && is && EqualValues(old, next) {
		return
	}
	a, oldMap := old.(map[string]any)
	b, newMap := next.(map[string]any)
	if (oldMap || !was) && (newMap || !is) && len(a)+len(b) > 0 {
		c.maps(path, a, b)
		return
	}
	x, oldList := old.([]any)
	y, newList := next.([]any)
	if (oldList || !was) && (newList || !is) && len(x)+len(y) > 0 {
		c.lists(path, x, y)
		return
	}
	how := Changed
	switch {
	case !was:
		how = Added
	case !is:
		how = Removed
	}
	c.out = append(c.out, FieldDifference{Path: path, How: how, Old: old, New: next})
}

// lists sets aside what is the same at both ends and compares what is between by place.
func (c *fieldComparison) lists(path string, old, next []any) {
	start := 0
	for start < min(len(old), len(next)) && EqualValues(old[start], next[start]) {
		start++
	}
	end := 0
	for end < min(len(old), len(next))-start && EqualValues(old[len(old)-1-end], next[len(next)-1-end]) {
		end++
	}
	for i := start; i < max(len(old), len(next))-end; i++ {
		var a, b any
		was, is := i < len(old)-end, i < len(next)-end
		if was {
			a = old[i]
		}
		if is {
			b = next[i]
		}
		c.values(join(path, strconv.Itoa(i)), a, was, b, is)
	}
}
