// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"iter"
	"reflect"
	"slices"
	"sync"

	"github.com/wippyrun/kit/registry/internal/suggest"
	"github.com/wippyrun/kit/registry/internal/wildcard"
)

// Listener makes entries of some kinds effective. Its methods are called one at a
// time while a change is in progress; the context ends after the time given by
// WithTimeout or when the caller of the change gives up, and a listener should return
// then. An error rejects the operation and with it the whole change; whatever was
// accepted before is undone by calls with the inverse operation. An error of kind
// NotFound means "not yet": the operation is tried again after the others. An error with
// a method Field() string that names a path such as "data.pool.size" is reported by
// LoadState at the place of that field.
//
// A listener may read the registry: it sees the state before the change. Pending
// gives it the state as changed so far. It must not change the registry with this
// context; that returns ErrReentrant.
type Listener interface {
	Create(ctx context.Context, e Entry) error
	Update(ctx context.Context, old, next Entry) error
	Delete(ctx context.Context, e Entry) error
}

// Transactor is a Listener that wants to know where a change begins and ends. Begin
// is called before the first operation of a change and may reject it. Commit is called
// after the last, before the change is stored and becomes visible, and may reject it.
// Discard is called in place of Commit, or after it when another participant or the
// history rejected, once the inverse operations were done; its error is only logged.
// A value registered for several kinds is called once.
type Transactor interface {
	Begin(ctx context.Context) error
	Commit(ctx context.Context) error
	Discard(ctx context.Context) error
}

// Finisher is implemented by a Transactor that acts on the outcome of a transaction. A
// vote in Commit may still be overruled, by another participant or by the history;
// Committed is called when the new state is stored and can be read, instead of
// Discard. It must not block.
type Finisher interface {
	Committed(ctx context.Context)
}

// ListenOption changes what a listener is registered for.
type ListenOption interface{ applyListen(*listenerRoute) }

type kindsOption []string

func (k kindsOption) applyListen(r *listenerRoute) { r.kinds = append(r.kinds, k...) }

// Kinds names the kinds a listener really handles when its pattern is a wildcard.
// They are only used to suggest a correction for an unknown kind.
func Kinds(kinds ...string) ListenOption { return kindsOption(kinds) }

type listenerRoute struct {
	pattern  wildcard.Pattern
	listener Listener
	kinds    []string
}

type observerRoute struct {
	pattern wildcard.Pattern
	observe func(Op)
}

// routes is an immutable set of listeners and observers; adding one makes a new set.
type routes struct {
	listeners []listenerRoute
	observers []observerRoute
	parts     []Transactor // distinct, in order of registration
	byKind    sync.Map     // kind → []Listener, filled on first use
}

func (r *routes) with(change func(*routes)) *routes {
	n := &routes{listeners: slices.Clone(r.listeners), observers: slices.Clone(r.observers), parts: slices.Clone(r.parts)}
	change(n)
	return n
}

func (r *routes) forKind(kind string) []Listener {
	if ls, ok := r.byKind.Load(kind); ok {
		return ls.([]Listener)
	}
	var ls []Listener
	for _, l := range r.listeners {
		if l.pattern.Match(kind) {
			ls = append(ls, l.listener)
		}
	}
	if len(ls) > 0 { // kinds nobody handles come from outside and must not pile up
		r.byKind.Store(kind, ls)
	}
	return ls
}

func sameValue(a, b any) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

// Listen registers a listener for the kinds that match the pattern. Several listeners
// of one kind are called in the order of registration. Entries already present are
// not announced.
func (r *Registry) Listen(kindPattern string, l Listener, opts ...ListenOption) error {
	if kindPattern == "" || l == nil {
		return invalidf("registry: Listen needs a kind pattern and a listener")
	}
	route := listenerRoute{pattern: wildcard.Compile(kindPattern), listener: l}
	for _, o := range opts {
		o.applyListen(&route)
	}
	route.kinds = append(route.kinds, wildcard.Literals(kindPattern, 64)...)
	r.changeRoutes(func(n *routes) {
		n.listeners = append(n.listeners, route)
		t, ok := l.(Transactor)
		if ok && !slices.ContainsFunc(n.parts, func(o Transactor) bool { return sameValue(o, t) }) {
			n.parts = append(n.parts, t)
		}
	})
	return nil
}

// Observe registers a function that is told about every operation on entries whose
// kind matches, after the change is durable and visible and before the call that made
// it returns. Observers are called in order of registration, for one change at a time.
// An observer must not change the registry itself (it would wait for itself); it may
// start a goroutine that does. A panic in it is logged.
func (r *Registry) Observe(kindPattern string, observe func(Op)) error {
	if kindPattern == "" || observe == nil {
		return invalidf("registry: Observe needs a kind pattern and a function")
	}
	r.changeRoutes(func(n *routes) {
		n.observers = append(n.observers, observerRoute{wildcard.Compile(kindPattern), observe})
	})
	return nil
}

func (r *Registry) changeRoutes(change func(*routes)) {
	for {
		old := r.routes.Load()
		if r.routes.CompareAndSwap(old, old.with(change)) {
			return
		}
	}
}

// HasListener reports whether entries of the kind can be activated: a listener
// matches, or the kind is internal.
func (r *Registry) HasListener(kind string) bool {
	return r.internal(kind) || len(r.routes.Load().forKind(kind)) > 0
}

// KindSuggestions returns the known kinds nearest to a misspelt one, best first.
func (r *Registry) KindSuggestions(kind string) []string {
	return suggest.Nearest(kind, r.knownKinds(), 3)
}

func (r *Registry) knownKinds() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, l := range r.routes.Load().listeners {
			for _, k := range l.kinds {
				if !yield(k) {
					return
				}
			}
		}
		for _, k := range r.cfg.internal {
			if !yield(k) {
				return
			}
		}
	}
}
