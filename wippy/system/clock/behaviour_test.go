// SPDX-License-Identifier: Apache-2.0

package clock_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/clock"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestCommandsAreRegistered(t *testing.T) {
	d := dispatch.NewRegistry()
	clock.New().Register(d)
	for _, cmd := range []dispatch.Command{
		&clock.Sleep{}, &clock.TickerStart{}, &clock.TickerStop{}, &clock.TimerStart{}, &clock.TimerWait{},
		&clock.TimerStop{}, &clock.TimerReset{}, &clock.TimerStopByChannel{}, &clock.TickerStopByChannel{},
	} {
		if _, ok := d.Lookup(cmd.CommandID()); !ok {
			t.Errorf("no handler for %T", cmd)
		}
	}
	if d.Len() != 9 {
		t.Errorf("%d handlers", d.Len())
	}
}

// alien is a command of somebody else.
type alien struct{}

func (alien) CommandID() dispatch.CommandID { return 99 }

func TestUnknownCommandIsAnError(t *testing.T) {
	if err := clock.New().Handle(context.Background(), alien{}, 1, newReceiver()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("error %v", err)
	}
}

func TestSleepOfNothingCompletesAtOnce(t *testing.T) {
	c, r := clock.New(), newReceiver()
	for _, d := range []time.Duration{0, -time.Second} {
		handle(t, c, r, 7, &clock.Sleep{For: d})
	}
	if got := r.all(); len(got) != 2 || got[0].tag != 7 || got[0].err != nil {
		t.Errorf("completions %+v", got)
	}
}

func TestSleepCommandCanBeUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, r := clock.New(), newReceiver()
		s := &clock.Sleep{For: time.Millisecond}
		for i := range 100 {
			handle(t, c, r, dispatch.Tag(i), s)
			<-time.After(2 * time.Millisecond)
			synctest.Wait()
		}
		if got := r.all(); len(got) != 100 {
			t.Errorf("%d completions", len(got))
		}
	})
}

func TestCancelledSleepDoesNotComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, r := clock.New(), newReceiver()
		s := &clock.Sleep{For: time.Second}
		s.Cancel() // never armed: nothing to cancel
		handle(t, c, r, 1, s)
		s.Cancel()
		<-time.After(time.Minute)
		if got := r.all(); len(got) != 0 {
			t.Errorf("completions %+v", got)
		}
	})
}

func TestTimerWaitCompletesWithTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, r := clock.New(), newReceiver()
		began := time.Now()
		w := &clock.TimerWait{After: time.Second}
		handle(t, c, r, 1, w)
		<-time.After(2 * time.Second)
		synctest.Wait()
		got := r.all()
		if len(got) != 1 {
			t.Fatalf("completions %+v", got)
		}
		if at, ok := got[0].data.(time.Time); !ok || at.Sub(began) < time.Second || at.Sub(began) > time.Second+late {
			t.Errorf("data %v", got[0].data)
		}
		if w.Stop() || w.Reset(time.Second) {
			t.Error("a wait that fired can be stopped or reset")
		}
	})
}

func TestTimerWaitBeforeItIsHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, r := clock.New(), newReceiver()
		stopped := &clock.TimerWait{After: time.Second}
		if !stopped.Stop() || stopped.Stop() || stopped.Reset(1) {
			t.Error("Stop before the command was handled must report true once")
		}
		handle(t, c, r, 1, stopped)
		moved := &clock.TimerWait{After: time.Hour}
		if !moved.Reset(time.Second) {
			t.Error("Reset before the command was handled must report true")
		}
		handle(t, c, r, 2, moved)
		<-time.After(time.Minute)
		synctest.Wait()
		got := r.all()
		if len(got) != 2 || !errors.Is(got[0].err, clock.ErrStopped) || got[1].at > time.Second+late {
			t.Errorf("completions %+v", got)
		}
	})
}

func TestTimerAndTickerCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, r := clock.New(), newReceiver()
		var timer, ticker, keyed, keyedTicker int
		last := func() any { got := r.all(); return got[len(got)-1].data }
		count := func(n *int) func(time.Time) { return func(time.Time) { *n++ } }

		handle(t, c, r, 1, &clock.TimerStart{After: time.Second, Deliver: count(&timer)})
		one := last().(*clock.Timer)
		handle(t, c, r, 2, &clock.TickerStart{Every: time.Second, Deliver: count(&ticker)})
		two := last().(*clock.Timer)
		handle(t, c, r, 3, &clock.TimerStart{After: time.Second, Deliver: count(&keyed), Key: "ch1"})
		handle(t, c, r, 4, &clock.TickerStart{Every: time.Second, Deliver: count(&keyedTicker), Key: "ch2"})

		handle(t, c, r, 5, &clock.TimerReset{Timer: one, After: 5 * time.Second})
		if last() != true {
			t.Errorf("TimerReset: %v", last())
		}
		<-time.After(3500 * time.Millisecond)
		synctest.Wait()
		if timer != 0 || ticker != 3 || keyed != 1 || keyedTicker != 3 {
			t.Errorf("counts %d %d %d %d", timer, ticker, keyed, keyedTicker)
		}
		for _, tc := range []struct {
			cmd  dispatch.Command
			want bool
		}{
			{&clock.TimerStop{Timer: one}, true},
			{&clock.TimerStop{Timer: one}, false},
			{&clock.TimerReset{Timer: one, After: 1}, false},
			{&clock.TickerStop{Timer: two}, true},
			{&clock.TickerStop{Timer: two}, true},
			{&clock.TimerStopByChannel{Key: "ch1"}, false}, // has fired
			{&clock.TickerStopByChannel{Key: "ch2"}, true},
			{&clock.TickerStopByChannel{Key: "ch2"}, true},
		} {
			handle(t, c, r, 6, tc.cmd)
			if last() != tc.want {
				t.Errorf("%T: %v, want %v", tc.cmd, last(), tc.want)
			}
		}
		handle(t, c, r, 7, &clock.TimerStart{After: time.Second, Deliver: count(&keyed), Key: "ch3"})
		handle(t, c, r, 8, &clock.TimerStopByChannel{Key: "ch3"})
		if last() != true {
			t.Error("a pending timer is not found by its key")
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if timer != 0 || ticker != 3 || keyed != 1 || keyedTicker != 3 {
			t.Errorf("after stopping: counts %d %d %d %d", timer, ticker, keyed, keyedTicker)
		}
		if n := c.Keyed(); n != 0 {
			t.Errorf("%d keys are remembered", n)
		}
	})
}

func TestTickerSkipsMissedTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		began := time.Now()
		var at []time.Duration
		tick := c.Every(time.Second, func(now time.Time) {
			at = append(at, now.Sub(began).Truncate(10*time.Millisecond))
			if len(at) == 2 {
				<-time.After(3500 * time.Millisecond) // a delivery that takes far too long
			}
		})
		<-time.After(8500 * time.Millisecond)
		synctest.Wait()
		tick.Stop()
		// Tick 3 is late, 4 and 5 are left out, 6 is on time again.
		if want := seconds(1, 2, 5.5, 6, 7, 8); !slices.Equal(at, want) {
			t.Errorf("ticks at %v, want %v", at, want)
		}
	})
}

func seconds(at ...float64) []time.Duration {
	var out []time.Duration
	for _, s := range at {
		out = append(out, time.Duration(s*float64(time.Second)))
	}
	return out
}

func TestTimerStoppedByItsOwnDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		var ticks, again int
		var tick, moved atomic.Pointer[clock.Timer]
		tick.Store(c.Every(time.Second, func(time.Time) {
			if ticks++; ticks == 3 && !tick.Load().Stop() {
				t.Error("Stop from inside the delivery came too late")
			}
		}))
		moved.Store(c.Every(time.Second, func(time.Time) {
			if again++; again == 1 {
				moved.Load().Reset(10 * time.Second)
			}
		}))
		<-time.After(time.Minute)
		synctest.Wait()
		moved.Load().Stop()
		if ticks != 3 || again != 6 {
			t.Errorf("%d ticks before the stop, %d with the reset", ticks, again)
		}
	})
}

func TestPanicIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []any
		c := clock.New(clock.WithWheels(1), clock.WithPanicHandler(func(v any, stack []byte) {
			if !strings.Contains(string(stack), "behaviour_test.go") {
				t.Errorf("stack %s", stack)
			}
			reports = append(reports, v)
		}))
		fired := 0
		tick := c.Every(time.Second, func(time.Time) { panic("oh") })
		c.After(time.Second, func(time.Time) { fired++ })
		<-time.After(2500 * time.Millisecond)
		synctest.Wait()
		tick.Stop()
		if len(reports) != 2 || reports[0] != "oh" || fired != 1 {
			t.Errorf("reports %v, fired %d", reports, fired)
		}
	})
}

func TestToProcessSendsEachTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		to := relay.NewPID("", "app:h", "1")
		topic := clock.NewTopic()
		if other := clock.NewTopic(); other == topic || !strings.HasPrefix(topic, "time@") {
			t.Errorf("topics %q and %q", topic, other)
		}
		var got []time.Time
		var gone atomic.Bool
		tick := c.Every(time.Second, clock.ToProcess(func(m *relay.Message) error {
			if gone.Load() {
				return errors.New("process not found")
			}
			if m.To != to || !m.From.IsZero() || m.Topic != topic {
				t.Errorf("message %+v", m)
			}
			got = append(got, m.Payload().Data.(time.Time))
			m.Release()
			return nil
		}, to, topic))
		<-time.After(2500 * time.Millisecond)
		synctest.Wait()
		gone.Store(true)
		<-time.After(2 * time.Second)
		synctest.Wait()
		tick.Stop()
		if len(got) != 2 {
			t.Errorf("ticks %v", got)
		}
	})
}

func TestSleepingAllocatesNothing(t *testing.T) {
	c := clock.New(clock.WithWheels(1))
	ctx := context.Background()
	r := drop{}
	s := &clock.Sleep{For: time.Hour}
	warm := func() {
		_ = c.Handle(ctx, s, 1, r)
		s.Cancel()
	}
	warm()
	if n := testing.AllocsPerRun(1000, warm); n > 0 && !raceEnabled {
		t.Errorf("arming and stopping allocates %v times", n)
	}
}

type drop struct{}

func (drop) CompleteYield(dispatch.Tag, any, error) {}

func TestIdleClockHasNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	c := clock.New()
	for range 1000 {
		c.After(time.Hour, func(time.Time) {})
	}
	// One of the runtime, or of a test before, may be on its way out; one of the clock would stay.
	limit, tick := time.NewTimer(time.Minute), time.NewTicker(time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// TestStopRacesFiringConcurrentSafe lets many goroutines stop timers at the moment they fire, in real time: every
// timer must end in exactly one way.
func TestStopRacesFiringConcurrentSafe(t *testing.T) {
	c := clock.New()
	const timers = 4000
	var fired, stopped, both atomic.Int64
	var wg, ended sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range timers / 4 {
				var done atomic.Bool
				ended.Add(1)
				end := func(n *atomic.Int64) {
					n.Add(1)
					if done.Swap(true) {
						both.Add(1)
						return
					}
					ended.Done()
				}
				timer := c.After(time.Duration((i+w)%3)*clock.Resolution, func(time.Time) { end(&fired) })
				if i%2 == 0 {
					runtime.Gosched()
				}
				if timer.Stop() {
					end(&stopped)
				}
			}
		})
	}
	wg.Wait()
	ended.Wait()
	if both.Load() != 0 || fired.Load()+stopped.Load() != timers {
		t.Errorf("%d fired, %d stopped, %d both", fired.Load(), stopped.Load(), both.Load())
	}
}

// TestTickersConcurrentSafe starts, resets and stops tickers from several goroutines while they tick.
func TestTickersConcurrentSafe(t *testing.T) {
	c := clock.New(clock.WithWheels(2))
	var ticks atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 200 {
				tick := c.Every(time.Duration(i%5)*clock.Resolution, func(time.Time) { ticks.Add(1) })
				tick.Reset(clock.Resolution)
				for n := ticks.Load(); ticks.Load() == n && i%20 == 0; {
					runtime.Gosched()
				}
				if !tick.Stop() || tick.Stop() {
					t.Error("a running ticker is stopped exactly once")
				}
			}
		})
	}
	wg.Wait()
}
