// SPDX-License-Identifier: Apache-2.0

package appctx

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// Frame holds the values of one execution: a process, a function call, the life
// of a service. Unlike a [Dict] there are many of them, each with few values, so
// it is stored as a short list.
//
// A Frame is open until [Frame.Seal], or [Frame.Fork] which seals it; then it is
// read-only and reads take no lock. It is counted: the creator holds one
// reference, [Frame.Retain] adds one, and the last [Frame.Release] closes the
// values the frame owns.
//
// Make frames with [NewFrame] or [Frame.Fork]. A Frame must not be copied. All
// methods may be called concurrently.
type Frame struct {
	// sealed is nil while the frame is open. It is stored by Seal and replaced by
	// an empty list by the last Release, always under mu; the list behind it is
	// never written.
	sealed atomic.Pointer[[]frameSlot]
	refs   atomic.Int32

	mu    sync.RWMutex
	slots []frameSlot // guarded by mu, in the order of first Set
	// parent is retained when the frame shares a value that the parent has to
	// close, so that the value outlives every frame that can read it.
	parent *Frame // guarded by mu
}

// frameSlot is one value of a frame.
type frameSlot struct {
	key   *frameKey
	value any
	owned bool // this frame closes the value
}

// NewFrame returns an open, empty frame with one reference.
func NewFrame() *Frame {
	f := new(Frame)
	f.refs.Store(1)
	return f
}

// Seal makes the frame read-only. Sealing a sealed frame does nothing.
func (f *Frame) Seal() {
	f.mu.Lock()
	f.seal()
	f.mu.Unlock()
}

// seal does the work of Seal; mu is held. The list published is a variable of
// its own: the address of f.slots would share the word that Release clears.
func (f *Frame) seal() {
	if f.sealed.Load() == nil {
		slots := f.slots
		f.sealed.Store(&slots)
	}
}

// Sealed reports whether the frame is read-only.
func (f *Frame) Sealed() bool { return f.sealed.Load() != nil }

// Fork seals the frame and returns an open child with one reference of its own,
// for a callee of the same execution. The child receives the values of the keys
// made with [Inherit]: a value that implements [Cloner] is cloned and the child
// owns the clone, any other value is shared and stays with its owner.
//
// The caller holds a reference to the frame while it forks; forking a released
// frame gives an empty child.
func (f *Frame) Fork() *Frame {
	return f.derive(func(s frameSlot) (any, bool, bool) {
		v, cloned := s.key.clone(s.value)
		return v, cloned, true
	})
}

// Propagate is [Frame.Fork] for a child that runs elsewhere, such as a spawned
// process: a value that implements [Propagator] chooses what the child receives
// and may refuse; other values are treated as by Fork.
func (f *Frame) Propagate() *Frame {
	return f.derive(func(s frameSlot) (any, bool, bool) {
		if v, handled, keep := s.key.propagate(s.value); handled {
			return v, true, keep
		}
		v, cloned := s.key.clone(s.value)
		return v, cloned, true
	})
}

// derive seals f and makes a child of its inherited slots. pass returns the value
// for the child, whether the child owns it, and whether it gets it at all. It is
// foreign code, so it runs without the lock, on the list that is immutable now.
func (f *Frame) derive(pass func(frameSlot) (v any, owned, keep bool)) *Frame {
	f.mu.Lock()
	f.seal()
	slots := *f.sealed.Load()
	f.mu.Unlock()

	child := NewFrame()
	shares := false
	for _, s := range slots {
		if !s.key.inherit {
			continue
		}
		v, owned, keep := pass(s)
		if !keep {
			continue
		}
		if _, closes := v.(io.Closer); closes && !owned {
			shares = true
		}
		child.slots = append(child.slots, frameSlot{key: s.key, value: v, owned: owned})
	}
	if shares {
		if !f.tryRetain() {
			return NewFrame() // released meanwhile: the shared values are closed
		}
		child.parent = f
	}
	return child
}

// Retain adds a reference. It panics when the last one is already gone.
func (f *Frame) Retain() {
	if !f.tryRetain() {
		panic("appctx: Retain of a released Frame")
	}
}

// tryRetain adds a reference unless there is none left.
func (f *Frame) tryRetain() bool {
	for {
		n := f.refs.Load()
		if n <= 0 {
			return false
		}
		if f.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release gives up a reference. The last one seals and empties the frame and
// closes, newest first, every value that implements [io.Closer] and that this
// frame owns: those set on it and those cloned for it. A shared inherited value
// is closed by the frame it was set on, after the last frame that shares it. All
// values are closed whatever fails; the errors are joined. A Release too many
// panics.
func (f *Frame) Release() error {
	switch n := f.refs.Add(-1); {
	case n > 0:
		return nil
	case n < 0:
		f.refs.Add(1)
		panic("appctx: Release of a released Frame")
	}

	f.mu.Lock()
	slots, parent := f.slots, f.parent
	f.slots, f.parent = nil, nil
	f.sealed.Store(new([]frameSlot))
	f.mu.Unlock()

	var errs []error
	for i := len(slots) - 1; i >= 0; i-- {
		if c, ok := slots[i].value.(io.Closer); ok && slots[i].owned {
			errs = append(errs, c.Close())
		}
	}
	if parent != nil {
		errs = append(errs, parent.Release())
	}
	return errors.Join(errs...)
}

// find returns the value stored under key. The list is scanned: a frame holds a
// handful of values, where a scan beats a map in time and in memory.
func (f *Frame) find(key *frameKey) (any, bool) {
	if slots := f.sealed.Load(); slots != nil {
		return findSlot(*slots, key)
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return findSlot(f.slots, key)
}

func findSlot(slots []frameSlot, key *frameKey) (any, bool) {
	for i := range slots {
		if slots[i].key == key {
			return slots[i].value, true
		}
	}
	return nil, false
}

// put stores a value; mu is held and the frame is open. A replaced value is no
// longer the frame's to close.
func (f *Frame) put(key *frameKey, v any) {
	for i := range f.slots {
		if f.slots[i].key == key {
			f.slots[i].value, f.slots[i].owned = v, true
			return
		}
	}
	f.slots = append(f.slots, frameSlot{key: key, value: v, owned: true})
}

// contextKey is the context key of the Frame.
type contextKey struct{}

// WithFrame returns a context that carries f. The context does not hold a
// reference: the caller keeps f alive for as long as the context is used.
func WithFrame(ctx context.Context, f *Frame) context.Context {
	return context.WithValue(ctx, contextKey{}, f)
}

// FrameFrom returns the Frame that ctx carries, or nil when it carries none.
// Reading from a nil Frame is allowed and finds nothing.
func FrameFrom(ctx context.Context) *Frame {
	f, _ := ctx.Value(contextKey{}).(*Frame)
	return f
}
