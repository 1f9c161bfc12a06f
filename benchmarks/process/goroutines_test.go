// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/process"
)

var goroutines = process.Contestant{
	Name:        "goroutines",
	PingPong:    goroutinesPingPong,
	Ring:        goroutinesRing,
	FanIn:       goroutinesFanIn,
	FanOut:      goroutinesFanOut,
	Send:        goroutinesSend,
	SpawnDone:   goroutinesSpawnDone,
	SpawnInTurn: goroutinesSpawnInTurn,
	Tree:        goroutinesTree,
	Timers:      goroutinesTimers,
	Imbalance:   goroutinesImbalance,
	Crowd:       goroutinesCrowd,
	Wakeup:      goroutinesWakeup,
	Endless:     goroutinesEndless,
}

// goroutinesCrowd gives each goroutine a channel of its own.
func goroutinesCrowd(*testing.B) process.Crowd {
	var inboxes []chan chan<- any
	var running sync.WaitGroup
	answers := make(chan any, 256)
	return process.Crowd{
		Create: func(n int) {
			var waiting sync.WaitGroup
			waiting.Add(n)
			inboxes = make([]chan chan<- any, n)
			for i := range inboxes {
				inbox := make(chan chan<- any, 1)
				inboxes[i] = inbox
				running.Go(func() {
					waiting.Done()
					for answer := range inbox {
						answer <- ball
					}
				})
			}
			waiting.Wait()
		},
		Ask: func() {
			var heard sync.WaitGroup
			heard.Go(func() {
				for range inboxes {
					<-answers
				}
			})
			for _, inbox := range inboxes {
				inbox <- answers
			}
			heard.Wait()
		},
		End: func() {
			for _, inbox := range inboxes {
				close(inbox)
			}
			running.Wait()
			inboxes = nil
		},
	}
}

func goroutinesWakeup(b *testing.B) process.Wakeup {
	alarm := process.NewAlarm()
	inbox := make(chan any, 1)
	b.Cleanup(func() { close(inbox) })
	go func() {
		for range inbox {
			alarm.Ring()
		}
	}()
	return process.Wakeup{Send: func() { inbox <- ball }, Alarm: alarm}
}

func goroutinesEndless(b *testing.B) process.Endless {
	first, last := make(chan any, 1), make(chan any, 1)
	arrived := make(chan time.Time, 1)
	b.Cleanup(func() { close(first) })
	go func() {
		defer close(last)
		for m := range first {
			last <- m
		}
	}()
	go func() {
		for range last {
			arrived <- time.Now()
		}
	}()
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(b.Context())
	return process.Endless{
		Loop: func(processes int) {
			ctx, cancel = context.WithCancel(b.Context())
			var started sync.WaitGroup
			started.Add(processes)
			for range processes {
				running.Go(func() {
					started.Done()
					for ctx.Err() == nil {
					}
				})
			}
			started.Wait()
		},
		Probe: func(messages int) []time.Duration {
			return process.Probes(messages, func() time.Duration {
				start := time.Now()
				first <- ball
				return (<-arrived).Sub(start)
			})
		},
		Terminate: func() time.Duration {
			start := time.Now()
			cancel()
			running.Wait()
			return time.Since(start)
		},
	}
}

func goroutinesImbalance(b *testing.B) process.Batch {
	start := make(chan any)
	b.Cleanup(func() { close(start) })
	var running sync.WaitGroup
	started := make(chan any, 1)
	seeds := make([]uint64, process.Heap)
	go func() {
		for range start {
			for i := range seeds {
				running.Go(func() { seeds[i] = process.Spin(seeds[i]) })
			}
			started <- ball
		}
	}()
	return process.Timed(func() {
		start <- ball
		<-started
		running.Wait()
	})
}
