// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"slices"
	"sync/atomic"

	"github.com/wippyrun/kit/relay"
)

// Monitor makes caller learn, once, how target ends. The caller need not be a registered process. The
// error is [ErrNotRegistered] or [ErrAlreadyMonitoring].
func (t *Topology) Monitor(caller, target relay.PID) error {
	p := t.lock2(caller, target)
	defer p.unlock()
	e, ok := p.b.attach(target)
	if !ok {
		return ErrNotRegistered.With("pid", target.String())
	}
	if !e.watchers.add(caller) {
		return ErrAlreadyMonitoring.With("pid", target.String())
	}
	if c, ok := p.a.attach(caller); ok {
		c.watching.add(target)
	}
	return nil
}

// Unmonitor undoes Monitor. It does nothing when caller does not monitor target. An event that is under
// way already still arrives.
func (t *Topology) Unmonitor(caller, target relay.PID) {
	p := t.lock2(caller, target)
	defer p.unlock()
	p.b.detach(target, func(e *edges) { e.watchers.remove(caller) })
	p.a.detach(caller, func(e *edges) { e.watching.remove(target) })
}

// Link ties two processes together: when one fails, the other is told. Linking twice, and a process with
// itself, is fine and changes nothing. The error is [ErrNotRegistered].
func (t *Topology) Link(a, b relay.PID) error {
	p := t.lock2(a, b)
	defer p.unlock()
	if _, ok := p.a.procs[a]; !ok {
		return ErrNotRegistered.With("pid", a.String())
	}
	if _, ok := p.b.procs[b]; !ok {
		return ErrNotRegistered.With("pid", b.String())
	}
	if a == b {
		return nil
	}
	ea, _ := p.a.attach(a)
	ea.links.add(b)
	eb, _ := p.b.attach(b)
	eb.links.add(a)
	return nil
}

// Unlink undoes Link. It does nothing when the two are not linked.
func (t *Topology) Unlink(a, b relay.PID) {
	p := t.lock2(a, b)
	defer p.unlock()
	p.a.detach(a, func(e *edges) { e.links.remove(b) })
	p.b.detach(b, func(e *edges) { e.links.remove(a) })
}

// watch is a Go function waiting for the end of a process.
type watch struct {
	f    func(Result)
	done atomic.Bool // set by whoever comes first: the end of the process or the cancellation
}

func (w *watch) fire(r Result) {
	if !w.done.Swap(true) {
		w.f(r)
	}
}

// Watch calls f, once, with the way target ends. f runs on the goroutine that completes the process: it
// must not block. cancel takes the watch back; after it f is not called unless it is running already.
// The error is [ErrNotRegistered].
func (t *Topology) Watch(target relay.PID, f func(Result)) (cancel func(), err error) {
	s := t.shard(target)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.attach(target)
	if !ok {
		return nil, ErrNotRegistered.With("pid", target.String())
	}
	w := &watch{f: f}
	e.funcs = append(e.funcs, w)
	return func() {
		if w.done.Swap(true) {
			return
		}
		t.detach(target, func(e *edges) {
			e.funcs = slices.DeleteFunc(e.funcs, func(other *watch) bool { return other == w })
		})
	}, nil
}
