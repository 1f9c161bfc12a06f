// SPDX-License-Identifier: Apache-2.0

package registry

import "fmt"

// OpKind says what an operation does to an entry.
type OpKind string

// The kinds of operations.
const (
	Create OpKind = "entry.create"
	Update OpKind = "entry.update"
	Delete OpKind = "entry.delete"
)

// Valid reports whether k is one of the three kinds.
func (k OpKind) Valid() bool { return k == Create || k == Update || k == Delete }

// Op is one operation. For a Delete only the ID of Entry counts; an empty Kind of
// an entry to update or delete means the kind it has.
type Op struct {
	Kind  OpKind
	Entry Entry
	// Original is the previous value for an update and a delete. The registry fills
	// it in; callers of Apply may leave it nil.
	Original *Entry
}

// String returns for example "entry.create app:db".
func (o Op) String() string { return string(o.Kind) + " " + o.Entry.ID.String() }

// Changeset is an ordered list of operations.
type Changeset []Op

// CreateEntry appends a create.
func (c *Changeset) CreateEntry(e Entry) { *c = append(*c, Op{Kind: Create, Entry: e}) }

// UpdateEntry appends an update.
func (c *Changeset) UpdateEntry(e Entry) { *c = append(*c, Op{Kind: Update, Entry: e}) }

// DeleteEntry appends a delete.
func (c *Changeset) DeleteEntry(id ID) { *c = append(*c, Op{Kind: Delete, Entry: Entry{ID: id}}) }

// Reverse returns the changeset that undoes c: in reverse order, every create a
// delete, every update an update to the original, every delete a create of the
// original. Operations that need an original and have none cannot be undone; they
// are left out and returned as skipped.
func (c Changeset) Reverse() (reversed Changeset, skipped []Op) {
	out := make(Changeset, 0, len(c))
	for i := len(c) - 1; i >= 0; i-- {
		if inv, ok := c[i].inverse(); ok {
			out = append(out, inv)
		} else {
			skipped = append(skipped, c[i])
		}
	}
	return out, skipped
}

func (o Op) inverse() (Op, bool) {
	switch {
	case o.Kind == Create:
		e := o.Entry
		return Op{Kind: Delete, Entry: e, Original: &e}, true
	case o.Original == nil:
		return Op{}, false
	case o.Kind == Update:
		e := o.Entry
		return Op{Kind: Update, Entry: *o.Original, Original: &e}, true
	case o.Kind == Delete:
		return Op{Kind: Create, Entry: *o.Original}, true
	}
	return Op{}, false
}

// Squash returns a changeset with at most one operation per ID that leads to the
// same state, in the order in which the IDs first appear. A delete followed by a
// create of another kind becomes that create; it then carries the deleted entry as
// Original.
func (c Changeset) Squash() Changeset {
	at := make(map[ID]int, len(c))
	out := make(Changeset, 0, len(c))
	gone := make([]bool, 0, len(c))
	for _, op := range c {
		i, seen := at[op.Entry.ID]
		if !seen {
			at[op.Entry.ID] = len(out)
			out, gone = append(out, op), append(gone, false)
			continue
		}
		if gone[i] {
			// Created and deleted within c: what follows starts afresh.
			out[i], gone[i] = op, false
			continue
		}
		var keep bool
		out[i], keep = merge(out[i], op)
		gone[i] = !keep
	}
	kept := out[:0]
	for i, op := range out {
		if !gone[i] {
			kept = append(kept, op)
		}
	}
	return kept
}

// merge combines two operations on one ID; keep is false when they cancel out. A create
// that has an Original took the place of an entry that was there before.
func merge(a, b Op) (op Op, keep bool) {
	original := a.Original
	if original == nil && a.Kind == Delete {
		original = &a.Entry
		if b.Original != nil {
			original = b.Original
		}
	}
	switch {
	case b.Kind == Delete && a.Kind == Create && original == nil:
		return Op{}, false
	case b.Kind == Delete:
		return Op{Kind: Delete, Entry: Entry{ID: b.Entry.ID, Kind: b.Entry.Kind}, Original: original}, true
	case a.Kind == Update && b.Kind == Update, a.Kind == Delete && b.Kind == Create && sameKind(a, b.Entry):
		return Op{Kind: Update, Entry: b.Entry, Original: original}, true
	}
	// create→update, create→create, update→create, delete→create of another kind,
	// delete→update
	return Op{Kind: Create, Entry: b.Entry, Original: original}, true
}

func sameKind(del Op, e Entry) bool {
	if del.Original != nil {
		return del.Original.Kind == e.Kind
	}
	return del.Entry.Kind == e.Kind
}

// check reports the first operation that has no meaning at all.
func (c Changeset) check() error {
	for i, op := range c {
		if !op.Kind.Valid() {
			return invalidf("operation %d: unknown operation kind %q", i, op.Kind)
		}
		if op.Entry.ID.Name == "" {
			return invalidf("operation %d (%s): the entry has no name", i, op.Kind)
		}
		if op.Kind == Create && op.Entry.Kind == "" {
			return invalidf("operation %d: entry %s has no kind", i, op.Entry.ID)
		}
	}
	return nil
}

// normalized returns a copy whose entries share nothing with the caller's.
func (c Changeset) normalized() (Changeset, error) {
	out := make(Changeset, len(c))
	for i, op := range c {
		if op.Kind == Delete {
			op.Entry = Entry{ID: op.Entry.ID, Kind: op.Entry.Kind}
		} else if err := op.Entry.normalize(); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		out[i] = op
	}
	return out, nil
}

func (e *Entry) normalize() error {
	if e.Meta != nil {
		m, err := normalize(e.Meta, 0)
		if err != nil {
			return err.below("meta")
		}
		e.Meta = m.(map[string]any)
	}
	d, err := normalize(e.Data, 0)
	if err != nil {
		return err.below("data")
	}
	e.Data = d
	return nil
}
