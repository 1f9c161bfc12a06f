// SPDX-License-Identifier: Apache-2.0

package appctx

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"slices"
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
	// noSlots by the last Release, always under mu; the list behind it is never
	// written.
	sealed atomic.Pointer[slotList]
	refs   atomic.Int32

	mu sync.RWMutex
	// list holds the values, in the order of first Set. It is nil until there is one
	// and after the last Release, and its slots are written only while the frame is
	// open.
	list *slotList // guarded by mu
	// parent is retained when the frame shares a value that the parent has to
	// close, so that the value outlives every frame that can read it.
	parent *Frame // guarded by mu
}

// slotList is a list of values. A frame and its list are two allocations as long as
// there are few values: BenchmarkFrameForkRelease.
type slotList struct {
	slots []frameSlot
	few   [2]frameSlot // the first room for slots
}

// noSlots is the list of frames without values. It is never written.
var noSlots slotList

func newSlotList() *slotList {
	l := new(slotList)
	l.slots = l.few[:0]
	return l
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

// seal does the work of Seal and returns the list; mu is held.
func (f *Frame) seal() *slotList {
	l := f.sealed.Load()
	if l == nil {
		if l = f.list; l == nil {
			l = &noSlots
		}
		f.sealed.Store(l)
	}
	return l
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
	list := f.seal()
	f.mu.Unlock()

	child := NewFrame()
	shares := false
	for _, s := range list.slots {
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
		child.add(frameSlot{key: s.key, value: v, owned: owned})
	}
	if shares {
		if !f.tryRetain() { // released meanwhile: the shared values are closed
			_ = child.Release() // and so must be the clones
			return NewFrame()
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
// values are closed whatever fails, and the errors are joined; the panic of a Close
// is one of them, a [*PanicError]. A Release too many panics.
func (f *Frame) Release() error {
	switch n := f.refs.Add(-1); {
	case n > 0:
		return nil
	case n < 0:
		f.refs.Add(1)
		panic("appctx: Release of a released Frame")
	}

	f.mu.Lock()
	list, parent := f.seal(), f.parent
	f.list, f.parent = nil, nil
	f.sealed.Store(&noSlots)
	f.mu.Unlock()

	var errs []error
	for _, s := range slices.Backward(list.slots) {
		if c, ok := s.value.(io.Closer); ok && s.owned {
			errs = append(errs, closeValue(s.key, c))
		}
	}
	if parent != nil {
		errs = append(errs, parent.Release())
	}
	return errors.Join(errs...)
}

// closeValue closes a value and turns a panic into an error.
func closeValue(key *frameKey, c io.Closer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{Key: key.name, Value: r, Stack: debug.Stack()}
		}
	}()
	return c.Close()
}

// find returns the value stored under key. The list is scanned: a frame holds a
// handful of values, where a scan beats a map in time and in memory.
func (f *Frame) find(key *frameKey) (any, bool) {
	if l := f.sealed.Load(); l != nil {
		return l.find(key)
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.list == nil {
		return nil, false
	}
	return f.list.find(key)
}

func (l *slotList) find(key *frameKey) (any, bool) {
	for i := range l.slots {
		if l.slots[i].key == key {
			return l.slots[i].value, true
		}
	}
	return nil, false
}

// put stores a value; mu is held and the frame is open. A replaced value is no
// longer the frame's to close.
func (f *Frame) put(key *frameKey, v any) {
	if f.list != nil {
		for i := range f.list.slots {
			if s := &f.list.slots[i]; s.key == key {
				s.value, s.owned = v, true
				return
			}
		}
	}
	f.add(frameSlot{key: key, value: v, owned: true})
}

// add appends a value; mu is held, or nobody else knows the frame.
func (f *Frame) add(s frameSlot) {
	if f.list == nil {
		f.list = newSlotList()
	}
	f.list.slots = append(f.list.slots, s)
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
