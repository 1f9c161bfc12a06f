// SPDX-License-Identifier: Apache-2.0

package process

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// Wakeup is a process at rest in a runtime at rest.
type Wakeup struct {
	// Resting reports whether the workers of the runtime sleep. Nil when nobody but
	// the runtime can know; then a pause must do.
	Resting func() bool
	// Send wakes the process, which calls Alarm.Ring before it does anything else.
	Send func()
	// Alarm is what the process rings.
	Alarm *Alarm
}

// Alarm stops the clock of a Wakeup. Make one with [NewAlarm].
type Alarm struct {
	epoch time.Time
	rang  atomic.Int64  // nanoseconds since epoch; 0 until it has rung
	heard chan struct{} // buffered 1
	block bool          // tell heard; constant while the clock runs
}

// NewAlarm returns an alarm that has not rung.
func NewAlarm() *Alarm { return &Alarm{epoch: time.Now(), heard: make(chan struct{}, 1)} }

// Ring stops the clock.
func (a *Alarm) Ring() {
	a.rang.Store(int64(time.Since(a.epoch)))
	if a.block {
		a.heard <- struct{}{}
	}
}

const (
	// wakeups is the number of samples in a batch: enough for a 99th percentile.
	wakeups = 200
	// rest is the time between two looks at whether the runtime sleeps. It is spent
	// waiting for a timer, so that the machine sleeps too, and long compared with the
	// tens of microseconds for which the threads of the Go runtime look for work
	// before they sleep.
	rest = 250 * time.Microsecond
)

// Wake is the time from before a Send, by a goroutine outside of a runtime whose workers
// sleep, to the first instruction of the process. With sender=blocks the sender then waits
// for the process, as a server's goroutine does that goes back to its connection: the
// processor it leaves can run the worker. With sender=runs it keeps its processor, and the
// operating system has to wake a thread on another one. The metric send-p99-ns is for how
// long Send itself holds the sender.
func Wake(b *testing.B, contestants ...Contestant) {
	for _, how := range []struct {
		name  string
		block bool
	}{{"sender=blocks", true}, {"sender=runs", false}} {
		b.Run(how.name, func(b *testing.B) {
			for i := range contestants {
				c := &contestants[i]
				if c.Wakeup == nil {
					continue
				}
				b.Run(c.Name, func(b *testing.B) {
					w := c.Wakeup(b)
					w.Alarm.block = how.block
					pause := time.NewTicker(rest)
					defer pause.Stop()
					var all, sends measure.Latencies
					for b.Loop() {
						for range wakeups {
							rang, sent := w.sample(pause)
							all, sends = append(all, rang), append(sends, sent)
						}
					}
					all.Report(b)
					b.ReportMetric(float64(sends.Quantile(0.99).Nanoseconds()), "send-p99-ns")
				})
			}
		})
	}
}

// sample returns when the process ran and when Send returned, both counted from before
// the Send.
func (w *Wakeup) sample(pause *time.Ticker) (rang, sent time.Duration) {
	pause.Reset(rest)
	// Asleep at two looks one after the other, as a worker that is about to sleep
	// counts as one that does.
	for asleep := 0; asleep < 2; asleep++ {
		<-pause.C
		if w.Resting != nil && !w.Resting() {
			asleep = -1
		}
	}
	a := w.Alarm
	a.rang.Store(0)
	start := time.Since(a.epoch)
	w.Send()
	sent = time.Since(a.epoch) - start
	if a.block {
		<-a.heard
	}
	for a.rang.Load() == 0 {
	}
	return time.Duration(a.rang.Load()) - start, sent
}
