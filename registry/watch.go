// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"strings"
	"sync"

	"github.com/wippyrun/kit/registry/internal/wildcard"
)

// Change is what a Watch reports: the operations on watched entries that led to a
// version.
type Change struct {
	Version Version
	Ops     Changeset
}

// Watch follows entries. It needs no goroutine and its memory is bounded: changes that
// were not taken yet are combined, so at most one operation per entry waits.
type Watch struct {
	set    *watchers
	ns     wildcard.Pattern
	name   wildcard.Pattern
	signal chan struct{} // holds a token while something waits

	mu      sync.Mutex // guards the rest
	waiting Change
	closed  bool
}

type watchers struct {
	mu     sync.Mutex // guards the rest
	all    map[*Watch]struct{}
	closed bool
}

// Watch starts to follow the entries the selector names: an ID, or a pattern for the
// namespace and one for the name joined by a colon, such as "app.**:*". Changes made
// after Watch returned are reported. Close the watch when it is no longer needed.
func (r *Registry) Watch(selector string) (*Watch, error) {
	ns, name, ok := strings.Cut(selector, ":")
	if !ok || name == "" {
		return nil, invalidf("watch selector %q must have the form namespace:name", selector)
	}
	w := &Watch{set: &r.watch, ns: wildcard.Compile(ns), name: wildcard.Compile(name), signal: make(chan struct{}, 1)}
	r.watch.mu.Lock()
	defer r.watch.mu.Unlock()
	if r.watch.closed {
		return nil, ErrClosed
	}
	if r.watch.all == nil {
		r.watch.all = map[*Watch]struct{}{}
	}
	r.watch.all[w] = struct{}{}
	return w, nil
}

// Next waits for the next change and returns it. After Close, or after the registry was
// closed, it returns what still waits and then ErrClosed.
func (w *Watch) Next(ctx context.Context) (Change, error) {
	for {
		w.mu.Lock()
		c, closed := w.waiting, w.closed
		w.waiting = Change{}
		w.mu.Unlock()
		switch {
		case len(c.Ops) > 0:
			return c, nil
		case closed:
			return Change{}, ErrClosed
		}
		select {
		case <-w.signal:
		case <-ctx.Done():
			return Change{}, ctx.Err()
		}
	}
}

// Close ends the watch and wakes up Next.
func (w *Watch) Close() {
	w.set.mu.Lock()
	delete(w.set.all, w)
	w.set.mu.Unlock()
	w.end()
}

func (w *Watch) end() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.wake()
}

func (w *Watch) wake() {
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

func (w *Watch) add(v Version, c Changeset) {
	var mine Changeset
	for _, op := range c {
		if w.ns.Match(op.Entry.ID.Namespace) && w.name.Match(op.Entry.ID.Name) {
			mine = append(mine, op)
		}
	}
	if len(mine) == 0 {
		return
	}
	w.mu.Lock()
	w.waiting.Version = v
	w.waiting.Ops = append(w.waiting.Ops, mine...).Squash()
	w.mu.Unlock()
	w.wake()
}

func (s *watchers) notify(v Version, c Changeset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.all {
		w.add(v, c)
	}
}

func (s *watchers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for w := range s.all {
		w.end()
	}
	clear(s.all)
}
