// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// BenchmarkScaleProcesses sends messages to Lua processes chosen among so many that wait, and
// tells what one of them occupies.
//
//	go test -run '^$' -bench Scale ./lua -scale 1000000
func BenchmarkScaleProcesses(b *testing.B) {
	const batch = 1024
	for _, n := range measure.Powers(1_000_000) {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				w := newWorld(b)
				var left atomic.Int64
				done := make(chan struct{}, 1)
				w.hit = func() {
					if left.Add(-1) == 0 {
						done <- struct{}{}
					}
				}
				prog := w.link(`return function()
					local inbox = post.inbox()
					post.hit()
					while true do
						inbox:receive():payload():data()
						post.hit()
					end
				end`)
				left.Store(int64(n))
				before := measure.Memory()
				for range n {
					w.start(prog)
				}
				<-done
				bytes := measure.Memory() - before
				at := 0
				measure.Items(b, batch, func() {
					left.Store(batch)
					for range batch {
						at = (at + 7919) % n
						if err := w.refs[at].Send(message(1)); err != nil {
							b.Fatal(err)
						}
					}
					<-done
				})
				b.ReportMetric(float64(bytes)/float64(n), "B/item")
			})
		})
	}
}

// BenchmarkScaleMessage sends a message and gets an answer: a text of so many bytes, and a
// table of so many fields. Texts are shared, tables copied. The peer writes and reads the same
// table as JSON, as a message broker would have it.
func BenchmarkScaleMessage(b *testing.B) {
	for kind, value := range map[string]string{"bytes": `("x"):rep(size)`, "fields": `fields(size)`} {
		for _, n := range measure.Powers(100_000) {
			b.Run(fmt.Sprintf("%s=%d", kind, n), func(b *testing.B) {
				b.Run("ours", func(b *testing.B) {
					w := newWorld(b)
					done := make(chan struct{}, 1)
					w.hit = func() { done <- struct{}{} }
					w.start(w.link(`return function()
						local inbox = post.inbox()
						while true do
							inbox:receive():payload():data()
							post.hit()
						end
					end`))
					sender := w.start(w.link(`local function fields(n)
						local t = {}
						for i = 1, n do t["field" .. i] = i end
						return t
					end
					return function()
						local inbox = post.inbox()
						local size = inbox:receive():payload():data()
						local value = ` + value + `
						while true do
							post.to(0, value)
							inbox:receive()
						end
					end`))
					ask := func(n int) {
						if err := sender.Send(message(float64(n))); err != nil {
							b.Fatal(err)
						}
						<-done
					}
					ask(n)
					measure.Items(b, 1, func() { ask(0) })
				})
				b.Run("json", func(b *testing.B) {
					var value any = strings.Repeat("x", n)
					if kind == "fields" {
						m := map[string]any{}
						for i := range n {
							m[fmt.Sprintf("field%d", i+1)] = float64(i + 1)
						}
						value = m
					}
					measure.Items(b, 1, func() {
						text, err := json.Marshal(value)
						if err != nil {
							b.Fatal(err)
						}
						var copied any
						if err := json.Unmarshal(text, &copied); err != nil {
							b.Fatal(err)
						}
					})
				})
			})
		}
	}
}
