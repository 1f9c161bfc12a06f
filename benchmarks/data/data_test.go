// SPDX-License-Identifier: Apache-2.0

package data_test

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/wippy"
)

// start runs the application of these benchmarks.
func start(b *testing.B) *wippy.App {
	b.Helper()
	b.Setenv("QUEUE_FILE", filepath.Join(b.TempDir(), "queues.db"))
	app, err := wippy.New(wippy.Dir("testdata"), wippy.Logs(wippy.LogNothing), wippy.Streams(strings.NewReader(""), io.Discard, io.Discard))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(app.Stop)
	if err := app.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, ready := range []string{"set", "publish fast", "publish kept"} { // services start after Start returns
		name, queue, _ := strings.Cut(ready, " ")
		args := []any{0, 1}
		if queue != "" {
			args[0] = "app:" + queue
		}
		for _, err := app.Call(b.Context(), "app:"+name, args...); err != nil; _, err = app.Call(b.Context(), "app:"+name, args...) {
			runtime.Gosched()
		}
	}
	return app
}

// call has a Lua function do n things.
func call(b *testing.B, app *wippy.App, id string, first any, n int) {
	got, err := app.Call(b.Context(), id, first, n)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(n) {
		b.Errorf("%s returned %v, %v", id, got, err)
	}
}

// together runs f for each of n workers at once.
func together(n int, f func(worker int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// BenchmarkStore is one operation on a store, by one program and by sixteen. Ours is a Lua
// program with a store.memory; the peer's client is Go, which spends less on an operation
// than a Lua program with the same client would.
func BenchmarkStore(b *testing.B) {
	const n = 1600
	for _, c := range []struct {
		name string
		ours string
		what func(c *client, i int) // the same with Redis
	}{
		{"set", "app:set", func(c *client, i int) {
			key := fmt.Sprint("user:", i)
			c.do("SET", key, "value of a hundred bytes or so, "+key)
		}},
		{"get", "app:get", func(c *client, i int) {
			if c.do("GET", fmt.Sprint("user:", i)) == "" {
				c.b.Error("no value")
			}
		}},
		{"count", "app:count", func(c *client, _ int) { c.do("INCR", "counter:c") }},
	} {
		for _, workers := range []int{1, 16} {
			each := n / workers
			name := fmt.Sprintf("%s/workers=%d/", c.name, workers)
			b.Run(name+"ours", func(b *testing.B) {
				app := start(b)
				together(workers, func(w int) { call(b, app, "app:set", w*each, each) })
				measure.Items(b, n, func() { together(workers, func(w int) { call(b, app, c.ours, w*each, each) }) })
			})
			b.Run(name+"redis", func(b *testing.B) {
				socket := startRedis(b, false)
				if socket == "" {
					return
				}
				clients := make([]*client, workers)
				for w := range clients {
					clients[w] = dial(b, socket)
					for i := range each {
						clients[w].do("SET", fmt.Sprint("user:", w*each+i), "value")
					}
				}
				measure.Items(b, n, func() {
					together(workers, func(w int) {
						for i := range each {
							c.what(clients[w], w*each+i)
						}
					})
				})
			})
		}
	}
}

// BenchmarkQueue is one message from its publishing to the end of the function that handles
// it. Ours is published by Lua programs and handled by a Lua function; the peer is a list,
// from which one Go program moves messages to a list of those under way, and from there
// removes them, as one does who must not lose any. With disk=true a message that is
// accepted survives a power cut, on both sides.
func BenchmarkQueue(b *testing.B) {
	for _, disk := range []bool{false, true} {
		for _, publishers := range []int{1, 16} {
			n := map[bool]int{false: 1600, true: 320}[disk]
			each := n / publishers
			name := fmt.Sprintf("disk=%v/publishers=%d/", disk, publishers)
			b.Run(name+"ours", func(b *testing.B) {
				app := start(b)
				queue := map[bool]string{false: "app:fast", true: "app:kept"}[disk]
				measure.Items(b, n, func() { together(publishers, func(int) { call(b, app, "app:publish", queue, each) }) })
			})
			b.Run(name+"redis", func(b *testing.B) {
				socket := startRedis(b, disk)
				if socket == "" {
					return
				}
				clients := make([]*client, publishers)
				for p := range clients {
					clients[p] = dial(b, socket)
				}
				consumer := dial(b, socket)
				measure.Items(b, n, func() {
					together(publishers+1, func(p int) {
						if p < publishers {
							for i := range each {
								clients[p].do("LPUSH", "q", fmt.Sprintf(`{"n":%d,"text":"some work to do"}`, i))
							}
							return
						}
						for range n {
							m := consumer.do("BRPOPLPUSH", "q", "under way", "0")
							consumer.do("LREM", "under way", "1", m)
						}
					})
				})
			})
		}
	}
}
