// SPDX-License-Identifier: Apache-2.0

package appctx

// Cloner is implemented by a frame value that a child must not share with its
// parent. Clone is called by [Frame.Fork], and by [Frame.Propagate] when the
// value is no [Propagator], on the goroutine that forks.
type Cloner[T any] interface {
	Clone() T
}

// Propagator is implemented by a frame value that has to change, or to stay
// behind, when it crosses into another process. Propagate returns the value for
// the child, which owns it, or false to leave the key out.
type Propagator[T any] interface {
	Propagate() (T, bool)
}

// FrameKey identifies one value of type T in any [Frame]. It is a small value,
// free to copy and to compare; the zero FrameKey is not usable: Get finds nothing
// and Set fails.
type FrameKey[T any] struct{ key *frameKey }

// frameKey is what a FrameKey points to. Its address is the identity of the key;
// the functions give untyped code (Fork) the key's type back.
type frameKey struct {
	name      string
	inherit   bool
	clone     func(any) (v any, cloned bool)
	propagate func(any) (v any, handled, keep bool)
}

// FrameOption configures a key; see [Inherit].
type FrameOption interface{ apply(*frameKey) }

type inheritOption struct{}

func (inheritOption) apply(k *frameKey) { k.inherit = true }

// String returns "Inherit".
func (inheritOption) String() string { return "Inherit" }

// Inherit makes the values of a key pass from a frame to its children. Without it
// a value stays in the frame it was set on.
func Inherit() FrameOption { return inheritOption{} }

// NewFrameKey makes a key. The name appears in errors and does not have to be
// unique. It may be called concurrently.
func NewFrameKey[T any](name string, opts ...FrameOption) FrameKey[T] {
	k := &frameKey{name: name, clone: cloneValue[T], propagate: propagateValue[T]}
	for _, o := range opts {
		o.apply(k)
	}
	return FrameKey[T]{key: k}
}

func cloneValue[T any](v any) (any, bool) {
	if c, ok := v.(Cloner[T]); ok {
		return c.Clone(), true
	}
	return v, false
}

func propagateValue[T any](v any) (any, bool, bool) {
	p, ok := v.(Propagator[T])
	if !ok {
		return nil, false, false
	}
	next, keep := p.Propagate()
	return next, true, keep
}

// Name returns the name given to [NewFrameKey], or "" for the zero FrameKey.
func (k FrameKey[T]) Name() string {
	if k.key == nil {
		return ""
	}
	return k.key.name
}

// Inherits reports whether children receive the key's value.
func (k FrameKey[T]) Inherits() bool { return k.key != nil && k.key.inherit }

// Set stores v in f, replacing an earlier value of the key; a replaced value is
// not closed. It fails with an error that wraps [ErrFrameSealed] when f is sealed
// or released, and with one that wraps [ErrZeroKey] for the zero FrameKey.
func (k FrameKey[T]) Set(f *Frame, v T) error {
	if k.key == nil {
		return &FrameError{Op: "set", Err: ErrZeroKey}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sealed.Load() != nil {
		return &FrameError{Op: "set", Key: k.key.name, Err: ErrFrameSealed}
	}
	f.put(k.key, v)
	return nil
}

// Get returns the value of k in f. It reports false, and the zero T, when there
// is none or f is nil. On a sealed frame it takes no lock; it allocates nothing.
func (k FrameKey[T]) Get(f *Frame) (T, bool) {
	var none T
	if f == nil || k.key == nil {
		return none, false
	}
	v, ok := f.find(k.key)
	if !ok {
		return none, false
	}
	// The assertion fails only for a nil value of an interface type T, where the
	// zero T is the value.
	t, _ := v.(T)
	return t, true
}

// To pairs the key with a value for [Frame.SetAll].
func (k FrameKey[T]) To(v T) Assignment {
	return Assignment{key: k.key, value: v}
}

// Assignment is a key and a value for it; see [FrameKey.To].
type Assignment struct {
	key   *frameKey
	value any
}

// SetAll stores several values at once: all of them, or none and an error that
// wraps [ErrFrameSealed] or [ErrZeroKey].
func (f *Frame) SetAll(values ...Assignment) error {
	for _, a := range values {
		if a.key == nil {
			return &FrameError{Op: "set", Err: ErrZeroKey}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sealed.Load() != nil {
		return ErrFrameSealed
	}
	for _, a := range values {
		f.put(a.key, a.value)
	}
	return nil
}
