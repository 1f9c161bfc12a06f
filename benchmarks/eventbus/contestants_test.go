// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/wippyrun/kit/eventbus"
)

var (
	event   = eventbus.Event{System: "process", Kind: "process.started", Path: "app:worker", Data: 1}
	pattern = eventbus.Pattern{System: "process", Kind: "process.*"}
)

// bus is what the contestants have in common. Callbacks of one subscriber are called one
// at a time.
type bus struct {
	publish   func()              // an event that the subscribers of subscribe want
	subscribe func(handle func()) // add a subscriber
	// stuck adds a subscriber that does not finish its first event before release is
	// closed.
	stuck func(release <-chan struct{})
	// others adds subscribers that do not want the event.
	others func(n int)
}

type contestant struct {
	name   string
	open   func(b *testing.B) bus
	topics bool // events can be told apart: there is others
	goesOn bool // a stuck subscriber does not stop publish for ever: there is stuck
}

// contestants promise different things. Ours has patterns, never lets a publisher wait and
// keeps subscribers apart. The channels have none of it. kelindar/event tells events apart
// by a number, collects them for half a millisecond and lets the publisher wait when a
// subscriber has 50 000 of them. watermill has one topic per queue, a goroutine and an
// acknowledgement per delivery; watermill-sync makes the publisher wait for that.
var contestants = []contestant{
	{name: "ours", open: ours, topics: true, goesOn: true},
	{name: "channels", open: channels, goesOn: true},
	{name: "kelindar", open: kelindar, topics: true},
	{name: "watermill", open: water(false), topics: true, goesOn: true},
	{name: "watermill-sync", open: water(true), topics: true},
}

func ours(b *testing.B) bus { return open(b, eventbus.Bounded(1024, eventbus.DropOldest)) }

// unbounded is ours with a stuck subscriber that keeps everything.
func unbounded(b *testing.B) bus { return open(b, eventbus.Bounded(1, eventbus.Unbounded)) }

func open(b *testing.B, whenStuck eventbus.SubscribeOption) bus {
	events := eventbus.New()
	b.Cleanup(func() {
		if err := events.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	subscribe := func(p eventbus.Pattern, handle func(), opts ...eventbus.SubscribeOption) {
		if _, err := events.Subscribe(context.Background(), p, func(eventbus.Event) { handle() }, opts...); err != nil {
			b.Fatal(err)
		}
	}
	return bus{
		publish:   func() { events.Publish(event) },
		subscribe: func(handle func()) { subscribe(pattern, handle) },
		stuck:     func(release <-chan struct{}) { subscribe(pattern, func() { <-release }, whenStuck) },
		others: func(n int) {
			for i := range n {
				subscribe(foreign(i), func() {})
			}
		},
	}
}

// foreign is a wildcard pattern that does not match event, though parts of it do.
func foreign(i int) eventbus.Pattern {
	switch i % 4 {
	case 0:
		return eventbus.Pattern{System: "(process|registry)", Kind: fmt.Sprintf("other.%d.**", i)}
	case 1:
		return eventbus.Pattern{System: "*", Kind: fmt.Sprintf("process.(started|stopped).%d", i)}
	case 2:
		return eventbus.Pattern{System: "**", Kind: fmt.Sprintf("*.x%d", i)}
	default:
		return eventbus.Pattern{System: "process", Kind: fmt.Sprintf("**.(a%d|b%d)", i, i)}
	}
}

// channels is what one writes by hand: a mutex, a slice of channels, a goroutine each.
// A publisher waits for the slowest subscriber; a stuck one must be skipped when its
// channel is full, or everything stops.
func channels(b *testing.B) bus {
	type queue struct {
		events chan eventbus.Event
		lossy  bool
	}
	var mu sync.RWMutex
	var queues []queue
	var running sync.WaitGroup
	b.Cleanup(func() {
		for _, q := range queues {
			close(q.events)
		}
		running.Wait()
	})
	subscribe := func(handle func(), lossy bool) {
		q := queue{make(chan eventbus.Event, 1024), lossy}
		mu.Lock()
		queues = append(queues, q)
		mu.Unlock()
		running.Go(func() {
			for range q.events {
				handle()
			}
		})
	}
	return bus{
		publish: func() {
			mu.RLock()
			defer mu.RUnlock()
			for _, q := range queues {
				if !q.lossy {
					q.events <- event
					continue
				}
				select {
				case q.events <- event:
				default:
				}
			}
		},
		subscribe: func(handle func()) { subscribe(handle, false) },
		stuck:     func(release <-chan struct{}) { subscribe(func() { <-release }, true) },
	}
}
