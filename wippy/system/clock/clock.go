// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"context"
	"log/slog"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// ErrStopped is what a [TimerWait] completes with when it was stopped.
var ErrStopped = fault.New(fault.Canceled, "timer stopped")

// Clock fires timers. All methods may be called concurrently. It needs no closing: what is not armed
// costs nothing. Make one with [New].
type Clock struct {
	wheels []wheel // a power of two

	mu    sync.Mutex
	keyed map[any]*Timer
}

// maxWheels bounds the wheels: beyond it, contention on their locks is not what limits the machine.
const maxWheels = 16

// Option changes how [New] sets a clock up.
type Option func(*config)

type config struct {
	wheels  int
	onPanic func(value any, stack []byte)
}

// WithWheels sets the number of wheels, rounded up to a power of two, at most 16. More of them mean less
// contention and more wake-ups. The default is the number of processors.
func WithWheels(n int) Option { return func(c *config) { c.wheels = n } }

// WithPanicHandler sets who is told about a panic in a delivery function, with the value and the stack. The
// default logs it with slog.
func WithPanicHandler(f func(value any, stack []byte)) Option {
	return func(c *config) { c.onPanic = f }
}

// New returns a clock on which nothing is armed.
func New(opts ...Option) *Clock {
	cfg := config{wheels: runtime.GOMAXPROCS(0), onPanic: func(value any, stack []byte) {
		slog.LogAttrs(context.Background(), slog.LevelError, "clock: delivery panicked",
			slog.Any("panic", value), slog.String("stack", string(stack)))
	}}
	for _, o := range opts {
		o(&cfg)
	}
	n := min(max(cfg.wheels, 1), maxWheels)
	n = 1 << bits.Len(uint(n-1))
	c := &Clock{wheels: make([]wheel, n), keyed: map[any]*Timer{}}
	start := time.Now()
	for i := range c.wheels {
		c.wheels[i].start, c.wheels[i].onPanic = start, cfg.onPanic
	}
	return c
}

// After calls f once, d from now. f must not block.
func (c *Clock) After(d time.Duration, f func(now time.Time)) *Timer {
	t := &Timer{f: f}
	t.arm(c.wheel(), d)
	return t
}

// Every calls f every d, for the first time d from now, until the timer is stopped. f must not block. A
// d that is not positive counts as one nanosecond: f is called as often as [Resolution] allows.
func (c *Clock) Every(d time.Duration, f func(now time.Time)) *Timer {
	t := &Timer{f: f, period: max(d, 1)}
	t.arm(c.wheel(), t.period)
	return t
}

// wheel picks one at random, which spreads timers and needs no shared counter.
func (c *Clock) wheel() *wheel { return &c.wheels[rand.Uint32()&uint32(len(c.wheels)-1)] }
