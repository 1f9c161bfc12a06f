// SPDX-License-Identifier: Apache-2.0

//go:build !race

package relay_test

import (
	"math"
	"testing"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

func TestHotPathDoesNotAllocate(t *testing.T) {
	n, m := nodeWith(100)
	r := relay.NewRouter(n)
	if err := r.AddPeer("peer", sink{}); err != nil {
		t.Fatal(err)
	}
	far := relay.NewMessage(relay.PID{}, relay.NewPID("peer", "h", "u"), "t")
	p := payload.New("x")
	text := "{node@app:processes|0x00001}"
	for name, f := range map[string]func(){
		"route to a local host": func() { _ = r.Send(m) },
		"route to a peer":       func() { _ = r.Send(far) },
		"message and release":   func() { relay.NewMessage(m.From, m.To, "t", p).Release() },
		"parse a PID":           func() { _, _ = relay.ParsePID(text) },
		"parts of a PID":        func() { _ = m.To.String() + m.To.Node(); _ = m.To.Host(); _ = m.To.Uniq() },
	} {
		// The pool may be emptied by a collection during the test: one object
		// in a thousand runs is not an allocation per run.
		if got := testing.AllocsPerRun(1000, f); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// TestLocalRouteCostsAtMost40ns compares a send through the router with a call of
// the host alone. It takes the best of many short runs, which is what the code
// costs when the machine does nothing else, and goes on until the machine lets it
// have such runs: other programs make code slower and never faster.
func TestLocalRouteCostsAtMost40ns(t *testing.T) {
	const bound, rounds, sends, patience = 40.0, 200, 5000, time.Minute
	n, m := nodeWith(100)
	r := relay.NewRouter(n)
	h, _ := n.Host(m.To.Host())
	took := func(send func(*relay.Message) error) float64 {
		start := time.Now()
		for range sends {
			if send(m) != nil {
				t.Fatal("not delivered")
			}
		}
		return float64(time.Since(start).Nanoseconds()) / sends
	}
	var got float64
	for start := time.Now(); time.Since(start) < patience; {
		routed, alone := math.Inf(1), math.Inf(1)
		for range rounds { // in turns, so that both have the same machine
			routed, alone = min(routed, took(r.Send)), min(alone, took(h.Receive))
		}
		if got = routed - alone; got <= bound {
			t.Logf("a local route costs %.1f ns on top of its host", got)
			return
		}
	}
	t.Errorf("a local route costs %.1f ns on top of its host, bound %.0f ns", got, bound)
}
