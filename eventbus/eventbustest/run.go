// SPDX-License-Identifier: Apache-2.0

package eventbustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/wippyrun/kit/eventbus"
)

// run is one check of one contract.
type run struct {
	ctx context.Context
	bus Bus

	mu     sync.Mutex
	errors []error // guarded by mu; found by callbacks
}

// fail notes an error that a callback has found.
func (r *run) fail(format string, args ...any) {
	r.mu.Lock()
	r.errors = append(r.errors, fmt.Errorf(format, args...))
	r.mu.Unlock()
}

func (r *run) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.errors...)
}

// wait waits for a channel to be closed or sent to.
func (r *run) wait(ch <-chan struct{}, what string) error {
	select {
	case <-ch:
		return nil
	case <-r.ctx.Done():
		return fmt.Errorf("%s: waited in vain", what)
	}
}

// block is what a callback does that gets stuck: it returns when release is closed, or
// else when the check is given up.
func (r *run) block(release <-chan struct{}) {
	select {
	case <-release:
	case <-r.ctx.Done():
	}
}

// inbox is a subscriber that collects paths.
type inbox struct {
	mu      sync.Mutex
	paths   []string
	awaited string // the path that closes came
	came    chan struct{}
}

func (i *inbox) add(ev eventbus.Event) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.paths = append(i.paths, ev.Path)
	if i.came != nil && ev.Path == i.awaited {
		close(i.came)
		i.came = nil
	}
}

// until waits until an event with that path has come and returns all paths so far.
func (i *inbox) until(r *run, path string) ([]string, error) {
	i.mu.Lock()
	came := make(chan struct{})
	if slices.Contains(i.paths, path) {
		close(came)
	} else {
		i.awaited, i.came = path, came
	}
	i.mu.Unlock()
	err := r.wait(came, fmt.Sprintf("event %q", path))
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.paths), err
}

// expect waits for the last of the paths that are wanted, and compares.
func (i *inbox) expect(r *run, want ...string) error {
	got, err := i.until(r, want[len(want)-1])
	if err != nil {
		return fmt.Errorf("%w; got %q, want %q", err, got, want)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}

func numbered(n int) []string {
	paths := make([]string, n)
	for i := range paths {
		paths[i] = fmt.Sprint(i)
	}
	return paths
}

func event(system, kind, path string) eventbus.Event {
	return eventbus.Event{System: system, Kind: kind, Path: path}
}

// exact is the pattern that every bus understands.
var exact = eventbus.Pattern{System: "s", Kind: "k"}

// publish publishes events that exact matches.
func (r *run) publish(paths ...string) {
	for _, path := range paths {
		r.bus.Publish(event("s", "k", path))
	}
}

func (r *run) subscribe(p eventbus.Pattern, handler func(eventbus.Event)) (Subscription, error) {
	s, err := r.bus.Subscribe(r.ctx, p, handler)
	if err != nil {
		return nil, fmt.Errorf("subscribe to %v: %w", p, err)
	}
	return s, nil
}

// inboxes subscribes a number of inboxes to exact.
func (r *run) inboxes(n int) ([]*inbox, []Subscription, error) {
	boxes, subs := make([]*inbox, n), make([]Subscription, n)
	for i := range boxes {
		boxes[i] = new(inbox)
		s, err := r.subscribe(exact, boxes[i].add)
		if err != nil {
			return nil, nil, err
		}
		subs[i] = s
	}
	return boxes, subs, nil
}
