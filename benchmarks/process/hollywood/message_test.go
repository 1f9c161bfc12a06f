// SPDX-License-Identifier: Apache-2.0

package hollywood_test

import (
	"sync"
	"testing"
	"time"

	"github.com/anthdm/hollywood/actor"

	"github.com/wippyrun/kit/benchmarks/process"
)

func pingPong(b *testing.B) process.Batch {
	engine := newEngine(b)
	done := make(chan struct{}, 1)
	left := 0
	m := &hit{}
	pong := on(engine, func(c *actor.Context, m *hit) { c.Send(c.Sender(), m) })
	ping := on(engine, func(c *actor.Context, m *hit) {
		if left--; left < 0 {
			done <- struct{}{}
			return
		}
		c.Send(pong, m)
	})
	return process.Timed(func() {
		left = process.Rounds
		engine.Send(ping, m)
		<-done
	})
}

func ring(b *testing.B) process.Batch {
	engine := newEngine(b)
	done := make(chan struct{}, 1)
	pids := make([]*actor.PID, process.RingSize)
	laps := 0
	for i := range pids {
		pids[i] = on(engine, func(c *actor.Context, m *hit) {
			if i == 0 {
				if laps--; laps < 0 {
					done <- struct{}{}
					return
				}
			}
			c.Send(pids[(i+1)%len(pids)], m)
		})
	}
	m := &hit{}
	return process.Timed(func() {
		laps = process.Laps
		engine.Send(pids[0], m)
		<-done
	})
}

func fanIn(b *testing.B) process.Batch {
	engine := newEngine(b)
	done := make(chan struct{}, 1)
	seen := 0
	target := on(engine, func(*actor.Context, *hit) {
		if seen++; seen == process.Senders*process.Each {
			seen = 0
			done <- struct{}{}
		}
	})
	pids := make([]*actor.PID, process.Senders)
	for i := range pids {
		pids[i] = on(engine, func(c *actor.Context, m *hit) {
			for range process.Each {
				c.Send(target, m)
			}
		})
	}
	m := &hit{}
	return process.Timed(func() {
		for _, pid := range pids {
			engine.Send(pid, m)
		}
		<-done
	})
}

func fanOut(b *testing.B) process.Batch {
	engine := newEngine(b)
	done := make(chan struct{}, 1)
	pids := make([]*actor.PID, process.Receivers)
	start, delivery, answer := &hit{0}, &hit{1}, &hit{2}
	answers := 0
	hub := on(engine, func(c *actor.Context, m *hit) {
		if m == answer {
			if answers++; answers == len(pids) {
				answers = 0
				done <- struct{}{}
			}
			return
		}
		for range process.Deliveries {
			for _, pid := range pids {
				c.Send(pid, delivery)
			}
		}
	})
	for i := range pids {
		got := 0
		pids[i] = on(engine, func(c *actor.Context, _ *hit) {
			if got++; got == process.Deliveries {
				got = 0
				c.Send(hub, answer)
			}
		})
	}
	return process.Timed(func() {
		engine.Send(hub, start)
		<-done
	})
}

func send(b *testing.B) process.Batch {
	engine := newEngine(b)
	done := make(chan struct{}, 1)
	seen := 0
	pid := on(engine, func(*actor.Context, *hit) {
		if seen++; seen == process.Sends {
			seen = 0
			done <- struct{}{}
		}
	})
	m := &hit{}
	return process.Timed(func() {
		for range process.Sends {
			engine.Send(pid, m)
		}
		<-done
	})
}

// timers lets a timer of Go send the message. The library's own repeater has a goroutine
// for each.
func timers(b *testing.B) process.Batch {
	engine := newEngine(b)
	var running sync.WaitGroup
	start, fired := &hit{0}, &hit{1}
	pids := make([]*actor.PID, process.TimerProcesses)
	for i := range pids {
		var timer *time.Timer
		left := 0
		pids[i] = on(engine, func(c *actor.Context, m *hit) {
			switch {
			case m == start:
				left = process.Firings
			case left > 1:
				left--
			default:
				running.Done()
				return
			}
			if timer != nil {
				timer.Reset(process.TimerPeriod)
				return
			}
			self := c.PID()
			timer = time.AfterFunc(process.TimerPeriod, func() { engine.Send(self, fired) })
		})
	}
	return process.Timed(func() {
		running.Add(len(pids))
		for _, pid := range pids {
			engine.Send(pid, start)
		}
		running.Wait()
	})
}
