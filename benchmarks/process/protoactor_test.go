// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/wippyrun/kit/benchmarks/process"
)

// protoactor uses actors with the default mailbox, which is unbounded.
var protoactor = process.Contestant{
	Name:        "protoactor",
	PingPong:    protoactorPingPong,
	Ring:        protoactorRing,
	FanIn:       protoactorFanIn,
	FanOut:      protoactorFanOut,
	Send:        protoactorSend,
	SpawnDone:   protoactorSpawnDone,
	SpawnInTurn: protoactorSpawnInTurn,
	Tree:        protoactorTree,
	Timers:      protoactorTimers,
	Imbalance:   protoactorImbalance,
	Crowd:       protoactorCrowd,
	CrowdLimit:  50_000,
	Wakeup:      protoactorWakeup,
	Endless:     protoactorEndless,
}

// hit is what actors take for a message; what else they get are signs of life.
type hit struct{ n int }

func newActors(b *testing.B) *actor.RootContext {
	quiet := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	b.Cleanup(system.Shutdown)
	return system.Root
}

// on makes an actor that does something for every message.
func on(handle func(c actor.Context, m *hit)) *actor.Props {
	return actor.PropsFromFunc(func(c actor.Context) {
		if m, ok := c.Message().(*hit); ok {
			handle(c, m)
		}
	})
}

func protoactorCrowd(b *testing.B) process.Crowd {
	root := newActors(b)
	done := make(chan struct{}, 1)
	var pids []*actor.PID
	answers := 0
	collector := root.Spawn(on(func(actor.Context, *hit) {
		if answers++; answers == len(pids) {
			answers = 0
			done <- struct{}{}
		}
	}))
	answer := &hit{}
	var waiting, running sync.WaitGroup
	props := actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *actor.Started:
			waiting.Done()
		case *actor.Stopped:
			running.Done()
		case *actor.PID:
			c.Send(m, answer)
		}
	})
	return process.Crowd{
		Create: func(n int) {
			waiting.Add(n)
			running.Add(n)
			pids = make([]*actor.PID, n)
			for i := range pids {
				pids[i] = root.Spawn(props)
			}
			waiting.Wait()
		},
		Ask: func() {
			for _, pid := range pids {
				root.Send(pid, collector)
			}
			<-done
		},
		End: func() {
			for _, pid := range pids {
				root.Stop(pid)
			}
			running.Wait()
			pids = nil
		},
	}
}

func protoactorWakeup(b *testing.B) process.Wakeup {
	root := newActors(b)
	alarm := process.NewAlarm()
	pid := root.Spawn(on(func(actor.Context, *hit) { alarm.Ring() }))
	m := &hit{}
	return process.Wakeup{Send: func() { root.Send(pid, m) }, Alarm: alarm}
}

// protoactorEndless ends its loops by a flag that they look at: the library cannot end an
// actor that does not return.
func protoactorEndless(b *testing.B) process.Endless {
	root := newActors(b)
	arrived := make(chan time.Time, 1)
	last := root.Spawn(on(func(actor.Context, *hit) { arrived <- time.Now() }))
	first := root.Spawn(on(func(c actor.Context, m *hit) { c.Send(last, m) }))
	m := &hit{}
	var end atomic.Bool
	var loops, running sync.WaitGroup
	props := actor.PropsFromFunc(func(c actor.Context) {
		switch c.Message().(type) {
		case *actor.Started:
			running.Done()
			for !end.Load() {
			}
			c.Stop(c.Self())
		case *actor.Stopped:
			loops.Done()
		}
	})
	return process.Endless{
		Loop: func(processes int) {
			end.Store(false)
			running.Add(processes)
			loops.Add(processes)
			for range processes {
				// An actor's first message is handled where it is spawned.
				go root.Spawn(props)
			}
			running.Wait()
		},
		Probe: func(messages int) []time.Duration {
			return process.Probes(messages, func() time.Duration {
				start := time.Now()
				root.Send(first, m)
				return (<-arrived).Sub(start)
			})
		},
		Terminate: func() time.Duration {
			start := time.Now()
			end.Store(true)
			loops.Wait()
			return time.Since(start)
		},
	}
}

func protoactorImbalance(b *testing.B) process.Batch {
	root := newActors(b)
	done := make(chan struct{}, 1)
	var left atomic.Int64
	pids := make([]*actor.PID, process.Heap)
	for i := range pids {
		seed := uint64(i)
		pids[i] = root.Spawn(on(func(actor.Context, *hit) {
			seed = process.Spin(seed)
			if left.Add(-1) == 0 {
				done <- struct{}{}
			}
		}))
	}
	starter := root.Spawn(on(func(c actor.Context, m *hit) {
		for _, pid := range pids {
			c.Send(pid, m)
		}
	}))
	m := &hit{}
	return process.Timed(func() {
		left.Store(process.Heap)
		root.Send(starter, m)
		<-done
	})
}
