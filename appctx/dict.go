// SPDX-License-Identifier: Apache-2.0

package appctx

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Dict holds component references under typed keys. It has two phases: while it
// is open values are added, each key once; after [Dict.Seal] it is read-only.
//
// The zero Dict is open, empty and ready to use. A Dict must not be copied.
// All methods may be called concurrently.
type Dict struct {
	// table is nil until the first Set. Every Set replaces it by a copy with one
	// more slot filled, under mu, so that readers never need the lock, not even
	// while the Dict is open. A copy per Set is nothing at boot (40 components make
	// some 13 KB of garbage) and keeps one code path for reads.
	table atomic.Pointer[table]

	mu     sync.Mutex
	sealed bool     // guarded by mu
	names  []string // guarded by mu; names of the keys set, in the order of Set
}

// table is immutable once published.
type table struct {
	slots []any // by key index; nil means unset, anything else is a *box
}

// New returns an open, empty Dict.
func New() *Dict { return new(Dict) }

// Seal ends the writing phase: later writes panic. Sealing a sealed Dict does
// nothing. Every Set that returned before Seal is visible to every Get that begins
// after it.
func (d *Dict) Seal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sealed = true
}

// Sealed reports whether [Dict.Seal] was called.
func (d *Dict) Sealed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sealed
}

// Len returns the number of keys set.
func (d *Dict) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.names)
}

// Names returns the names of the keys set, sorted. It is meant for diagnostics.
func (d *Dict) Names() []string {
	d.mu.Lock()
	names := slices.Clone(d.names)
	d.mu.Unlock()
	slices.Sort(names)
	return names
}

// put stores a box. The deferred unlock lets a recovered misuse leave the Dict
// usable.
func (d *Dict) put(index uint32, name string, b any) {
	if index == 0 {
		panic("appctx: Set with the zero Key; make keys with NewKey")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sealed {
		panic("cannot modify sealed AppContext: " + name)
	}
	var old []any
	if t := d.table.Load(); t != nil {
		old = t.slots
	}
	if int(index) < len(old) && old[index] != nil {
		panic("cannot overwrite AppContext key: key already set: " + name)
	}
	slots := make([]any, max(len(old), int(index)+1))
	copy(slots, old)
	slots[index] = b
	d.table.Store(&table{slots: slots})
	d.names = append(d.names, name)
}

// dictKey is the context key of the Dict.
type dictKey struct{}

// With returns a context that carries d.
func With(ctx context.Context, d *Dict) context.Context {
	return context.WithValue(ctx, dictKey{}, d)
}

// From returns the Dict that ctx carries, or nil when it carries none. Reading
// from a nil Dict is allowed and finds nothing. The cost is that of
// [context.Context.Value]; code on a hot path keeps the Dict, not the context.
func From(ctx context.Context) *Dict {
	d, _ := ctx.Value(dictKey{}).(*Dict)
	return d
}
