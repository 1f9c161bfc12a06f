// SPDX-License-Identifier: Apache-2.0

package hollywood_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anthdm/hollywood/actor"
	"go.uber.org/goleak"

	"github.com/wippyrun/kit/benchmarks/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hollywood uses actors with inboxes of the default size, except in the tree. An actor
// occupies 28 KB, so that crowds are small.
var hollywood = process.Contestant{
	Name:        "hollywood",
	PingPong:    pingPong,
	Ring:        ring,
	FanIn:       fanIn,
	FanOut:      fanOut,
	Send:        send,
	SpawnDone:   spawnDone,
	SpawnInTurn: spawnInTurn,
	Tree:        tree,
	Timers:      timers,
	Imbalance:   imbalance,
	Crowd:       crowd,
	CrowdLimit:  10_000,
	Wakeup:      wakeup,
	Endless:     endless,
}

func BenchmarkPingPong(b *testing.B)    { process.PingPong(b, hollywood) }
func BenchmarkRing(b *testing.B)        { process.Ring(b, hollywood) }
func BenchmarkFanIn1000(b *testing.B)   { process.FanIn(b, hollywood) }
func BenchmarkFanOut1000(b *testing.B)  { process.FanOut(b, hollywood) }
func BenchmarkSend(b *testing.B)        { process.Send(b, hollywood) }
func BenchmarkSpawnDone(b *testing.B)   { process.SpawnDone(b, hollywood) }
func BenchmarkSpawnInTurn(b *testing.B) { process.SpawnInTurn(b, hollywood) }
func BenchmarkTree(b *testing.B)        { process.Tree(b, hollywood) }
func BenchmarkTimers(b *testing.B)      { process.Timers(b, hollywood) }
func BenchmarkImbalance(b *testing.B)   { process.Imbalance(b, hollywood) }
func BenchmarkIdle(b *testing.B)        { process.Idle(b, hollywood) }
func BenchmarkWakeup(b *testing.B)      { process.Wake(b, hollywood) }
func BenchmarkBesideLoop(b *testing.B)  { process.BesideLoop(b, hollywood) }

// hit is what actors take for a message; what else they get are signs of life.
type hit struct{ n int }

func newEngine(b *testing.B) *actor.Engine {
	engine, err := actor.NewEngine(actor.NewEngineConfig())
	if err != nil {
		b.Fatal(err)
	}
	return engine
}

// on starts an actor that does something for every message.
func on(engine *actor.Engine, handle func(c *actor.Context, m *hit)) *actor.PID {
	return engine.SpawnFunc(func(c *actor.Context) {
		if m, ok := c.Message().(*hit); ok {
			handle(c, m)
		}
	}, "on")
}

func crowd(b *testing.B) process.Crowd {
	engine := newEngine(b)
	done := make(chan struct{}, 1)
	var pids []*actor.PID
	answers := 0
	collector := on(engine, func(*actor.Context, *hit) {
		if answers++; answers == len(pids) {
			answers = 0
			done <- struct{}{}
		}
	})
	answer := &hit{}
	var waiting, running sync.WaitGroup
	behave := func(c *actor.Context) {
		switch m := c.Message().(type) {
		case actor.Started:
			waiting.Done()
		case actor.Stopped:
			running.Done()
		case *actor.PID:
			c.Send(m, answer)
		}
	}
	return process.Crowd{
		Create: func(n int) {
			waiting.Add(n)
			running.Add(n)
			pids = make([]*actor.PID, n)
			for i := range pids {
				pids[i] = engine.SpawnFunc(behave, "idle")
			}
			waiting.Wait()
		},
		Ask: func() {
			for _, pid := range pids {
				engine.Send(pid, collector)
			}
			<-done
		},
		End: func() {
			for _, pid := range pids {
				engine.Stop(pid)
			}
			running.Wait()
			pids = nil
		},
	}
}

func wakeup(b *testing.B) process.Wakeup {
	engine := newEngine(b)
	alarm := process.NewAlarm()
	pid := on(engine, func(*actor.Context, *hit) { alarm.Ring() })
	m := &hit{}
	return process.Wakeup{Send: func() { engine.Send(pid, m) }, Alarm: alarm}
}

// endless ends its loops by a flag that they look at: the library cannot end an actor
// that does not return.
func endless(b *testing.B) process.Endless {
	engine := newEngine(b)
	arrived := make(chan time.Time, 1)
	last := on(engine, func(*actor.Context, *hit) { arrived <- time.Now() })
	first := on(engine, func(c *actor.Context, m *hit) { c.Send(last, m) })
	m := &hit{}
	var end atomic.Bool
	var loops, running sync.WaitGroup
	loop := func(c *actor.Context) {
		switch c.Message().(type) {
		case *hit:
			running.Done()
			for !end.Load() {
			}
			c.Engine().Stop(c.PID())
		case actor.Stopped:
			loops.Done()
		}
	}
	return process.Endless{
		Loop: func(processes int) {
			end.Store(false)
			running.Add(processes)
			loops.Add(processes)
			for range processes {
				engine.Send(engine.SpawnFunc(loop, "loop"), m)
			}
			running.Wait()
		},
		Probe: func(messages int) []time.Duration {
			return process.Probes(messages, func() time.Duration {
				start := time.Now()
				engine.Send(first, m)
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

func imbalance(b *testing.B) process.Batch {
	engine := newEngine(b)
	done := make(chan struct{}, 1)
	var left atomic.Int64
	pids := make([]*actor.PID, process.Heap)
	for i := range pids {
		seed := uint64(i)
		pids[i] = on(engine, func(*actor.Context, *hit) {
			seed = process.Spin(seed)
			if left.Add(-1) == 0 {
				done <- struct{}{}
			}
		})
	}
	starter := on(engine, func(c *actor.Context, m *hit) {
		for _, pid := range pids {
			c.Send(pid, m)
		}
	})
	m := &hit{}
	return process.Timed(func() {
		left.Store(process.Heap)
		engine.Send(starter, m)
		<-done
	})
}
