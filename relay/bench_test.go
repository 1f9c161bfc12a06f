// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// sink is a host that does nothing: what is left is the cost of the route.
type sink struct{}

func (sink) Receive(*relay.Message) error { return nil }
func (sink) Send(*relay.Message) error    { return nil }

var benchSizes = []int{1, 100, 10_000}

func nodeWith(hosts int) (*relay.Node, *relay.Message) {
	n := relay.NewNode("me")
	for i := range hosts {
		if err := n.Register(fmt.Sprint("app:host", i), sink{}); err != nil {
			panic(err)
		}
	}
	return n, relay.NewMessage(relay.PID{}, relay.NewPID("", fmt.Sprint("app:host", hosts/2), "0x00001"), "t", payload.New(1))
}

func BenchmarkRouterLocal(b *testing.B) {
	for _, hosts := range benchSizes {
		b.Run(fmt.Sprint("hosts=", hosts), func(b *testing.B) {
			n, m := nodeWith(hosts)
			r := relay.NewRouter(n)
			b.ReportAllocs()
			for b.Loop() {
				if r.Send(m) != nil {
					b.Fatal("not delivered")
				}
			}
		})
	}
}

func BenchmarkRouterLocalParallel(b *testing.B) {
	n, m := nodeWith(100)
	r := relay.NewRouter(n)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r.Send(m) != nil {
				b.Error("not delivered")
				return
			}
		}
	})
}

func BenchmarkRouterOwnNodeName(b *testing.B) {
	n, _ := nodeWith(100)
	r := relay.NewRouter(n)
	m := relay.NewMessage(relay.PID{}, relay.NewPID("me", "app:host7", "0x00001"), "t")
	b.ReportAllocs()
	for b.Loop() {
		if r.Send(m) != nil {
			b.Fatal("not delivered")
		}
	}
}

func BenchmarkRouterPeer(b *testing.B) {
	r := relay.NewRouter(relay.NewNode("me"))
	if err := r.AddPeer("peer", sink{}); err != nil {
		b.Fatal(err)
	}
	m := relay.NewMessage(relay.PID{}, relay.NewPID("peer", "app:host", "0x00001"), "t")
	b.ReportAllocs()
	for b.Loop() {
		if r.Send(m) != nil {
			b.Fatal("not delivered")
		}
	}
}

// The peers: the two ways one writes a table of hosts by hand, looked up with
// a host id that is at hand already.

func BenchmarkPeerSyncMap(b *testing.B) {
	for _, hosts := range benchSizes {
		b.Run(fmt.Sprint("hosts=", hosts), func(b *testing.B) {
			_, m := nodeWith(hosts)
			var table sync.Map
			for i := range hosts {
				table.Store(fmt.Sprint("app:host", i), sink{})
			}
			b.ReportAllocs()
			for b.Loop() {
				h, ok := table.Load(m.To.Host())
				if !ok || h.(relay.Host).Receive(m) != nil {
					b.Fatal("not delivered")
				}
			}
		})
	}
}

func BenchmarkPeerRWMutexMap(b *testing.B) {
	for _, hosts := range benchSizes {
		b.Run(fmt.Sprint("hosts=", hosts), func(b *testing.B) {
			_, m := nodeWith(hosts)
			var mu sync.RWMutex
			table := make(map[string]relay.Host)
			for i := range hosts {
				table[fmt.Sprint("app:host", i)] = sink{}
			}
			b.ReportAllocs()
			for b.Loop() {
				mu.RLock()
				h, ok := table[m.To.Host()]
				mu.RUnlock()
				if !ok || h.Receive(m) != nil {
					b.Fatal("not delivered")
				}
			}
		})
	}
}

func BenchmarkPeerRWMutexMapParallel(b *testing.B) {
	_, m := nodeWith(100)
	var mu sync.RWMutex
	table := make(map[string]relay.Host)
	for i := range 100 {
		table[fmt.Sprint("app:host", i)] = sink{}
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.RLock()
			h, ok := table[m.To.Host()]
			mu.RUnlock()
			if !ok || h.Receive(m) != nil {
				b.Error("not delivered")
				return
			}
		}
	})
}

func BenchmarkNewMessageRelease(b *testing.B) {
	from, dest := relay.NewPID("", "h", "a"), relay.NewPID("", "h", "b")
	p := payload.New("hello")
	b.ReportAllocs()
	for b.Loop() {
		relay.NewMessage(from, dest, "t", p).Release()
	}
}

func BenchmarkPeerNewMessageGarbage(b *testing.B) {
	from, dest := relay.NewPID("", "h", "a"), relay.NewPID("", "h", "b")
	p := payload.New("hello")
	var keep *relay.Message
	b.ReportAllocs()
	for b.Loop() {
		keep = &relay.Message{From: from, To: dest, Topic: "t", Payloads: []payload.Payload{p}}
	}
	_ = keep
}

func BenchmarkParsePID(b *testing.B) {
	for _, text := range []string{"{app:processes|0x00001}", "{0b7c1f6e-1f1c-5a3e-9a52-2e6f3a1b9c55@app:processes|0x00001}", "{h|ns:name|0x00001}"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p, err := relay.ParsePID(text); err != nil || p.IsZero() {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPIDString(b *testing.B) {
	p := relay.NewPID("node", "app:processes", "0x00001")
	b.ReportAllocs()
	for b.Loop() {
		if p.String() == "" {
			b.Fatal("empty")
		}
	}
}

func BenchmarkMailboxHost(b *testing.B) {
	h := relay.NewMailboxHost(relay.WithMailboxWorkers(2))
	if err := h.Attach(relay.NewPID("", "node:control", "a"), (*relay.Message).Release); err != nil {
		b.Fatal(err)
	}
	from, dest := relay.NewPID("", "h", "s"), relay.NewPID("", "node:control", "a")
	p := payload.New("x")
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Receive(relay.NewMessage(from, dest, "t", p)); err != nil {
			b.Fatal(err)
		}
	}
	if err := h.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}
