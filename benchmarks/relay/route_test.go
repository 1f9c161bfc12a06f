// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// sink is a host that does nothing: what is left is the cost of the route.
type sink struct{}

func (sink) Receive(*relay.Message) error { return nil }

// BenchmarkRouteLocal finds the host of a message among a hundred and hands it over.
func BenchmarkRouteLocal(b *testing.B) {
	const hosts = 100
	node := relay.NewNode("me")
	var byID sync.Map
	guarded := make(map[string]relay.Host)
	var mu sync.RWMutex
	for i := range hosts {
		id := fmt.Sprint("app:host", i)
		if err := node.Register(id, sink{}); err != nil {
			b.Fatal(err)
		}
		byID.Store(id, relay.Host(sink{}))
		guarded[id] = sink{}
	}
	router := relay.NewRouter(node)
	m := relay.NewMessage(relay.PID{}, relay.NewPID("", "app:host50", "0x00001"), "t", payload.New(1))

	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := router.Send(m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sync.Map", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h, ok := byID.Load(m.To.Host())
			if !ok || h.(relay.Host).Receive(m) != nil {
				b.Fatal("not delivered")
			}
		}
	})
	b.Run("RWMutex+map", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mu.RLock()
			h, ok := guarded[m.To.Host()]
			mu.RUnlock()
			if !ok || h.Receive(m) != nil {
				b.Fatal("not delivered")
			}
		}
	})
}

// BenchmarkMessage takes a message with one payload and gives it up.
func BenchmarkMessage(b *testing.B) {
	from, to := relay.NewPID("", "app:a", "0x00001"), relay.NewPID("", "app:b", "0x00002")
	p := payload.New("hello")
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			relay.NewMessage(from, to, "topic", p).Release()
		}
	})
	b.Run("sync.Pool", func(b *testing.B) {
		pool := sync.Pool{New: func() any { return new(relay.Message) }}
		b.ReportAllocs()
		for b.Loop() {
			m := pool.Get().(*relay.Message)
			m.From, m.To, m.Topic, m.Payloads = from, to, "topic", append(m.Payloads[:0], p)
			pool.Put(m)
		}
	})
}
