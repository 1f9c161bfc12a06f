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

func endsWithTheContext(r *run) error {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	var ended, other inbox
	s, err := r.bus.Subscribe(ctx, exact, ended.add)
	if err != nil {
		return err
	}
	if _, err := r.subscribe(exact, other.add); err != nil {
		return err
	}
	r.publish("1")
	if err := ended.expect(r, "1"); err != nil {
		return err
	}
	cancel()
	if err := r.wait(s.Done(), "Done after the end of the context"); err != nil {
		return err
	}
	r.publish("2")
	if err := other.expect(r, "1", "2"); err != nil {
		return err
	}
	return ended.expect(r, "1")
}

func refusesAnEndedContext(r *run) error {
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(r.ctx)
	cancel(cause)
	_, err := r.bus.Subscribe(ctx, exact, func(eventbus.Event) {})
	if !errors.Is(err, cause) && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("got error %v, want that of the context", err)
	}
	return nil
}

func containsPanics(r *run) error {
	var box inbox
	boxes, _, err := r.inboxes(1)
	if err != nil {
		return err
	}
	if _, err := r.subscribe(exact, func(ev eventbus.Event) {
		box.add(ev)
		if ev.Path == "1" {
			panic("eventbustest: on purpose")
		}
	}); err != nil {
		return err
	}
	more, _, err := r.inboxes(1)
	if err != nil {
		return err
	}
	r.publish(numbered(5)...)
	return errors.Join(box.expect(r, numbered(5)...), boxes[0].expect(r, numbered(5)...), more[0].expect(r, numbered(5)...))
}

func stopDeliversWhatWasPublished(r *run) error {
	boxes, _, err := r.inboxes(3)
	if err != nil {
		return err
	}
	paths := numbered(2000)
	r.publish(paths...)
	if err := r.bus.Stop(r.ctx); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	for _, box := range boxes {
		box.mu.Lock()
		got := slices.Clone(box.paths)
		box.mu.Unlock()
		if !slices.Equal(got, paths) {
			return fmt.Errorf("%d of %d events were delivered, or in another order", len(got), len(paths))
		}
	}
	return nil
}

func refusesAfterStop(r *run) error {
	var called sync.Once
	boxes, subs, err := r.inboxes(1)
	if err != nil {
		return err
	}
	if err := r.bus.Stop(r.ctx); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if err := r.wait(subs[0].Done(), "Done of a subscription of a stopped bus"); err != nil {
		return err
	}
	if _, err := r.bus.Subscribe(r.ctx, exact, func(eventbus.Event) {
		called.Do(func() { r.fail("called after Stop") })
	}); !errors.Is(err, eventbus.ErrClosed) {
		return fmt.Errorf("subscribing gives %v, want %v", err, eventbus.ErrClosed)
	}
	r.publish("late")
	subs[0].Close()
	if err := r.bus.Stop(r.ctx); err != nil {
		return fmt.Errorf("stopping again: %w", err)
	}
	boxes[0].mu.Lock()
	defer boxes[0].mu.Unlock()
	if len(boxes[0].paths) > 0 {
		return fmt.Errorf("got %q after Stop", boxes[0].paths)
	}
	return nil
}

// drops checks a policy with a subscriber that is held in its first event while ten more
// come to a queue of four.
func drops(policy eventbus.Policy) func(*run) error {
	const capacity = 4
	want := map[eventbus.Policy][]string{
		eventbus.DropOldest:       {"first", "6", "7", "8", "9"},
		eventbus.DropNewest:       {"first", "0", "1", "2", "3"},
		eventbus.CancelOnOverflow: {"first"},
	}[policy]
	return func(r *run) error {
		bus, ok := r.bus.(BoundedBus)
		if !ok {
			return fmt.Errorf("%T declares Policies and is no BoundedBus", r.bus)
		}
		var box inbox
		var once sync.Once
		entered, release := make(chan struct{}), make(chan struct{})
		s, err := bus.SubscribeBounded(r.ctx, exact, func(ev eventbus.Event) {
			box.add(ev)
			once.Do(func() {
				close(entered)
				r.block(release)
			})
		}, capacity, policy)
		if err != nil {
			return err
		}
		var free sync.Once
		letGo := func() { free.Do(func() { close(release) }) }
		defer letGo()
		others, _, err := r.inboxes(1)
		if err != nil {
			return err
		}
		if err := r.publishAside("first"); err != nil {
			return err
		}
		if err := r.wait(entered, "first callback"); err != nil {
			return err
		}
		for _, path := range numbered(10) {
			// One by one, so that each has reached the queue when the next one comes.
			if err := r.publishAside(path); err != nil {
				return err
			}
			if _, err := others[0].until(r, path); err != nil {
				return err
			}
		}
		letGo()
		if policy == eventbus.CancelOnOverflow {
			if err := r.wait(s.Done(), "Done after an overflow"); err != nil {
				return err
			}
		}
		if err := box.expect(r, want...); err != nil {
			return err
		}
		if n := s.Dropped(); policy != eventbus.CancelOnOverflow && n != 6 || n == 0 {
			return fmt.Errorf("%d events were counted as dropped", n)
		}
		return nil
	}
}
