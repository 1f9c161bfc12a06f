// SPDX-License-Identifier: Apache-2.0

package clock_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/clock"
)

// modelTimer is one timer of the model, with what the clock did about it.
type modelTimer struct {
	mu      *sync.Mutex // guards all below against deliveries
	kind    string      // sleep wait once ticker
	due     time.Time
	period  time.Duration
	stopped bool
	fired   []time.Time
	err     error
	handle  clock.Stopper
}

// pending reports whether a Stop or Reset now comes in time.
func (m *modelTimer) pending() bool {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.stopped && (m.period > 0 || len(m.fired) == 0)
}

// CompleteYield makes a modelTimer the receiver of its own command.
func (m *modelTimer) CompleteYield(_ dispatch.Tag, data any, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.err = err
		return
	}
	if at, ok := data.(time.Time); ok {
		m.fired = append(m.fired, at)
		return
	}
	m.fired = append(m.fired, time.Now())
}

// noDeadline hides the deadline of a test, which is in real time and of no meaning here.
type noDeadline struct{ testing.TB }

// TestModel arms, stops and resets timers of all kinds while virtual time passes, and compares every firing with
// what a list of deadlines says.
func TestModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			c := clock.New(clock.WithWheels(rapid.IntRange(1, 3).Draw(t, "wheels")))
			var timers []*modelTimer
			mu := new(sync.Mutex)
			duration := rapid.Custom(func(t *rapid.T) time.Duration {
				unit := rapid.SampledFrom([]time.Duration{1, time.Microsecond, clock.Resolution, time.Millisecond, time.Second, time.Hour}).Draw(t, "unit")
				return time.Duration(rapid.IntRange(1, 100).Draw(t, "n")) * unit
			})
			defer func() {
				for _, m := range timers {
					if m.handle != nil {
						m.handle.Stop()
					}
				}
				<-time.After(200 * time.Hour) // let the sleeps run out before the next round
				synctest.Wait()
			}()
			add := func(m *modelTimer) { timers = append(timers, m) }
			pick := func(t *rapid.T) *modelTimer {
				if len(timers) == 0 {
					return nil
				}
				return rapid.SampledFrom(timers).Draw(t, "timer")
			}
			do := func(m *modelTimer, cmd dispatch.Command) {
				if err := c.Handle(t.Context(), cmd, 1, m); err != nil {
					t.Fatal(err)
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"sleep": func(t *rapid.T) {
					d := duration.Draw(t, "for")
					m := &modelTimer{mu: mu, kind: "sleep", due: time.Now().Add(d)}
					do(m, &clock.Sleep{For: d})
					add(m)
				},
				"wait": func(t *rapid.T) {
					d := duration.Draw(t, "after")
					w := &clock.TimerWait{After: d}
					m := &modelTimer{mu: mu, kind: "wait", due: time.Now().Add(d), handle: w}
					do(m, w)
					add(m)
				},
				"after": func(t *rapid.T) {
					d := duration.Draw(t, "after")
					m := &modelTimer{mu: mu, kind: "once", due: time.Now().Add(d)}
					m.handle = c.After(d, func(now time.Time) { m.CompleteYield(0, now, nil) })
					add(m)
				},
				"every": func(t *rapid.T) {
					d := duration.Draw(t, "every") + 10*time.Millisecond
					m := &modelTimer{mu: mu, kind: "ticker", due: time.Now().Add(d), period: d}
					m.handle = c.Every(d, func(now time.Time) {
						mu.Lock()
						defer mu.Unlock()
						if late := now.Sub(m.due); late < 0 || late > clock.Resolution {
							t.Errorf("tick %d of %v at %v, %v off", len(m.fired), d, now, late)
						}
						m.fired = append(m.fired, now)
						m.due = m.due.Add(m.period)
					})
					add(m)
				},
				"pass": func(t *rapid.T) {
					d := duration.Draw(t, "time")
					mu.Lock()
					ticking := slices.ContainsFunc(timers, func(m *modelTimer) bool { return m.period > 0 && !m.stopped })
					mu.Unlock()
					if ticking {
						d = min(d, 10*time.Second) // hours of ticks would take minutes
					}
					<-time.After(d)
					synctest.Wait()
				},
				"stop": func(t *rapid.T) {
					m := pick(t)
					if m == nil || m.handle == nil {
						return
					}
					want := m.pending()
					if got := m.handle.Stop(); got != want {
						t.Fatalf("Stop of %+v is %v", m, got)
					}
					mu.Lock()
					defer mu.Unlock()
					if want && m.kind == "wait" && !errors.Is(m.err, clock.ErrStopped) {
						t.Fatalf("a stopped wait completed with %v", m.err)
					}
					m.stopped = true
				},
				"reset": func(t *rapid.T) {
					m := pick(t)
					if m == nil || m.handle == nil {
						return
					}
					d := duration.Draw(t, "d")
					if m.period > 0 {
						d += 10 * time.Millisecond
					}
					want := m.pending()
					if got := m.handle.Reset(d); got != want {
						t.Fatalf("Reset of %+v is %v", m, got)
					}
					mu.Lock()
					defer mu.Unlock()
					if want {
						m.due = time.Now().Add(d)
						if m.period > 0 {
							m.period = d
						}
					}
				},
				"": func(t *rapid.T) {
					synctest.Wait()
					mu.Lock()
					defer mu.Unlock()
					now := time.Now()
					for _, m := range timers {
						switch {
						case m.period > 0:
							if !m.stopped && now.Sub(m.due) > clock.Resolution {
								t.Fatalf("tick due at %v is missing at %v", m.due, now)
							}
						case len(m.fired) > 1 || m.stopped && len(m.fired) > 0 && m.err != nil:
							t.Fatalf("%+v fired more than once", m)
						case len(m.fired) == 1:
							if late := m.fired[0].Sub(m.due); late < 0 || late > clock.Resolution {
								t.Fatalf("%s due at %v fired %v off", m.kind, m.due, late)
							}
						case !m.stopped && now.Sub(m.due) > clock.Resolution:
							t.Fatalf("%s due at %v has not fired at %v", m.kind, m.due, now)
						}
					}
				},
			})
		})
	})
}
