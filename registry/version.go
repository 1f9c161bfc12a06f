// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"slices"
	"strconv"
	"sync"
)

// Version names one state in the history of a registry. Version 0 is the root: the
// entries loaded from files, before any change at run time. It is comparable.
type Version struct {
	// ID is unique in a history and grows by one with every change.
	ID uint64
	// Parent is the version the change was applied to; 0 for the root itself.
	Parent uint64
}

// String returns "v" and the ID.
func (v Version) String() string { return "v" + strconv.FormatUint(v.ID, 10) }

// IsRoot reports whether v is version 0.
func (v Version) IsRoot() bool { return v.ID == 0 }

// versionTree knows the parent of every version.
type versionTree struct {
	mu     sync.RWMutex // guards the rest
	parent map[uint64]uint64
	last   uint64 // highest ID ever issued
}

func newVersionTree() *versionTree {
	return &versionTree{parent: map[uint64]uint64{0: 0}}
}

func (t *versionTree) add(v Version) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parent[v.ID] = v.Parent
	t.last = max(t.last, v.ID)
}

// issue counts the ID as used without keeping the version.
func (t *versionTree) issue(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = max(t.last, id)
}

func (t *versionTree) nextID() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.last + 1
}

func (t *versionTree) get(id uint64) (Version, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, ok := t.parent[id]
	return Version{ID: id, Parent: p}, ok
}

func (t *versionTree) all() []Version {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]Version, 0, len(t.parent))
	for id, p := range t.parent {
		out = append(out, Version{ID: id, Parent: p})
	}
	slices.SortFunc(out, func(a, b Version) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out
}

func (t *versionTree) children(id uint64) []Version {
	var out []Version
	for _, v := range t.all() {
		if v.ID != 0 && v.Parent == id {
			out = append(out, v)
		}
	}
	return out
}

// path returns the versions to leave, newest first, and then those to enter, oldest
// first, on the way between two versions. In a tree there is exactly one way without
// detours, so it is also the cheapest whatever a step costs.
func (t *versionTree) path(from, to uint64) (leave, enter []uint64, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	// A parent always has a smaller ID than its child, so stepping up from the larger
	// of the two ends meets at the nearest common ancestor.
	for from != to {
		id := max(from, to)
		p, known := t.parent[id]
		if !known || p >= id {
			return nil, nil, false
		}
		if from > to {
			leave = append(leave, from)
			from = p
		} else {
			enter = append(enter, to)
			to = p
		}
	}
	if _, known := t.parent[from]; !known {
		return nil, nil, false
	}
	slices.Reverse(enter)
	return leave, enter, true
}
