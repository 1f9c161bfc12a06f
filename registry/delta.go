// SPDX-License-Identifier: Apache-2.0

package registry

// BuildDelta returns the changeset that turns the entries of from into those of to:
// first the deletes, users before what they use, then creates and updates, what is
// used before its users. An entry that changed its kind is deleted and created. Of
// several entries with one ID the last counts. x may be nil: then only the order by
// ID counts.
func BuildDelta(from, to []Entry, x *Extractor) Changeset {
	old := make(map[ID]*Entry, len(from))
	for i := range from {
		old[from[i].ID] = &from[i]
	}
	next := make(map[ID]*Entry, len(to))
	for i := range to {
		next[to[i].ID] = &to[i]
	}
	var deletes, sets Changeset
	for id, e := range old {
		if n := next[id]; n == nil || n.Kind != e.Kind {
			deletes = append(deletes, deleteOp(e))
		}
	}
	for id, n := range next {
		switch e := old[id]; {
		case e == nil || e.Kind != n.Kind:
			sets = append(sets, Op{Kind: Create, Entry: *n})
		case !e.Equal(*n):
			sets = append(sets, Op{Kind: Update, Entry: *n, Original: e})
		}
	}
	if x == nil {
		x = &Extractor{}
	}
	exists := func(id ID) bool { return old[id] != nil }
	return append(x.order(deletes, exists).ops, x.order(sets, exists).ops...)
}

func deleteOp(e *Entry) Op {
	return Op{Kind: Delete, Entry: Entry{ID: e.ID, Kind: e.Kind}, Original: e}
}
