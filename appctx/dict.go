// SPDX-License-Identifier: Apache-2.0

package appctx

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Dict holds component references under typed keys. It has two phases: while it
// is open values are added, each key once; after [Dict.Seal] it is read-only and
// reads need no lock.
//
// The zero Dict is open, empty and ready to use. A Dict must not be copied.
// All methods may be called concurrently.
type Dict struct {
	// sealed is nil while the Dict is open. Seal stores it once, under mu; the
	// slice behind it is never written again.
	sealed atomic.Pointer[[]any]

	mu    sync.RWMutex
	slots []any    // guarded by mu; index is the key's index, nil means unset
	names []string // guarded by mu; names of the keys set, in the order of Set
}

// New returns an open, empty Dict.
func New() *Dict { return new(Dict) }

// Seal ends the writing phase: later writes panic and later reads take no lock.
// Sealing a sealed Dict does nothing. Every Set that returned before Seal is
// visible to every Get that begins after it.
func (d *Dict) Seal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sealed.Load() == nil {
		slots := slices.Clip(d.slots)
		d.sealed.Store(&slots)
	}
}

// Sealed reports whether [Dict.Seal] was called.
func (d *Dict) Sealed() bool { return d.sealed.Load() != nil }

// Len returns the number of keys set.
func (d *Dict) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.names)
}

// Names returns the names of the keys set, sorted. It is meant for diagnostics.
func (d *Dict) Names() []string {
	d.mu.RLock()
	names := slices.Clone(d.names)
	d.mu.RUnlock()
	slices.Sort(names)
	return names
}

// slot reads an open Dict.
func (d *Dict) slot(index uint32) any {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if int(index) < len(d.slots) {
		return d.slots[index]
	}
	return nil
}

// put stores a box. The lock is released before a panic leaves, so that a
// recovered misuse does not leave the Dict locked.
func (d *Dict) put(index uint32, name string, b any) {
	if index == 0 {
		panic("appctx: Set with the zero Key; make keys with NewKey")
	}
	d.mu.Lock()
	switch {
	case d.sealed.Load() != nil:
		d.mu.Unlock()
		panic("cannot modify sealed AppContext: " + name)
	case int(index) < len(d.slots) && d.slots[index] != nil:
		d.mu.Unlock()
		panic("cannot overwrite AppContext key: key already set: " + name)
	}
	if need := int(index) + 1 - len(d.slots); need > 0 {
		d.slots = append(d.slots, make([]any, need)...)
	}
	d.slots[index] = b
	d.names = append(d.names, name)
	d.mu.Unlock()
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
