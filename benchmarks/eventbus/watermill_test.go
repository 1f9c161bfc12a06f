// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"
)

// water is watermill's GoChannel. With wait the publisher waits for acknowledgements, and
// a stuck subscriber would stop it for ever; without, every delivery gets a goroutine, and
// those for a stuck subscriber stay.
func water(wait bool) func(b *testing.B) bus {
	return func(b *testing.B) bus {
		const topic = "process.process.started"
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
		subscribe := func(topic string, handle func()) {
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
		p := bus{
			publish: func() {
				if err := pubsub.Publish(topic, message.NewMessage("1", payload)); err != nil {
					b.Error(err)
				}
			},
			subscribe: func(handle func()) { subscribe(topic, handle) },
			others: func(n int) {
				for i := range n {
					subscribe(fmt.Sprintf("other.%d", i), func() {})
				}
			},
		}
		if !wait {
			p.stuck = func(release <-chan struct{}) { subscribe(topic, func() { <-release }) }
		}
		return p
	}
}
