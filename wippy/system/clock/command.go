// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// The ids of the commands.
const (
	SleepID               dispatch.CommandID = 10
	TickerStartID         dispatch.CommandID = 14
	TickerStopID          dispatch.CommandID = 16
	TimerStartID          dispatch.CommandID = 18
	TimerWaitID           dispatch.CommandID = 19
	TimerStopID           dispatch.CommandID = 20
	TimerResetID          dispatch.CommandID = 21
	TimerStopByChannelID  dispatch.CommandID = 22
	TickerStopByChannelID dispatch.CommandID = 23
)

// Stopper is a [*Timer] or a [*TimerWait].
type Stopper interface {
	Stop() bool
	Reset(d time.Duration) bool
}

// Sleep completes For from now, without data; at once when For is not positive. A Sleep may be used again when it
// has completed.
type Sleep struct {
	For   time.Duration
	timer Timer
}

// Cancel forgets the sleep without completing it. It is for a process that has ended after it yielded the
// command.
func (s *Sleep) Cancel() { s.timer.Stop() }

// TimerWait completes After from now with the time.Time it fired at. [TimerWait.Stop] completes it early with
// [ErrStopped]. A TimerWait is used once.
//
// Stop and Reset may be called right after the command was yielded, before a handler has seen it; from then
// on also concurrently.
type TimerWait struct {
	After   time.Duration
	timer   Timer
	stopped bool // before a handler saw it
}

// Stop completes the wait with ErrStopped and reports whether it was still pending.
func (w *TimerWait) Stop() bool {
	if w.timer.wheel == nil {
		first := !w.stopped
		w.stopped = true
		return first
	}
	return w.timer.Stop()
}

// Reset makes the wait complete d from now instead and reports whether it was still pending.
func (w *TimerWait) Reset(d time.Duration) bool {
	if w.timer.wheel == nil {
		w.After = d
		return !w.stopped
	}
	return w.timer.Reset(d)
}

// TimerStart arms a timer that calls Deliver once, and completes at once with the [*Timer].
type TimerStart struct {
	After   time.Duration
	Deliver func(now time.Time) // must not block; see ToProcess
	Key     any                 // when not nil, TimerStopByChannel finds the timer by it
}

// TickerStart arms a timer that calls Deliver every Every, and completes at once with the [*Timer].
type TickerStart struct {
	Every   time.Duration
	Deliver func(now time.Time) // must not block; see ToProcess
	Key     any                 // when not nil, TickerStopByChannel finds the timer by it
}

// TimerStop stops a timer and completes with whether it was pending (a bool).
type TimerStop struct{ Timer Stopper }

// TickerStop stops a ticker and completes with true.
type TickerStop struct{ Timer Stopper }

// TimerReset resets a timer and completes with whether it was pending (a bool).
type TimerReset struct {
	Timer Stopper
	After time.Duration
}

// TimerStopByChannel is TimerStop for the timer started with that key; false when there is none.
type TimerStopByChannel struct{ Key any }

// TickerStopByChannel is TickerStop for the ticker started with that key.
type TickerStopByChannel struct{ Key any }

// CommandID returns SleepID.
func (*Sleep) CommandID() dispatch.CommandID { return SleepID }

// CommandID returns TimerWaitID.
func (*TimerWait) CommandID() dispatch.CommandID { return TimerWaitID }

// CommandID returns TimerStartID.
func (*TimerStart) CommandID() dispatch.CommandID { return TimerStartID }

// CommandID returns TickerStartID.
func (*TickerStart) CommandID() dispatch.CommandID { return TickerStartID }

// CommandID returns TimerStopID.
func (*TimerStop) CommandID() dispatch.CommandID { return TimerStopID }

// CommandID returns TickerStopID.
func (*TickerStop) CommandID() dispatch.CommandID { return TickerStopID }

// CommandID returns TimerResetID.
func (*TimerReset) CommandID() dispatch.CommandID { return TimerResetID }

// CommandID returns TimerStopByChannelID.
func (*TimerStopByChannel) CommandID() dispatch.CommandID { return TimerStopByChannelID }

// CommandID returns TickerStopByChannelID.
func (*TickerStopByChannel) CommandID() dispatch.CommandID { return TickerStopByChannelID }

// Owner is the name the commands are registered under.
const Owner = "clock"

// Register adds the handlers of all commands to d.
func (c *Clock) Register(d *dispatch.Registry) {
	h := dispatch.HandlerFunc(c.Handle)
	for _, id := range []dispatch.CommandID{
		SleepID, TickerStartID, TickerStopID, TimerStartID, TimerWaitID,
		TimerStopID, TimerResetID, TimerStopByChannelID, TickerStopByChannelID,
	} {
		d.Register(Owner, id, h)
	}
}

// Handle carries out one of the commands of this package. It never blocks. It implements dispatch.Handler.
func (c *Clock) Handle(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
	switch cmd := cmd.(type) {
	case *Sleep:
		if cmd.For <= 0 {
			r.CompleteYield(tag, nil, nil)
			return nil
		}
		t := &cmd.timer
		t.r, t.tag = r, tag
		t.arm(c.wheel(), cmd.For)
	case *TimerWait:
		if cmd.stopped {
			return ErrStopped
		}
		t := &cmd.timer
		t.r, t.tag, t.keep = r, tag, true
		t.arm(c.wheel(), cmd.After)
	case *TimerStart:
		r.CompleteYield(tag, c.startTimer(cmd), nil)
	case *TickerStart:
		r.CompleteYield(tag, c.startTicker(cmd), nil)
	case *TimerStop:
		r.CompleteYield(tag, cmd.Timer.Stop(), nil)
	case *TickerStop:
		cmd.Timer.Stop()
		r.CompleteYield(tag, true, nil)
	case *TimerReset:
		r.CompleteYield(tag, cmd.Timer.Reset(cmd.After), nil)
	case *TimerStopByChannel:
		t := c.forget(cmd.Key)
		r.CompleteYield(tag, t != nil && t.Stop(), nil)
	case *TickerStopByChannel:
		if t := c.forget(cmd.Key); t != nil {
			t.Stop()
		}
		r.CompleteYield(tag, true, nil)
	default:
		return fault.New(fault.Invalid, "clock: unknown command "+strconv.Itoa(int(cmd.CommandID())))
	}
	return nil
}

func (c *Clock) startTimer(cmd *TimerStart) *Timer {
	t := &Timer{f: cmd.Deliver}
	c.remember(cmd.Key, t)
	t.arm(c.wheel(), cmd.After)
	return t
}

func (c *Clock) startTicker(cmd *TickerStart) *Timer {
	t := &Timer{f: cmd.Deliver, period: max(cmd.Every, 1)}
	c.remember(cmd.Key, t)
	t.arm(c.wheel(), t.period)
	return t
}

// remember makes t the timer of key until it ends.
func (c *Clock) remember(key any, t *Timer) {
	if key == nil {
		return
	}
	t.ended = func() { c.forget(key) }
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keyed[key] = t
}

// forget removes and returns the timer of key, nil when there is none.
func (c *Clock) forget(key any) *Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.keyed[key]
	delete(c.keyed, key)
	return t
}

// topics numbers the private topics of a program.
var topics atomic.Uint64

// NewTopic returns a topic nobody else uses, for [ToProcess]: "time@" and a number.
func NewTopic() string { return "time@" + strconv.FormatUint(topics.Add(1), 10) }

// ToProcess returns a delivery function that sends each tick to a process: a message from nobody on topic
// whose payload is the time.Time. A tick the process cannot take is dropped.
func ToProcess(send func(*relay.Message) error, to relay.PID, topic string) func(now time.Time) {
	return func(now time.Time) {
		m := relay.NewMessage(relay.PID{}, to, topic, payload.Payload{Format: payload.Go, Data: now})
		if err := send(m); err != nil {
			m.Release()
		}
	}
}
