// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"log/slog"
	"slices"
)

// batch is what one transaction changes.
type batch struct {
	remove map[string]bool
	add    map[string]*member
}

// Begin opens a transaction. Register and Remove only work inside one.
func (s *Supervisor) Begin(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrStopped
	case s.tx != nil:
		return ErrInTransaction
	}
	s.tx = &batch{remove: map[string]bool{}, add: map[string]*member{}}
	return nil
}

// Register adds a service. deps are the references of its entry, followed through entries that are no
// services; unlike lc.Requires they may lead nowhere. What lc.Requires names without a namespace is in that
// of id. Registering an id that exists and is not removed in the same transaction keeps the existing service
// as it is.
func (s *Supervisor) Register(id string, svc Service, lc Lifecycle, deps []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrStopped
	case s.tx == nil:
		return ErrOutsideTransaction.With("service_id", id)
	case id == "":
		return ErrNoID
	case svc == nil:
		return ErrNoService.With("service_id", id)
	}
	s.tx.add[id] = &member{newController(id, svc, lc.withDefaults().of(id), s.env), slices.Clone(deps)}
	return nil
}

// Remove takes a service away. It is stopped, after the removed services that depend on it, and forgotten. An
// unknown id is fine.
func (s *Supervisor) Remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrStopped
	case s.tx == nil:
		return ErrOutsideTransaction.With("service_id", id)
	}
	delete(s.tx.add, id)
	s.tx.remove[id] = true
	return nil
}

// Commit ends the transaction and returns at once. Its changes are carried out in the background, after
// those of earlier transactions: removed services stop, then new ones with AutoStart start, each after
// the services it depends on. A later transaction waits until the required services of this one have
// started or failed for the first time. Failures are logged and visible as states.
func (s *Supervisor) Commit(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrStopped
	case s.tx == nil:
		return ErrOutsideTransaction
	}
	if b := s.tx; len(b.add)+len(b.remove) > 0 {
		s.queue = append(s.queue, b)
	}
	s.tx = nil
	if s.draining == nil && len(s.queue) > 0 {
		s.draining = make(chan struct{})
		go s.drain()
	}
	return nil
}

// Discard ends the transaction without changing anything. Without a transaction it does nothing.
func (s *Supervisor) Discard(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tx = nil
	return nil
}

// drain carries out batches until there are none.
func (s *Supervisor) drain() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			close(s.draining)
			s.draining = nil
			s.mu.Unlock()
			return
		}
		b := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		s.removeServices(b)
		s.addServices(b)
	}
}

// removeServices stops and forgets what b removes.
func (s *Supervisor) removeServices(b *batch) {
	s.mu.Lock()
	g := s.graph()
	s.mu.Unlock()
	var ids []string
	for id := range b.remove {
		if g.members[id] != nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return
	}
	slices.Sort(ids)
	if err := stopAll(s.ctx, g, ids, true); err != nil {
		s.env.log.Warn("removed services did not stop cleanly", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.members, id)
		delete(s.blocked, id)
	}
}

// addServices takes in what b adds and starts what starts by itself.
func (s *Supervisor) addServices(b *batch) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.changes++
	changes := s.changes
	var again, ids []string
	for id := range s.blocked { // perhaps what they lacked is here now
		again = append(again, id)
	}
	for id, m := range b.add {
		if s.members[id] != nil {
			continue
		}
		s.members[id] = m
		if m.lc.AutoStart {
			ids = append(ids, id)
		}
	}
	g := s.graph()
	s.mu.Unlock()

	slices.Sort(ids)
	l := s.launch(g, ids)
	if l.err != nil {
		s.env.log.Error("services not started", "services", ids, "error", l.err)
		s.block(g, ids, l.err)
	} else {
		for _, id := range ids {
			go s.observe(l.nodes[id], changes, slog.LevelError)
		}
		s.awaitRequired(l, ids)
	}
	for _, id := range again {
		s.tryBlocked(g, changes, id)
	}
}

// tryBlocked starts a service that was not tried before. One at a time: services that block each other
// must not block the rest.
func (s *Supervisor) tryBlocked(g *graph, changes uint64, id string) {
	if l := s.launch(g, []string{id}); l.err == nil {
		go s.observe(l.nodes[id], changes, slog.LevelDebug)
	}
}

// block notes services that were not tried, for another try after the next change.
func (s *Supervisor) block(g *graph, ids []string, err error) {
	s.mu.Lock()
	for _, id := range ids {
		s.blocked[id] = true
	}
	s.mu.Unlock()
	for _, id := range ids {
		g.members[id].post(refused{err})
	}
}

// observe reports the outcome of a start nobody waits for. changes is the state of the services that it
// was based on: a service that turns out blocked after they have changed is tried again at once.
func (s *Supervisor) observe(n *launchNode, changes uint64, level slog.Level) {
	<-n.done
	id := n.member.id
	s.mu.Lock()
	delete(s.blocked, id)
	if s.closed {
		s.mu.Unlock()
		return
	}
	if n.blocked && s.members[id] == n.member {
		s.blocked[id] = true
	}
	var g *graph
	now := s.changes
	if s.blocked[id] && now != changes {
		g = s.graph()
	}
	s.mu.Unlock()
	if n.err != nil {
		s.env.tell(level, "service not started", id, n.err)
	}
	if g != nil {
		s.tryBlocked(g, now, id)
	}
}

// awaitRequired returns when the required services among ids have had their first outcome.
func (s *Supervisor) awaitRequired(l *launching, ids []string) {
	for _, id := range ids {
		n := l.nodes[id]
		if n.member.lc.Optional {
			continue
		}
		select {
		case <-n.done:
		case <-n.stumbled:
		case <-s.ctx.Done():
			return
		}
	}
}
