// SPDX-License-Identifier: Apache-2.0

package appctx

import "sync/atomic"

// lastKey is the index given to the newest key. Index 0 is never given out, so
// the zero Key can be told from a real one. Written only by NewKey.
var lastKey atomic.Uint32

// Key identifies one value of type T in any [Dict]. It is a small value, free to
// copy and to compare; two keys are equal only when one is a copy of the other,
// so two packages may use the same name without meeting.
//
// The zero Key is not usable: Get finds nothing and Set panics.
type Key[T any] struct {
	index uint32
	name  string
}

// box carries a value in a slot. A slot is reached through a key whose index was
// given out once, so the type assertion on it is one comparison of type words.
// Storing T itself in an interface would make that assertion an itab search
// whenever T is an interface type.
type box[T any] struct{ value T }

// NewKey makes a key. The name appears in panics and in [Dict.Names]; it does not
// have to be unique.
//
// Every call takes a new process-wide index and every Dict is as long as the
// largest index used in it: make keys in package variables, not per request.
// NewKey may be called concurrently.
func NewKey[T any](name string) Key[T] {
	return Key[T]{index: lastKey.Add(1), name: name}
}

// Name returns the name given to [NewKey].
func (k Key[T]) Name() string { return k.name }

// Set stores v in d under k. A key can be set once per Dict: a second Set panics
// with "cannot overwrite AppContext key: key already set", and a Set after
// [Dict.Seal] panics with "cannot modify sealed AppContext"; both texts end with
// the key's name. The Dict stays usable after either panic.
//
// Set may be called concurrently with every other method.
func (k Key[T]) Set(d *Dict, v T) {
	d.put(k.index, k.name, &box[T]{value: v})
}

// Get returns the value stored in d under k. It reports false, and the zero T,
// when nothing was stored or d is nil.
//
// Get takes no lock and allocates nothing, whether d is sealed or not. It is kept
// within what the compiler inlines, and MustGet, which is at the limit, with it (-m
// tells); BenchmarkSealedGet. A table with its first slots in place, one load less, was
// no faster.
func (k Key[T]) Get(d *Dict) (v T, ok bool) {
	if d == nil {
		return
	}
	if t := d.table.Load(); t != nil && int(k.index) < len(t.slots) {
		if b, set := t.slots[k.index].(*box[T]); set {
			return b.value, true
		}
	}
	return
}

// MustGet returns the value stored in d under k and panics, naming the key, when
// there is none. It is for references whose absence is a programming error.
func (k Key[T]) MustGet(d *Dict) T {
	v, ok := k.Get(d)
	if !ok {
		panic("appctx: missing AppContext key: " + k.name)
	}
	return v
}

// Set stores v in d under k; see [Key.Set].
func Set[T any](d *Dict, k Key[T], v T) { k.Set(d, v) }

// Get returns the value stored in d under k; see [Key.Get].
func Get[T any](d *Dict, k Key[T]) (T, bool) { return k.Get(d) }

// MustGet returns the value stored in d under k or panics; see [Key.MustGet].
func MustGet[T any](d *Dict, k Key[T]) T { return k.MustGet(d) }
