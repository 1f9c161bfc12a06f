// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"strings"
	"sync"

	"github.com/wippyrun/kit/registry/internal/wildcard"
)

// Change is what a Watch reports: the operations on watched entries that led to a
// version, in the order in which they were made.
type Change struct {
	Version Version
	Ops     Changeset
	// Combined is how many changes this one stands for: 1, or more after the watch fell
	// behind by more than its backlog. Then Ops is squashed, and empty when the changes
	// cancelled out.
	Combined int
}

// DefaultBacklog is how many changes wait in a Watch before further ones are combined.
// It is far above what a reader that works at all falls behind by; a backlog costs 100
// bytes per operation and keeps the entries of these operations in memory.
const DefaultBacklog = 256

// Watch follows entries. It needs no goroutine. Every change of a watched entry is
// reported once, in the order in which they were made; memory is bounded, since a watch
// that falls too far behind gets the latest changes combined, with at most one operation
// per entry. Its methods may be called concurrently.
type Watch struct {
	set      *watchers
	selector selector
	limit    int
	signal   chan struct{} // holds a token while something waits
	matched  Changeset     // used by notify only; guarded by set.mu

	mu      sync.Mutex // guards the rest
	waiting []Change
	closed  bool
}

// WatchOption changes how a Watch works.
type WatchOption interface{ applyWatch(*Watch) }

type backlogOption int

func (o backlogOption) applyWatch(w *Watch) { w.limit = max(int(o), 1) }

// Backlog sets how many changes may wait before further ones are combined with the last
// of them. Default: DefaultBacklog. With 1 a reader that is late gets one change that
// leads to the present state.
func Backlog(changes int) WatchOption { return backlogOption(changes) }

// selector chooses entries by their ID.
type selector struct {
	id       ID // when exact
	exact    bool
	ns, name wildcard.Pattern
}

func parseSelector(text string) (selector, error) {
	ns, name, ok := strings.Cut(text, ":")
	if !ok || name == "" {
		return selector{}, invalidf("watch selector %q must have the form namespace:name", text)
	}
	return selector{
		id: NewID(ns, name), exact: !wildcard.IsWild(ns) && !wildcard.IsWild(name),
		ns: wildcard.Compile(ns), name: wildcard.Compile(name),
	}, nil
}

func (s *selector) match(id ID) bool { return s.ns.Match(id.Namespace) && s.name.Match(id.Name) }

// watchers are the open watches: those of one entry by its ID, so that a change does not
// have to look at all of them, and those of patterns.
type watchers struct {
	mu       sync.Mutex // guards the rest
	exact    map[ID]map[*Watch]struct{}
	patterns map[*Watch]struct{}
	closed   bool
}

// Watch starts to follow the entries the selector names: an ID, or a pattern for the
// namespace and one for the name joined by a colon, such as "app.**:*". Changes made
// after Watch returned are reported. Close the watch when it is no longer needed.
func (r *Registry) Watch(selector string, opts ...WatchOption) (*Watch, error) {
	sel, err := parseSelector(selector)
	if err != nil {
		return nil, err
	}
	w := &Watch{set: &r.watch, selector: sel, limit: DefaultBacklog, signal: make(chan struct{}, 1)}
	for _, o := range opts {
		o.applyWatch(w)
	}
	if !r.watch.add(w) {
		return nil, ErrClosed
	}
	return w, nil
}

// Next waits for the next change and returns it; the caller owns its Ops, not the entries
// in them. After Close, or after the registry was closed, it returns what still waits and
// then ErrClosed.
func (w *Watch) Next(ctx context.Context) (Change, error) {
	for {
		w.mu.Lock()
		if len(w.waiting) > 0 {
			c := w.waiting[0]
			w.waiting[0] = Change{} // for the garbage collector
			w.waiting = w.waiting[1:]
			more := len(w.waiting) > 0 || w.closed
			w.mu.Unlock()
			if more {
				w.wake() // another reader, if there is one
			}
			return c, nil
		}
		closed := w.closed
		w.mu.Unlock()
		if closed {
			w.wake()
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
	w.set.remove(w)
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

// deliver hands over what matched the change to v.
func (w *Watch) deliver(v Version) {
	ops := w.matched
	w.matched = nil
	w.mu.Lock()
	if n := len(w.waiting); n < w.limit {
		w.waiting = append(w.waiting, Change{Version: v, Ops: ops, Combined: 1})
	} else {
		last := &w.waiting[n-1]
		last.Version = v
		last.Ops = append(last.Ops, ops...).Squash()
		last.Combined++
	}
	w.mu.Unlock()
	w.wake()
}

func (s *watchers) add(w *Watch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.patterns == nil {
		s.patterns, s.exact = map[*Watch]struct{}{}, map[ID]map[*Watch]struct{}{}
	}
	if !w.selector.exact {
		s.patterns[w] = struct{}{}
		return true
	}
	same := s.exact[w.selector.id]
	if same == nil {
		same = map[*Watch]struct{}{}
		s.exact[w.selector.id] = same
	}
	same[w] = struct{}{}
	return true
}

func (s *watchers) remove(w *Watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.patterns, w)
	if same := s.exact[w.selector.id]; w.selector.exact {
		if delete(same, w); len(same) == 0 {
			delete(s.exact, w.selector.id)
		}
	}
}

// notify tells every watch what of the change concerns it. It is called for one change
// after the other, once the state can be read.
func (s *watchers) notify(v Version, c Changeset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.patterns)+len(s.exact) == 0 {
		return
	}
	var concerned []*Watch
	note := func(w *Watch, op Op) {
		if len(w.matched) == 0 {
			concerned = append(concerned, w)
		}
		w.matched = append(w.matched, op)
	}
	for _, op := range c {
		for w := range s.exact[op.Entry.ID] {
			note(w, op)
		}
		for w := range s.patterns {
			if w.selector.match(op.Entry.ID) {
				note(w, op)
			}
		}
	}
	for _, w := range concerned {
		w.deliver(v)
	}
}

func (s *watchers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for w := range s.patterns {
		w.end()
	}
	for _, same := range s.exact {
		for w := range same {
			w.end()
		}
	}
	clear(s.patterns)
	clear(s.exact)
}
