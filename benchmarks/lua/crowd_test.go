// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"flag"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

var crowdSize = flag.Int("crowd", 20_000, "processes of BenchmarkCrowd; a million need 4 GiB")

// BenchmarkCrowd starts very many Lua processes that wait in their inbox, then sends a
// message to each and waits until all have answered. With -crowd 1000000 it shows how
// many processes one machine holds.
//
//	go test -run '^$' -bench Crowd -benchtime 1x ./lua -crowd 1000000
func BenchmarkCrowd(b *testing.B) {
	n := *crowdSize
	var waiting, answers atomic.Int64
	all := make(chan struct{}, 1)
	w := newWorld(b)
	count := func(c *atomic.Int64) {
		if c.Add(1) == int64(n) {
			all <- struct{}{}
		}
	}
	var asking atomic.Bool
	w.hit = func() {
		if asking.Load() {
			count(&answers)
		} else {
			count(&waiting)
		}
	}
	prog := w.link(`return function()
		local inbox = post.inbox()
		post.hit()
		while inbox:receive():payload():data() > 0 do post.hit() end
	end`)
	var start, ask time.Duration
	var bytes int64
	for b.Loop() {
		waiting.Store(0)
		answers.Store(0)
		asking.Store(false)
		w.refs = w.refs[:0]
		before, began := measure.Memory(), time.Now()
		for range n {
			w.start(prog)
		}
		<-all
		start += time.Since(began)
		bytes += measure.Memory() - before
		asking.Store(true)
		began = time.Now()
		for _, ref := range w.refs {
			if err := ref.Send(message(1)); err != nil {
				b.Fatal(err)
			}
		}
		<-all
		ask += time.Since(began)
		for _, ref := range w.refs {
			if err := ref.Send(message(0)); err != nil {
				b.Fatal(err)
			}
		}
		for _, ref := range w.refs {
			<-ref.Done()
		}
	}
	items := float64(b.N) * float64(n)
	b.ReportMetric(float64(start.Nanoseconds())/items, "start-ns/item")
	b.ReportMetric(float64(ask.Nanoseconds())/items, "answer-ns/item")
	b.ReportMetric(float64(bytes)/items, "B/item")
	b.ReportMetric((start+ask).Seconds()/float64(b.N), "s/crowd")
}
