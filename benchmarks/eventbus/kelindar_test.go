// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"context"
	"testing"
	"time"

	kelindarevent "github.com/kelindar/event"

	"github.com/wippyrun/kit/eventbus"
)

// wanted and unwanted are types of events, which is what kelindar/event has for topics.
type (
	wanted   struct{ eventbus.Event }
	unwanted struct{ eventbus.Event }
)

func (wanted) Type() uint32   { return 1 }
func (unwanted) Type() uint32 { return 2 }

// kelindar has no stuck: after 50 000 events that one subscriber has not taken, Publish
// waits for it.
func kelindar(b *testing.B) bus {
	d := kelindarevent.NewDispatcher()
	var cancels []context.CancelFunc
	b.Cleanup(func() {
		for _, cancel := range cancels {
			cancel()
		}
		<-time.After(2 * time.Millisecond) // goroutines end when the next tick wakes them
		if err := d.Close(); err != nil {
			b.Error(err)
		}
	})
	return bus{
		publish: func() { kelindarevent.Publish(d, wanted{event}) },
		subscribe: func(handle func()) {
			cancels = append(cancels, kelindarevent.Subscribe(d, func(wanted) { handle() }))
		},
		others: func(n int) {
			for range n {
				cancels = append(cancels, kelindarevent.Subscribe(d, func(unwanted) {}))
			}
		},
	}
}
