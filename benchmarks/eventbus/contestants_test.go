// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"context"
	"sync"
	"testing"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"

	"github.com/wippyrun/kit/eventbus"
)

var (
	event   = eventbus.Event{System: "process", Kind: "process.started", Path: "app:worker", Data: 1}
	pattern = eventbus.Pattern{System: "process", Kind: "process.*"}
)

// bus is what the contestants have in common. Subscribers of subscribe are called one
// at a time each.
type bus struct {
	publish func()
	// subscribe adds a subscriber of what publish publishes, stuck one that never
	// finishes its first event.
	subscribe func(handle func())
	stuck     func(release <-chan struct{})
}

type contestant struct {
	name string
	open func(b *testing.B) bus
}

// contestants promise different things: ours has patterns, never lets a publisher wait
// and keeps subscribers apart; the channels have none of it; watermill has one topic per
// queue, a goroutine and an acknowledgement per delivery.
//
// watermill-sync makes the publisher wait for the acknowledgement; a stuck subscriber
// would stop it for ever.
var contestants = []contestant{
	{"ours", ours}, {"channels", channels}, {"watermill", water(false)}, {"watermill-sync", water(true)},
}

func ours(b *testing.B) bus {
	events := eventbus.New()
	b.Cleanup(func() {
		if err := events.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	subscribe := func(handle func(), opts ...eventbus.SubscribeOption) {
		if _, err := events.Subscribe(context.Background(), pattern, func(eventbus.Event) { handle() }, opts...); err != nil {
			b.Fatal(err)
		}
	}
	return bus{
		publish:   func() { events.Publish(event) },
		subscribe: func(handle func()) { subscribe(handle) },
		stuck: func(release <-chan struct{}) {
			subscribe(func() { <-release }, eventbus.Bounded(1024, eventbus.DropOldest))
		},
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

const topic = "process.process.started"

func water(wait bool) func(b *testing.B) bus {
	return func(b *testing.B) bus {
		p, _ := openWatermill(b, wait)
		return p
	}
}

func openWatermill(b *testing.B, wait bool) (bus, *gochannel.GoChannel) {
	pubsub := gochannel.NewGoChannel(gochannel.Config{OutputChannelBuffer: 1024, BlockPublishUntilSubscriberAck: wait}, watermill.NopLogger{})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	b.Cleanup(func() {
		cancel()
		if err := pubsub.Close(); err != nil {
			b.Error(err)
		}
		running.Wait()
	})
	payload := []byte("app:worker")
	subscribe := func(handle func()) {
		events, err := pubsub.Subscribe(ctx, topic)
		if err != nil {
			b.Fatal(err)
		}
		running.Go(func() {
			for m := range events {
				handle()
				m.Ack()
			}
		})
	}
	return bus{
		publish: func() {
			if err := pubsub.Publish(topic, message.NewMessage("1", payload)); err != nil {
				b.Error(err)
			}
		},
		subscribe: subscribe,
		// Every event gets a goroutine that waits for the stuck subscriber, so memory
		// grows for as long as it is stuck.
		stuck: func(release <-chan struct{}) { subscribe(func() { <-release }) },
	}, pubsub
}
