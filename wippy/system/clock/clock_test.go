// SPDX-License-Identifier: Apache-2.0

package clock_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// completion is one completed yield.
type completion struct {
	tag  dispatch.Tag
	data any
	err  error
	at   time.Duration
}

// receiver records completions with the time since it was made.
type receiver struct {
	began time.Time
	mu    sync.Mutex
	got   []completion
}

func newReceiver() *receiver { return &receiver{began: time.Now()} }

func (r *receiver) CompleteYield(tag dispatch.Tag, data any, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, completion{tag, data, err, time.Since(r.began)})
}

func (r *receiver) all() []completion {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// handle runs cmd the way a scheduler does.
func handle(t *testing.T, c *clock.Clock, r *receiver, tag dispatch.Tag, cmd dispatch.Command) {
	t.Helper()
	if err := c.Handle(context.Background(), cmd, tag, r); err != nil {
		r.CompleteYield(tag, nil, err)
	}
}

// late is how much later than asked a timer may fire in virtual time.
const late = clock.Resolution

func TestNothingFiresEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		r := newReceiver()
		waits := []time.Duration{
			time.Nanosecond, time.Microsecond, clock.Resolution - 1, clock.Resolution, clock.Resolution + 1,
			time.Millisecond, 8388608, 8388609, 10 * time.Millisecond, 536870912, time.Second, time.Minute, time.Hour,
			24 * time.Hour, 400 * 24 * time.Hour, 20 * 365 * 24 * time.Hour,
		}
		for i, d := range waits {
			handle(t, c, r, dispatch.Tag(i), &clock.Sleep{For: d})
		}
		<-time.After(21 * 365 * 24 * time.Hour)
		synctest.Wait()
		got := r.all()
		if len(got) != len(waits) {
			t.Fatalf("%d sleeps completed, want %d", len(got), len(waits))
		}
		for _, g := range got {
			if d := waits[g.tag]; g.at < d || g.at > d+late || g.err != nil || g.data != nil {
				t.Errorf("sleep of %v completed after %v: %+v", d, g.at, g)
			}
		}
	})
}

func TestTickerDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		began := time.Now()
		var at []time.Duration
		tick := c.Every(777*time.Microsecond, func(now time.Time) { at = append(at, now.Sub(began)) })
		<-time.After(time.Second + late)
		tick.Stop()
		synctest.Wait()
		if len(at) != int(time.Second/(777*time.Microsecond)) {
			t.Errorf("%d ticks", len(at))
		}
		for i, d := range at {
			if want := time.Duration(i+1) * 777 * time.Microsecond; d < want || d > want+late {
				t.Fatalf("tick %d at %v, want %v", i, d, want)
			}
		}
	})
}
