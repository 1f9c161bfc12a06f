// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/wippyrun/kit/benchmarks/process"
)

func protoactorPingPong(b *testing.B) process.Batch {
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
	return process.Timed(func() {
		left = process.Rounds
		root.Send(ping, pong)
		<-done
	})
}

func protoactorRing(b *testing.B) process.Batch {
	root := newActors(b)
	done := make(chan struct{}, 1)
	pids := make([]*actor.PID, process.RingSize)
	laps := 0
	for i := range pids {
		pids[i] = root.Spawn(on(func(c actor.Context, m *hit) {
			if i == 0 {
				if laps--; laps < 0 {
					done <- struct{}{}
					return
				}
			}
			c.Send(pids[(i+1)%len(pids)], m)
		}))
	}
	m := &hit{}
	return process.Timed(func() {
		laps = process.Laps
		root.Send(pids[0], m)
		<-done
	})
}

func protoactorFanIn(b *testing.B) process.Batch {
	root := newActors(b)
	done := make(chan struct{}, 1)
	seen := 0
	target := root.Spawn(on(func(actor.Context, *hit) {
		if seen++; seen == process.Senders*process.Each {
			seen = 0
			done <- struct{}{}
		}
	}))
	pids := make([]*actor.PID, process.Senders)
	for i := range pids {
		pids[i] = root.Spawn(on(func(c actor.Context, m *hit) {
			for range process.Each {
				c.Send(target, m)
			}
		}))
	}
	m := &hit{}
	return process.Timed(func() {
		for _, pid := range pids {
			root.Send(pid, m)
		}
		<-done
	})
}

func protoactorFanOut(b *testing.B) process.Batch {
	root := newActors(b)
	done := make(chan struct{}, 1)
	pids := make([]*actor.PID, process.Receivers)
	start, delivery, answer := &hit{0}, &hit{1}, &hit{2}
	answers := 0
	hub := root.Spawn(on(func(c actor.Context, m *hit) {
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
	}))
	for i := range pids {
		got := 0
		pids[i] = root.Spawn(on(func(c actor.Context, _ *hit) {
			if got++; got == process.Deliveries {
				got = 0
				c.Send(hub, answer)
			}
		}))
	}
	return process.Timed(func() {
		root.Send(hub, start)
		<-done
	})
}

func protoactorSend(b *testing.B) process.Batch {
	root := newActors(b)
	done := make(chan struct{}, 1)
	seen := 0
	pid := root.Spawn(on(func(actor.Context, *hit) {
		if seen++; seen == process.Sends {
			seen = 0
			done <- struct{}{}
		}
	}))
	m := &hit{}
	return process.Timed(func() {
		for range process.Sends {
			root.Send(pid, m)
		}
		<-done
	})
}

// protoactorTimers lets a timer of Go send the message.
func protoactorTimers(b *testing.B) process.Batch {
	root := newActors(b)
	var running sync.WaitGroup
	start, fired := &hit{0}, &hit{1}
	pids := make([]*actor.PID, process.TimerProcesses)
	for i := range pids {
		var timer *time.Timer
		left := 0
		pids[i] = root.Spawn(on(func(c actor.Context, m *hit) {
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
			self := c.Self()
			timer = time.AfterFunc(process.TimerPeriod, func() { root.Send(self, fired) })
		}))
	}
	return process.Timed(func() {
		running.Add(len(pids))
		for _, pid := range pids {
			root.Send(pid, start)
		}
		running.Wait()
	})
}
