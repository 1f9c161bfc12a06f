// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"slices"
	"sync"
)

// launching is a set of services being started, each after the services it needs.
type launching struct {
	nodes map[string]*launchNode
	err   error // nothing was started
}

// launchNode is one service being started.
type launchNode struct {
	member *member
	needs  []*launchNode
	done   chan struct{} // closed when the outcome is known
	err    error         // the outcome; valid after done
	// blocked says that the service was not tried because of a dependency; valid after done.
	blocked bool

	// stumbled is closed when the service, or one it waits for, has failed an attempt and will try again.
	stumbled chan struct{}
	once     sync.Once
}

func (n *launchNode) stumble() { n.once.Do(func() { close(n.stumbled) }) }

// launch begins to start ids and everything they need; independent services start at the same time.
func (s *Supervisor) launch(g *graph, ids []string) *launching {
	p := g.closure(ids)
	if path := p.cycle(); path != nil {
		return &launching{err: cycleError(path)}
	}
	l := &launching{nodes: make(map[string]*launchNode, len(p.ids))}
	for _, id := range p.ids {
		l.nodes[id] = &launchNode{member: g.members[id], done: make(chan struct{}), stumbled: make(chan struct{})}
	}
	for id, n := range l.nodes {
		for _, dep := range p.needs[id] {
			n.needs = append(n.needs, l.nodes[dep])
		}
		root := slices.Contains(ids, id)
		go func() {
			defer close(n.done)
			n.err = n.run(s.ctx, root, p.missing[id])
		}()
	}
	return l
}

// run starts the service once its needs are met. root says that it was asked for, not just needed.
func (n *launchNode) run(ctx context.Context, root bool, missing []string) error {
	if len(missing) > 0 {
		return n.block(missingError(n.member.id, missing))
	}
	for _, dep := range n.needs {
		if err := dep.await(ctx, n.stumble); err != nil {
			return n.block(blockedError(n.member.id, dep.member.id, err))
		}
	}
	if !root && n.member.satisfied() {
		return nil
	}
	t := n.member.start()
	select {
	case err := <-t.done:
		return err
	case <-t.tried:
		n.stumble()
	case <-ctx.Done():
		return ErrStopped
	}
	select {
	case err := <-t.done:
		return err
	case <-ctx.Done():
		return ErrStopped
	}
}

func (n *launchNode) block(err error) error {
	n.blocked = true
	n.member.post(refused{err})
	return err
}

// await returns the outcome of n and calls stumble as soon as n does.
func (n *launchNode) await(ctx context.Context, stumble func()) error {
	select {
	case <-n.done:
		return n.err
	case <-n.stumbled:
		stumble()
	case <-ctx.Done():
		return ErrStopped
	}
	select {
	case <-n.done:
		return n.err
	case <-ctx.Done():
		return ErrStopped
	}
}

// wait returns when the outcome of all ids is known.
func (l *launching) wait(ctx context.Context, ids []string) error {
	if l.err != nil {
		return l.err
	}
	var errs []error
	for _, id := range ids {
		n := l.nodes[id]
		select {
		case <-n.done:
			errs = append(errs, n.err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return several(ErrManyStartsFailed, errs)
}

// stopAll stops ids, each after those that need it; the ones of a circle stop at the same time.
// After a final stop they cannot be started again.
func stopAll(ctx context.Context, g *graph, ids []string, final bool) error {
	p := g.closure(ids)
	waitFor := map[string][]chan struct{}{} // id → the ends of its dependents
	done := map[string]chan struct{}{}
	for _, id := range ids {
		done[id] = make(chan struct{})
	}
	for _, id := range ids {
		for _, dep := range p.needs[id] {
			if done[dep] != nil && !p.reaches(dep, id) {
				waitFor[dep] = append(waitFor[dep], done[id])
			}
		}
	}
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			defer close(done[id])
			for _, end := range waitFor[id] {
				select {
				case <-end:
				case <-ctx.Done():
				}
			}
			errs[i] = g.members[id].stop(final).wait(ctx)
		})
	}
	wg.Wait()
	return several(ErrManyStopsFailed, errs)
}

// reaches reports whether from needs to, directly or not.
func (p *plan) reaches(from, to string) bool {
	seen := map[string]bool{}
	todo := []string{from}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if id == to {
			return true
		}
		if !seen[id] {
			seen[id] = true
			todo = append(todo, p.needs[id]...)
		}
	}
	return false
}
