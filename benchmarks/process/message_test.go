// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/scheduler"
)

// ball is the message of all contestants; a pointer, so that nobody pays for boxing.
var ball any = &struct{ n int }{1}

// BenchmarkPingPong is a round trip between two processes.
func BenchmarkPingPong(b *testing.B) {
	const rounds = 4096
	b.Run("ours", func(b *testing.B) {
		s := newScheduler(b)
		done := make(chan struct{}, 1)
		left := 0
		pong := submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
			for _, e := range events {
				if err := out.Send(e.Data.(*scheduler.Ref), out.Ref()); err != nil {
					return err
				}
			}
			return nil
		}))
		ping := submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
			for range events {
				if left--; left < 0 {
					done <- struct{}{}
					continue
				}
				if err := out.Send(pong, out.Ref()); err != nil {
					return err
				}
			}
			return nil
		}))
		measure.Items(b, rounds, func() {
			left = rounds
			if err := ping.Send(nil); err != nil {
				b.Fatal(err)
			}
			<-done
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		there, back := make(chan any), make(chan any)
		defer close(there)
		go func() {
			for m := range there {
				back <- m
			}
		}()
		measure.Items(b, rounds, func() {
			for range rounds {
				there <- ball
				<-back
			}
		})
	})
	b.Run("protoactor", func(b *testing.B) {
		root := newActors(b)
		done := make(chan struct{}, 1)
		left := 0
		pong := root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if from, ok := c.Message().(*actor.PID); ok {
				c.Send(from, c.Self())
			}
		}))
		ping := root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(*actor.PID); !ok {
				return
			}
			if left--; left < 0 {
				done <- struct{}{}
				return
			}
			c.Send(pong, c.Self())
		}))
		measure.Items(b, rounds, func() {
			left = rounds
			root.Send(ping, pong)
			<-done
		})
	})
}

const (
	senders = 1000
	each    = 100
)

// BenchmarkFanIn1000 is the time per message when a thousand processes send to one, each
// a hundred in a loop. In ours-in-turn a process sends one message per step and lets
// others run in between.
func BenchmarkFanIn1000(b *testing.B) {
	b.Run("ours", func(b *testing.B) { fanIn(b, each) })
	b.Run("ours-in-turn", func(b *testing.B) { fanIn(b, 1) })
	b.Run("goroutines", func(b *testing.B) {
		inbox := make(chan any, 256)
		starts := make([]chan struct{}, senders)
		for i := range starts {
			start := make(chan struct{}, 1)
			starts[i] = start
			defer close(start)
			go func() {
				for range start {
					for range each {
						inbox <- ball
					}
				}
			}()
		}
		measure.Items(b, senders*each, func() {
			for _, start := range starts {
				start <- struct{}{}
			}
			for range senders * each {
				<-inbox
			}
		})
	})
	b.Run("protoactor", func(b *testing.B) {
		root := newActors(b)
		done := make(chan struct{}, 1)
		seen := 0
		type hit struct{}
		var message any = &hit{}
		target := root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(*hit); !ok {
				return
			}
			if seen++; seen == senders*each {
				done <- struct{}{}
			}
		}))
		type start struct{}
		pids := make([]*actor.PID, senders)
		for i := range pids {
			pids[i] = root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
				if _, ok := c.Message().(*start); ok {
					for range each {
						c.Send(target, message)
					}
				}
			}))
		}
		measure.Items(b, senders*each, func() {
			seen = 0
			for _, pid := range pids {
				root.Send(pid, &start{})
			}
			<-done
		})
	})
}

// fanIn lets the senders send so many messages per step.
func fanIn(b *testing.B, perStep int) {
	s := newScheduler(b)
	done := make(chan struct{}, 1)
	seen := 0
	target := submit(b, s, step(func(events []scheduler.Event, _ *scheduler.Output) error {
		if seen += len(events); seen == senders*each {
			done <- struct{}{}
		}
		return nil
	}))
	refs := make([]*scheduler.Ref, senders)
	for i := range refs {
		left := 0
		refs[i] = submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
			left += len(events) * each
			for range min(left, perStep) {
				left--
				if err := out.Send(target, ball); err != nil {
					return err
				}
			}
			if left > 0 {
				out.Continue()
			}
			return nil
		}))
	}
	measure.Items(b, senders*each, func() {
		seen = 0
		for _, ref := range refs {
			if err := ref.Send(nil); err != nil {
				b.Fatal(err)
			}
		}
		<-done
	})
}

// BenchmarkSend is a message from outside the scheduler to a process that keeps up.
func BenchmarkSend(b *testing.B) {
	const n = 4096
	b.Run("ours", func(b *testing.B) {
		s := newScheduler(b)
		done := make(chan struct{}, 1)
		seen := 0
		ref := submit(b, s, step(func(events []scheduler.Event, _ *scheduler.Output) error {
			if seen += len(events); seen == n {
				seen = 0
				done <- struct{}{}
			}
			return nil
		}))
		measure.Items(b, n, func() {
			for range n {
				if err := ref.Send(ball); err != nil {
					b.Fatal(err)
				}
			}
			<-done
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		inbox, done := make(chan any, 256), make(chan struct{}, 1)
		defer close(inbox)
		go func() {
			seen := 0
			for range inbox {
				if seen++; seen == n {
					seen = 0
					done <- struct{}{}
				}
			}
		}()
		measure.Items(b, n, func() {
			for range n {
				inbox <- ball
			}
			<-done
		})
	})
}
