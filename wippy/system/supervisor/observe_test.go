// SPDX-License-Identifier: Apache-2.0

package supervisor_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// bus records what is published.
type bus struct {
	mu     sync.Mutex
	events []event
}

type event struct {
	system, kind, path string
	data               any
}

func (b *bus) Publish(system, kind, path string, data any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, event{system, kind, path, data})
}

func TestStatesArePublishedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bus{}
		s := newSupervisor(supervisor.WithPublisher(b))
		commit(t, s, nil, reg{&service{name: "a", journal: newJournal(), start: reporting("one", "two")}, auto(), nil})
		_ = s.Settled(t.Context())
		synctest.Wait()
		shutdown(t, s)
		var states, updates []string
		for _, e := range b.events {
			if e.system != "supervisor" || e.path != "a" {
				t.Errorf("event %+v", e)
			}
			switch d := e.data.(type) {
			case supervisor.Status:
				states = append(states, e.kind)
				if d.ID != "a" || "state."+string(d.State) != e.kind {
					t.Errorf("event %+v", e)
				}
			case supervisor.Update:
				updates = append(updates, fmt.Sprintf("%s %v", d.State, d.Details))
				if e.kind != "service.update" || d.Desired != d.State || d.RetryCount != 0 {
					t.Errorf("event %+v", e)
				}
			}
		}
		if want := []string{"state.starting", "state.running", "state.stopping", "state.stopped"}; !slices.Equal(states, want) {
			t.Errorf("states %v", states)
		}
		if want := []string{"starting attempt 1", "running <nil>", "running one", "running two", "stopping <nil>", "stopped <nil>"}; !slices.Equal(updates, want) {
			t.Errorf("updates %v", updates)
		}
	})
}

// slowly is a publisher that takes a minute to tell of details.
type slowly struct{}

func (slowly) Publish(_, _, _ string, data any) {
	if u, ok := data.(supervisor.Update); ok && u.State == supervisor.Running && u.Details != nil {
		<-time.After(time.Minute)
	}
}

func TestDetailsAreThereWhenTheStartIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSupervisor(supervisor.WithPublisher(slowly{}))
		commit(t, s, nil, reg{&service{name: "a", journal: newJournal(), start: func(context.Context) (<-chan any, error) {
			status := make(chan any, 2)
			status <- "listening"
			status <- "asked"
			return status, nil
		}}, auto(), nil})
		began := time.Now()
		if err := s.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The details have been published by then, which took a minute.
		if took := time.Since(began); took != time.Minute {
			t.Errorf("the start was over after %v", took)
		}
		if d := state(t, s, "a").Details; d == nil {
			t.Error("no details")
		}
		synctest.Wait()
		<-time.After(time.Hour)
		if d := state(t, s, "a").Details; d != "asked" {
			t.Errorf("details %v", d)
		}
		shutdown(t, s)
	})
}

type ctxKey string

func TestContextsOfServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(context.WithValue(context.Background(), ctxKey("app"), "x"))
		s := newSupervisor(
			supervisor.WithContext(parent),
			supervisor.WithServiceContext(func(ctx context.Context, id string, lc supervisor.Lifecycle) context.Context {
				return context.WithValue(ctx, ctxKey("actor"), id+"/"+lc.Security.Actor.ID)
			}),
		)
		var run, stop context.Context
		lc := lifecycle(func(l *supervisor.Lifecycle) { l.Security.Actor = &supervisor.Actor{ID: "robot"} })
		commit(t, s, nil, reg{&service{name: "a", journal: newJournal(),
			start: func(ctx context.Context) (<-chan any, error) { run = ctx; return nil, nil },
			stop:  func(ctx context.Context) error { stop = ctx; return ctx.Err() },
		}, lc, nil})
		_ = s.Settled(t.Context())
		synctest.Wait()
		cancel()
		if run.Err() != nil {
			t.Error("the end of the parent context ended the run")
		}
		began := time.Now()
		shutdown(t, s)
		synctest.Wait()
		for _, ctx := range []context.Context{run, stop} {
			if ctx.Value(ctxKey("app")) != "x" || ctx.Value(ctxKey("actor")) != "a/robot" || ctx.Err() == nil {
				t.Errorf("context %v: %v, %v, %v", ctx, ctx.Value(ctxKey("app")), ctx.Value(ctxKey("actor")), ctx.Err())
			}
		}
		if deadline, ok := stop.Deadline(); !ok || deadline.Sub(began) != 10*time.Second {
			t.Errorf("deadline of Stop: %v, %v", deadline.Sub(began), ok)
		}
	})
}

func TestStatesAreSorted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSupervisor()
		for _, id := range []string{"c", "a", "b"} {
			commit(t, s, nil, reg{&service{name: id, journal: newJournal()}, supervisor.DefaultLifecycle(), nil})
		}
		_ = s.Settled(t.Context())
		var ids []string
		for _, st := range s.States() {
			ids = append(ids, st.ID)
		}
		if !slices.Equal(ids, []string{"a", "b", "c"}) {
			t.Errorf("states %v", ids)
		}
		shutdown(t, s)
	})
}

// stepClock is a clock the test moves by hand, for programs that do not live in real time.
type stepClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*stepTimer
}

type stepTimer struct {
	at time.Time
	f  func()
}

func (c *stepClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *stepClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &stepTimer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		before := len(c.timers)
		c.timers = slices.DeleteFunc(c.timers, func(other *stepTimer) bool { return other == t })
		return len(c.timers) < before
	}
}

// step moves to the next timer and runs it.
func (c *stepClock) step() time.Duration {
	c.mu.Lock()
	next := slices.MinFunc(c.timers, func(a, b *stepTimer) int { return a.at.Compare(b.at) })
	c.timers = slices.DeleteFunc(c.timers, func(other *stepTimer) bool { return other == next })
	passed := next.at.Sub(c.now)
	c.now = next.at
	c.mu.Unlock()
	next.f()
	return passed
}

func TestInjectedClockDrivesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &stepClock{now: time.Unix(0, 0)}
		j := newJournal()
		s := newSupervisor(supervisor.WithClock(c))
		commit(t, s, nil, reg{&service{name: "a", journal: j, start: failing(3, errBoom)}, auto(), nil})
		synctest.Wait()
		for _, want := range seconds(1, 2, 4) {
			if got := c.step(); got != want {
				t.Errorf("delay %v, want %v", got, want)
			}
			synctest.Wait()
		}
		if st := state(t, s, "a"); st.State != supervisor.Running || st.StartedAt != time.Unix(7, 0) {
			t.Errorf("status %+v", st)
		}
		shutdown(t, s)
		synctest.Wait()
		if len(c.timers) != 0 {
			t.Errorf("%d timers left", len(c.timers))
		}
	})
}
