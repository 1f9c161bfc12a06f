// SPDX-License-Identifier: Apache-2.0

package eventbustest

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wippyrun/kit/eventbus"
)

func showsAllSubscribersOneOrder(r *run) error {
	const publishers, each = 4, 500
	boxes, _, err := r.inboxes(3)
	if err != nil {
		return err
	}
	concurrently(publishers, func(p int) {
		for i := range each {
			r.publish(fmt.Sprintf("%d/%d", p, i))
		}
	})
	r.publish("last")
	var first []string
	for i, box := range boxes {
		paths, err := box.until(r, "last")
		switch {
		case err != nil:
			return err
		case i == 0:
			first = paths
		case !slices.Equal(paths, first):
			return fmt.Errorf("subscribers 0 and %d see different orders", i)
		}
	}
	return nil
}

func callsBackOneAtATime(r *run) error {
	var inside atomic.Int32
	var box inbox
	if _, err := r.subscribe(exact, func(ev eventbus.Event) {
		if inside.Add(1) > 1 {
			r.fail("event %s: callback entered while it was running", ev.Path)
		}
		runtime.Gosched() // opportunity for another one
		inside.Add(-1)
		box.add(ev)
	}); err != nil {
		return err
	}
	concurrently(4, func(int) {
		for range 200 {
			r.publish("")
		}
	})
	r.publish("last")
	_, err := box.until(r, "last")
	return err
}

// stuckSubscriberDelaysNobody has more callbacks stuck than there are processors, before
// and behind the ones that are to go on.
func stuckSubscriberDelaysNobody(r *run) error {
	release := make(chan struct{})
	defer close(release)
	var boxes []*inbox
	for range runtime.GOMAXPROCS(0) + 1 {
		var once sync.Once
		entered := make(chan struct{})
		if _, err := r.subscribe(exact, func(eventbus.Event) {
			once.Do(func() { close(entered) })
			r.block(release)
		}); err != nil {
			return err
		}
		more, _, err := r.inboxes(1)
		if err != nil {
			return err
		}
		boxes = append(boxes, more...)
		if err := r.publishAside("first"); err != nil {
			return err
		}
		if err := r.wait(entered, "callback of a subscriber that will be stuck"); err != nil {
			return err
		}
	}
	if err := r.publishAside(numbered(500)...); err != nil {
		return err
	}
	for _, box := range boxes {
		paths, err := box.until(r, "499")
		if err != nil {
			return err
		}
		paths = slices.DeleteFunc(paths, func(path string) bool { return path == "first" })
		if !slices.Equal(paths, numbered(500)) {
			return fmt.Errorf("got %q", paths)
		}
	}
	return nil
}

// publishAside publishes where it does no harm if that blocks.
func (r *run) publishAside(paths ...string) error {
	published := make(chan struct{})
	go func() {
		r.publish(paths...)
		close(published)
	}()
	return r.wait(published, "publishing")
}

func closesFromACallback(r *run) error {
	var once, own inbox
	ready := make(chan struct{})
	var self Subscription
	self, err := r.subscribe(exact, func(ev eventbus.Event) {
		<-ready
		once.add(ev)
		self.Close()
	})
	if err != nil {
		return err
	}
	close(ready)
	if _, err := r.subscribe(exact, own.add); err != nil {
		return err
	}
	r.publish(numbered(100)...)
	if err := r.wait(self.Done(), "Done of a subscription closed from its callback"); err != nil {
		return err
	}
	if err := own.expect(r, numbered(100)...); err != nil {
		return err
	}
	return once.expect(r, "0")
}

func publishesFromACallback(r *run) error {
	var box inbox
	if _, err := r.subscribe(eventbus.Pattern{System: "ask", Kind: "k"}, func(ev eventbus.Event) { r.publish(ev.Path) }); err != nil {
		return err
	}
	if _, err := r.subscribe(exact, box.add); err != nil {
		return err
	}
	for _, path := range numbered(100) {
		r.bus.Publish(event("ask", "k", path))
	}
	return box.expect(r, numbered(100)...)
}

func subscribesFromACallback(r *run) error {
	var box inbox
	subscribed := make(chan struct{})
	if _, err := r.subscribe(eventbus.Pattern{System: "ask", Kind: "k"}, func(eventbus.Event) {
		if _, err := r.subscribe(exact, box.add); err != nil {
			r.fail("from a callback: %w", err)
		}
		close(subscribed)
	}); err != nil {
		return err
	}
	r.bus.Publish(event("ask", "k", ""))
	if err := r.wait(subscribed, "callback"); err != nil {
		return err
	}
	r.publish("1")
	return box.expect(r, "1")
}
