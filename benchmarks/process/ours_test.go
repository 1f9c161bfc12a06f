// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/process"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

var (
	ours = process.Contestant{
		Name:        "ours",
		PingPong:    func(b *testing.B) process.Batch { return oursPingPong(b, (*scheduler.Output).Send) },
		Ring:        oursRing,
		FanIn:       func(b *testing.B) process.Batch { return oursFanIn(b, process.Each) },
		FanOut:      oursFanOut,
		Send:        oursSend,
		SpawnDone:   oursSpawnDone,
		SpawnInTurn: oursSpawnInTurn,
		Tree:        oursTree,
		Timers: func(b *testing.B) process.Batch {
			return oursTimers(b, dispatch.HandlerFunc(startClock))
		},
		Imbalance: oursImbalance,
		Crowd:     oursCrowd,
		Wakeup:    oursWakeup,
		Endless:   oursEndless,
	}
	// oursPlain sends with Ref.Send, as code does that does not know in which Step it runs.
	oursPlain = process.Contestant{
		Name: "ours-plain",
		PingPong: func(b *testing.B) process.Batch {
			return oursPingPong(b, func(_ *scheduler.Output, to *scheduler.Ref, msg any) error { return to.Send(msg) })
		},
	}
	// oursOneTimer has one timer of Go for all processes instead of one for each.
	oursOneTimer = process.Contestant{
		Name:   "ours-one-timer",
		Timers: func(b *testing.B) process.Batch { return oursTimers(b, newClocks()) },
	}
	// oursInTurn sends one message per Step and lets others run in between.
	oursInTurn = process.Contestant{
		Name:  "ours-in-turn",
		FanIn: func(b *testing.B) process.Batch { return oursFanIn(b, 1) },
	}
)

// step is a process made of its Step function.
type step func(events []scheduler.Event, out *scheduler.Output) error

func (step) Init(context.Context, string, any) error { return nil }
func (s step) Step(events []scheduler.Event, out *scheduler.Output) error {
	return s(events, out)
}
func (step) Close() {}

func newScheduler(b *testing.B, cfg scheduler.Config) *scheduler.Scheduler {
	s, err := scheduler.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	s.Start()
	b.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return s
}

func submit(b *testing.B, s *scheduler.Scheduler, p scheduler.Process) *scheduler.Ref {
	ref, err := s.Submit(context.Background(), p, scheduler.SubmitOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

func send(b *testing.B, ref *scheduler.Ref, msg any) {
	if err := ref.Send(msg); err != nil {
		b.Fatal(err)
	}
}

// oursCrowd asks with the process that collects the answers as the message.
func oursCrowd(b *testing.B) process.Crowd {
	s := newScheduler(b, scheduler.Config{})
	var refs []*scheduler.Ref
	done := make(chan struct{}, 1)
	answers := 0
	collector := submit(b, s, step(func(events []scheduler.Event, _ *scheduler.Output) error {
		if answers += len(events); answers > 0 && answers == len(refs) {
			answers = 0
			done <- struct{}{}
		}
		return nil
	}))
	return process.Crowd{
		Create: func(n int) {
			var waiting sync.WaitGroup
			waiting.Add(n)
			refs = make([]*scheduler.Ref, n)
			for i := range refs {
				refs[i] = submit(b, s, &idler{waiting: &waiting})
			}
			waiting.Wait()
		},
		Ask: func() {
			for _, ref := range refs {
				send(b, ref, collector)
			}
			<-done
		},
		End: func() {
			for _, ref := range refs {
				ref.Cancel()
			}
			for _, ref := range refs {
				<-ref.Done()
			}
			refs = nil
		},
	}
}

// idler tells once that it has been run, and answers whom it is asked to.
type idler struct{ waiting *sync.WaitGroup }

func (*idler) Init(context.Context, string, any) error { return nil }
func (p *idler) Step(events []scheduler.Event, out *scheduler.Output) error {
	if p.waiting != nil {
		p.waiting.Done()
		p.waiting = nil
	}
	for _, e := range events {
		if err := out.Send(e.Data.(*scheduler.Ref), ball); err != nil {
			return err
		}
	}
	return nil
}
func (*idler) Close() {}

func oursWakeup(b *testing.B) process.Wakeup {
	s := newScheduler(b, scheduler.Config{})
	alarm := process.NewAlarm()
	ref := submit(b, s, step(func(events []scheduler.Event, _ *scheduler.Output) error {
		if len(events) > 0 {
			alarm.Ring()
		}
		return nil
	}))
	return process.Wakeup{
		Resting: func() bool {
			stats := s.Stats()
			return stats.Parked == stats.Workers
		},
		Send:  func() { send(b, ref, ball) },
		Alarm: alarm,
	}
}

func oursEndless(b *testing.B) process.Endless {
	s := newScheduler(b, scheduler.Config{})
	arrived := make(chan time.Time, 1)
	last := submit(b, s, step(func(events []scheduler.Event, _ *scheduler.Output) error {
		if len(events) > 0 {
			arrived <- time.Now()
		}
		return nil
	}))
	first := submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
		for range events {
			if err := out.Send(last, ball); err != nil {
				return err
			}
		}
		return nil
	}))
	var loops []*scheduler.Ref
	return process.Endless{
		Loop: func(processes int) {
			var running sync.WaitGroup
			running.Add(processes)
			for range processes {
				loops = append(loops, submit(b, s, step(func(_ []scheduler.Event, out *scheduler.Output) error {
					running.Done()
					ctx := out.Ref().Context()
					for ctx.Err() == nil {
					}
					return nil
				})))
			}
			running.Wait()
		},
		Probe: func(messages int) []time.Duration {
			return process.Probes(messages, func() time.Duration {
				start := time.Now()
				send(b, first, ball)
				return (<-arrived).Sub(start)
			})
		},
		Terminate: func() time.Duration {
			start := time.Now()
			for _, ref := range loops {
				if err := ref.Terminate(); err != nil {
					b.Fatal(err)
				}
			}
			for _, ref := range loops {
				<-ref.Done()
			}
			loops = nil
			return time.Since(start)
		},
	}
}

func oursImbalance(b *testing.B) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	done := make(chan struct{}, 1)
	var left atomic.Int64
	refs := make([]*scheduler.Ref, process.Heap)
	for i := range refs {
		seed := uint64(i)
		refs[i] = submit(b, s, step(func(events []scheduler.Event, _ *scheduler.Output) error {
			for range events {
				seed = process.Spin(seed)
				if left.Add(-1) == 0 {
					done <- struct{}{}
				}
			}
			return nil
		}))
	}
	starter := submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
		for range events {
			for _, ref := range refs {
				if err := out.Send(ref, ball); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	return process.Timed(func() {
		left.Store(process.Heap)
		send(b, starter, ball)
		<-done
	})
}
