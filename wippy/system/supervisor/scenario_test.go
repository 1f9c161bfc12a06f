// SPDX-License-Identifier: Apache-2.0

package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// lifecycle returns an auto-starting life cycle without jitter, changed by edit.
func lifecycle(edit func(*supervisor.Lifecycle)) supervisor.Lifecycle {
	lc := auto()
	if edit != nil {
		edit(&lc)
	}
	return lc
}

func attempts(n int) supervisor.Lifecycle {
	return lifecycle(func(l *supervisor.Lifecycle) { l.Restart.MaxAttempts = n })
}

// newSupervisor returns one whose delays are exact.
func newSupervisor(opts ...supervisor.Option) *supervisor.Supervisor {
	return supervisor.New(append([]supervisor.Option{supervisor.WithRandom(func() float64 { return 0.5 })}, opts...)...)
}

func shutdown(t *testing.T, s *supervisor.Supervisor) {
	t.Helper()
	if err := s.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// failing returns a Start that fails n times, for ever when n is negative.
func failing(n int, err error) func(context.Context) (<-chan any, error) {
	return func(context.Context) (<-chan any, error) {
		if n != 0 {
			n--
			return nil, err
		}
		return nil, nil
	}
}

func seconds(at ...float64) []time.Duration {
	var out []time.Duration
	for _, s := range at {
		out = append(out, time.Duration(s*float64(time.Second)))
	}
	return out
}

func TestRestartsFollowTheBackoffSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil, reg{&service{name: "a", journal: j, start: failing(-1, errBoom)}, lifecycle(func(l *supervisor.Lifecycle) {
			l.Restart.MaxDelay = 4 * time.Second
		}), nil})
		time.Sleep(16 * time.Second)
		synctest.Wait()
		// Delays 1, 2, 4, 4, 4: starts at 0, 1, 3, 7, 11, 15.
		if got, want := j.at("start a"), seconds(0, 1, 3, 7, 11, 15); !slices.Equal(got, want) {
			t.Errorf("starts at %v, want %v", got, want)
		}
		if st := state(t, s, "a"); st.State != supervisor.Failed || st.RetryCount != 6 || st.Desired != supervisor.Running {
			t.Errorf("status %+v", st)
		}
		shutdown(t, s)
	})
}

func TestMaxAttemptsBoundsStarts(t *testing.T) {
	for n := 1; n <= 4; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal()
				s := newSupervisor()
				lc := attempts(n)
				lc.AutoStart = false
				commit(t, s, nil, reg{&service{name: "a", journal: j, start: failing(-1, errBoom)}, lc, nil})
				synctest.Wait()
				err := s.Start(t.Context(), "a")
				if !errors.Is(err, supervisor.ErrStartTimedOut) || !errors.Is(err, errBoom) || fault.KindOf(err) != fault.Timeout {
					t.Errorf("Start: %v", err)
				}
				time.Sleep(time.Hour)
				if got := len(j.at("start a")); got != n {
					t.Errorf("%d starts", got)
				}
				if st := state(t, s, "a"); st.State != supervisor.Failed || st.RetryCount != n-1 || st.Details != errBoom {
					t.Errorf("status %+v", st)
				}
				shutdown(t, s)
			})
		})
	}
}

// crashing returns a Start whose runs last for the given times, then for ever.
func crashing(runs ...time.Duration) func(context.Context) (<-chan any, error) {
	return func(ctx context.Context) (<-chan any, error) {
		if len(runs) == 0 {
			return nil, nil
		}
		lasts := runs[0]
		runs = runs[1:]
		status := make(chan any)
		time.AfterFunc(lasts, func() { close(status) })
		return status, nil
	}
}

func TestStableRunResetsTheRow(t *testing.T) {
	for _, tc := range []struct {
		name string
		runs []time.Duration
		want []time.Duration
	}{
		// max_attempts 2: a crash after an unstable run uses up the row.
		{"unstable", seconds(4, 4, 4), seconds(0, 5)},
		// A stable run begins a new row each time, with the initial delay.
		{"stable", seconds(5, 5, 5), seconds(0, 6, 12, 18)},
		{"unstable after stable", seconds(5, 4), seconds(0, 6)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal()
				s := newSupervisor()
				commit(t, s, nil, reg{&service{name: "a", journal: j, start: crashing(tc.runs...)}, attempts(2), nil})
				time.Sleep(time.Minute)
				if got := j.at("start a"); !slices.Equal(got, tc.want) {
					t.Errorf("starts at %v, want %v", got, tc.want)
				}
				shutdown(t, s)
			})
		})
	}
}

func TestRetryCountShowsZeroOnceStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSupervisor()
		commit(t, s, nil, reg{&service{name: "a", journal: newJournal(), start: failing(1, errBoom)}, auto(), nil})
		time.Sleep(2 * time.Second)
		if st := state(t, s, "a"); st.State != supervisor.Running || st.RetryCount != 1 {
			t.Errorf("status %+v", st)
		}
		time.Sleep(5 * time.Second)
		if st := state(t, s, "a"); st.RetryCount != 0 {
			t.Errorf("status %+v", st)
		}
		shutdown(t, s)
	})
}

func TestTerminalErrorsAreNotRetried(t *testing.T) {
	for _, tc := range []struct {
		name  string
		start func(context.Context) (<-chan any, error)
		want  any
	}{
		{"at start", failing(-1, errFinal), error(errFinal)},
		{"while running", reporting(errFinal), error(errFinal)},
		{"exit", reporting(supervisor.ErrExit), nil},
		{"cancelled", reporting(context.Canceled), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal()
				s := newSupervisor()
				commit(t, s, nil, reg{&service{name: "a", journal: j, start: tc.start}, auto(), nil})
				time.Sleep(time.Hour)
				if st := state(t, s, "a"); st.State != supervisor.Exited || st.Details != tc.want {
					t.Errorf("status %+v", st)
				}
				shutdown(t, s)
				if got := j.all(); !slices.Equal(got, []string{"start a"}) {
					t.Errorf("journal %v", got)
				}
			})
		})
	}
}

// reporting returns a Start that reports the values and then goes on running.
func reporting(values ...any) func(context.Context) (<-chan any, error) {
	return func(ctx context.Context) (<-chan any, error) {
		status := make(chan any)
		go func() {
			for _, v := range values {
				select {
				case status <- v:
				case <-ctx.Done():
					return
				}
			}
		}()
		return status, nil
	}
}

func TestStartOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		slow := func(context.Context) (<-chan any, error) {
			time.Sleep(time.Second)
			return nil, nil
		}
		needs := func(ids ...string) supervisor.Lifecycle {
			return lifecycle(func(l *supervisor.Lifecycle) { l.Requires = ids })
		}
		commit(t, s, nil,
			reg{&service{name: "top", journal: j, start: slow}, needs("left", "right"), nil},
			reg{&service{name: "left", journal: j, start: slow}, needs("base"), nil},
			reg{&service{name: "right", journal: j, start: slow}, auto(), []string{"base", "nowhere"}},
			reg{&service{name: "base", journal: j, start: slow}, supervisor.DefaultLifecycle(), nil},
			reg{&service{name: "other", journal: j, start: slow}, auto(), nil},
		)
		if err := s.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		for line, want := range map[string]time.Duration{"start base": 0, "start other": 0, "start left": time.Second, "start right": time.Second, "start top": 2 * time.Second} {
			if got := j.at(line); !slices.Equal(got, []time.Duration{want}) {
				t.Errorf("%s at %v, want %v", line, got, want)
			}
		}
		before := len(j.all())
		shutdown(t, s)
		order := j.all()[before:]
		for _, pair := range [][2]string{{"stop top", "stop left"}, {"stop top", "stop right"}, {"stop left", "stop base"}, {"stop right", "stop base"}} {
			if slices.Index(order, pair[0]) > slices.Index(order, pair[1]) {
				t.Errorf("%s after %s: %v", pair[0], pair[1], order)
			}
		}
	})
}

func TestDependenciesAreFollowedThroughOtherEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		refs := map[string][]string{"config": {"pool", "config"}, "pool": {"db", "text"}}
		s := newSupervisor(supervisor.WithReferences(func(id string) []string { return refs[id] }))
		commit(t, s, nil,
			reg{&service{name: "api", journal: j}, lifecycle(func(l *supervisor.Lifecycle) { l.Requires = []string{"config"} }), nil},
			reg{&service{name: "db", journal: j}, supervisor.DefaultLifecycle(), nil},
			reg{&service{name: "selfish", journal: j}, auto(), []string{"selfish"}},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		got := slices.DeleteFunc(j.all(), func(l string) bool { return l == "start selfish" })
		if !slices.Equal(got, []string{"start db", "start api"}) {
			t.Errorf("journal %v", got)
		}
		if st := state(t, s, "selfish"); st.State != supervisor.Running {
			t.Errorf("a service that names itself is %+v", st)
		}
		shutdown(t, s)
	})
}

func TestFailureBlocksOnlyDependents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		one := attempts(1)
		commit(t, s, nil,
			reg{&service{name: "bad", journal: j, start: failing(-1, errBoom)}, one, nil},
			reg{&service{name: "user", journal: j}, auto(), []string{"bad"}},
			reg{&service{name: "user2", journal: j}, auto(), []string{"user"}},
			reg{&service{name: "fine", journal: j}, auto(), nil},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		if got := state(t, s, "fine").State; got != supervisor.Running {
			t.Errorf("fine is %s", got)
		}
		for _, id := range []string{"user", "user2"} {
			st := state(t, s, id)
			err, _ := st.Details.(error)
			if st.State != supervisor.Failed || !errors.Is(err, errBoom) {
				t.Errorf("%s is %+v", id, st)
			}
		}
		if err := s.Start(t.Context(), "user2"); !errors.Is(err, errBoom) || fault.DetailsOf(err)["dependency"] != "user" {
			t.Errorf("Start of a blocked service: %v", err)
		}
		if slices.Contains(j.all(), "start user") {
			t.Error("a blocked service was started")
		}
		shutdown(t, s)
	})
}

func TestMissingRequirementBlocksUntilItArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		needs := lifecycle(func(l *supervisor.Lifecycle) { l.Requires = []string{"gone", "db", "away"} })
		commit(t, s, nil,
			reg{&service{name: "api", journal: j}, needs, nil},
			reg{&service{name: "db", journal: j}, auto(), nil},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		st := state(t, s, "api")
		err, _ := st.Details.(error)
		want := "service startup blocked by missing dependencies: api requires away, gone"
		if st.State != supervisor.Failed || err == nil || err.Error() != want || fault.KindOf(err) != fault.Invalid {
			t.Errorf("api is %+v", st)
		}
		commit(t, s, nil, reg{&service{name: "gone", journal: j}, auto(), nil}, reg{&service{name: "away", journal: j}, auto(), nil})
		_ = s.Settled(t.Context())
		synctest.Wait()
		if st := state(t, s, "api"); st.State != supervisor.Running {
			t.Errorf("with everything there, api is %+v", st)
		}
		shutdown(t, s)
	})
}

func TestCycleStartsNothingOfTheBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil,
			reg{&service{name: "a", journal: j}, auto(), []string{"b"}},
			reg{&service{name: "b", journal: j}, auto(), []string{"c"}},
			reg{&service{name: "c", journal: j}, auto(), []string{"a"}},
			reg{&service{name: "d", journal: j}, auto(), nil},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		if got := j.all(); len(got) != 0 {
			t.Errorf("journal %v", got)
		}
		err := s.Start(t.Context(), "b")
		if !errors.Is(err, supervisor.ErrCycle) || fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "a -> b -> c -> a") {
			t.Errorf("Start: %v", err)
		}
		// What is independent can be started, and later transactions are not affected.
		if err := s.Start(t.Context(), "d"); err != nil {
			t.Error(err)
		}
		commit(t, s, []string{"c"}, reg{&service{name: "c", journal: j}, auto(), nil})
		_ = s.Settled(t.Context())
		synctest.Wait()
		for _, id := range []string{"a", "b", "c", "d"} {
			if st := state(t, s, id); st.State != supervisor.Running {
				t.Errorf("without the cycle, %s is %+v", id, st)
			}
		}
		shutdown(t, s)
	})
}

func TestShutdownOfACycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		refs := map[string][]string{}
		s := newSupervisor(supervisor.WithReferences(func(id string) []string { return refs[id] }))
		commit(t, s, nil,
			reg{&service{name: "a", journal: j}, auto(), []string{"x"}},
			reg{&service{name: "b", journal: j}, auto(), []string{"a"}},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		refs["x"] = []string{"b"} // the circle closes behind the running services
		shutdown(t, s)
		if got := j.all(); len(got) != 4 {
			t.Errorf("journal %v", got)
		}
	})
}

func TestFailingServiceDoesNotHoldUpLaterTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil,
			reg{&service{name: "bad", journal: j, start: failing(-1, errBoom)}, auto(), nil},
			reg{&service{name: "user", journal: j}, auto(), []string{"bad"}},
		)
		commit(t, s, []string{"bad"}, reg{&service{name: "bad", journal: j}, auto(), nil}, reg{&service{name: "new", journal: j}, auto(), nil})
		if err := s.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, id := range []string{"bad", "new", "user"} {
			if st := state(t, s, id); st.State != supervisor.Running {
				t.Errorf("%s is %+v", id, st)
			}
		}
		if got := j.at("start new"); !slices.Equal(got, seconds(0)) {
			t.Errorf("new started at %v", got)
		}
		shutdown(t, s)
	})
}

func TestLaterTransactionWaitsForRequiredNotForOptional(t *testing.T) {
	for _, optional := range []bool{false, true} {
		t.Run(fmt.Sprint("optional ", optional), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal()
				s := newSupervisor()
				slow := func(context.Context) (<-chan any, error) { time.Sleep(3 * time.Second); return nil, nil }
				commit(t, s, nil, reg{&service{name: "slow", journal: j, start: slow}, lifecycle(func(l *supervisor.Lifecycle) { l.Optional = optional }), nil})
				commit(t, s, nil, reg{&service{name: "next", journal: j}, auto(), nil})
				_ = s.Settled(t.Context())
				want := seconds(3)
				if optional {
					want = seconds(0)
				}
				synctest.Wait()
				if got := j.at("start next"); !slices.Equal(got, want) {
					t.Errorf("next started at %v, want %v", got, want)
				}
				shutdown(t, s)
			})
		})
	}
}

func TestHungStopDelaysTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		hung := &service{name: "a", journal: j, stop: func(context.Context) error {
			time.Sleep(25 * time.Second)
			j.add("stopped a")
			return nil
		}}
		commit(t, s, nil, reg{hung, auto(), nil})
		_ = s.Settled(t.Context())
		synctest.Wait()
		err := s.Stop(t.Context(), "a")
		if !errors.Is(err, supervisor.ErrStopTimedOut) || fault.DetailsOf(err)["timeout"] != "10s" {
			t.Errorf("Stop: %v", err)
		}
		if retryable, known := fault.RetryableOf(err); retryable || !known {
			t.Error("a stop timeout is not retryable")
		}
		if st := state(t, s, "a"); st.State != supervisor.Failed || st.Details != "stop timeout after 10s" || st.Desired != supervisor.Stopped {
			t.Errorf("status %+v", st)
		}
		// 10 s: the attempt waits for the hung call, times out at 20 s, is repeated at 21 s and gets through at 25 s.
		if err := s.Start(t.Context(), "a"); err != nil {
			t.Errorf("Start: %v", err)
		}
		if got := j.at("start a"); !slices.Equal(got, seconds(0, 25)) {
			t.Errorf("starts at %v", got)
		}
		hung.stop = nil
		shutdown(t, s)
	})
}

func TestLateStartIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		var causes []error
		slow := &service{name: "a", journal: j, start: func(ctx context.Context) (<-chan any, error) {
			time.Sleep(12 * time.Second)
			causes = append(causes, context.Cause(ctx))
			return nil, nil
		}}
		commit(t, s, nil, reg{slow, attempts(1), nil})
		time.Sleep(time.Minute)
		if got := j.all(); !slices.Equal(got, []string{"start a", "stop a"}) {
			t.Errorf("journal %v", got)
		}
		if len(causes) != 1 || !errors.Is(causes[0], supervisor.ErrStartTimedOut) {
			t.Errorf("causes %v", causes)
		}
		if st := state(t, s, "a"); st.State != supervisor.Failed || st.Details != "start timeout" {
			t.Errorf("status %+v", st)
		}
		shutdown(t, s)
	})
}

func TestStopDuringStartCancelsIt(t *testing.T) {
	for _, tc := range []struct {
		name  string
		start func(ctx context.Context) (<-chan any, error)
		want  []string
		took  time.Duration
		err   error
		state supervisor.State
	}{
		{"gives up", func(ctx context.Context) (<-chan any, error) { <-ctx.Done(); return nil, ctx.Err() },
			[]string{"start a"}, 0, nil, supervisor.Stopped},
		{"gets there", func(context.Context) (<-chan any, error) { time.Sleep(5 * time.Second); return nil, nil },
			[]string{"start a", "stop a"}, 4 * time.Second, nil, supervisor.Stopped},
		{"hangs", func(context.Context) (<-chan any, error) { time.Sleep(time.Hour); return nil, nil },
			[]string{"start a"}, 10 * time.Second, supervisor.ErrStopTimedOut, supervisor.Failed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal()
				s := newSupervisor()
				lc := lifecycle(func(l *supervisor.Lifecycle) { l.AutoStart, l.StartTimeout = false, time.Minute })
				commit(t, s, nil, reg{&service{name: "a", journal: j, start: tc.start}, lc, nil})
				synctest.Wait()
				started := make(chan error, 1)
				go func() { started <- s.Start(context.Background(), "a") }()
				time.Sleep(time.Second)
				began := time.Now()
				if err := s.Stop(t.Context(), "a"); !errors.Is(err, tc.err) {
					t.Errorf("Stop: %v", err)
				}
				if took := time.Since(began); took != tc.took {
					t.Errorf("Stop took %v, want %v", took, tc.took)
				}
				if err := <-started; !errors.Is(err, supervisor.ErrStartCanceled) {
					t.Errorf("Start: %v", err)
				}
				if st := state(t, s, "a"); st.State != tc.state {
					t.Errorf("status %+v", st)
				}
				if got := j.all(); !slices.Equal(got, tc.want) {
					t.Errorf("journal %v, want %v", got, tc.want)
				}
				time.Sleep(2 * time.Hour)
				shutdown(t, s)
			})
		})
	}
}

func TestStopTakesDependentsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil,
			reg{&service{name: "db", journal: j}, auto(), nil},
			reg{&service{name: "api", journal: j}, auto(), []string{"db"}},
			reg{&service{name: "web", journal: j}, auto(), []string{"api"}},
			reg{&service{name: "log", journal: j}, auto(), nil},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		if err := s.Stop(t.Context(), "db"); err != nil {
			t.Error(err)
		}
		if got := j.all()[4:]; !slices.Equal(got, []string{"stop web", "stop api", "stop db"}) {
			t.Errorf("journal %v", got)
		}
		if st := state(t, s, "log"); st.State != supervisor.Running {
			t.Errorf("log is %+v", st)
		}
		if err := s.Start(t.Context(), "web"); err != nil {
			t.Error(err)
		}
		if got := j.all()[7:]; !slices.Equal(got, []string{"start db", "start api", "start web"}) {
			t.Errorf("journal %v", got)
		}
		shutdown(t, s)
	})
}

func TestRemoveStopsAndForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil,
			reg{&service{name: "db", journal: j}, auto(), nil},
			reg{&service{name: "api", journal: j}, auto(), []string{"db"}},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		commit(t, s, []string{"db", "api", "unknown"})
		_ = s.Settled(t.Context())
		if got := j.all()[2:]; !slices.Equal(got, []string{"stop api", "stop db"}) {
			t.Errorf("journal %v", got)
		}
		if _, err := s.State("db"); !errors.Is(err, supervisor.ErrNotFound) || fault.DetailsOf(err)["service_id"] != "db" {
			t.Errorf("State: %v", err)
		}
		for name, err := range map[string]error{"Start": s.Start(t.Context(), "db"), "Stop": s.Stop(t.Context(), "db")} {
			if !errors.Is(err, supervisor.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		shutdown(t, s)
	})
}

func TestTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		j := newJournal()
		s := newSupervisor()
		a := &service{name: "a", journal: j}
		for name, err := range map[string]error{"Register": s.Register("a", a, auto(), nil), "Remove": s.Remove("a"), "Commit": s.Commit(ctx)} {
			if !errors.Is(err, supervisor.ErrOutsideTransaction) {
				t.Errorf("%s outside of a transaction: %v", name, err)
			}
		}
		if err := s.Discard(ctx); err != nil {
			t.Errorf("Discard outside of a transaction: %v", err)
		}
		if err := s.Begin(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Begin(ctx); !errors.Is(err, supervisor.ErrInTransaction) {
			t.Errorf("second Begin: %v", err)
		}
		if err := s.Register("", a, auto(), nil); !errors.Is(err, supervisor.ErrNoID) {
			t.Errorf("no id: %v", err)
		}
		if err := s.Register("a", nil, auto(), nil); !errors.Is(err, supervisor.ErrNoService) {
			t.Errorf("no service: %v", err)
		}
		if err := s.Register("a", a, auto(), nil); err != nil {
			t.Error(err)
		}
		if err := s.Discard(ctx); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := s.States(); len(got) != 0 {
			t.Errorf("after Discard: %v", got)
		}
		// A service that exists is kept; registered and removed in one transaction comes to nothing.
		commit(t, s, nil, reg{a, auto(), nil})
		commit(t, s, nil, reg{&service{name: "a", journal: newJournal()}, auto(), nil})
		if err := s.Begin(ctx); err != nil {
			t.Fatal(err)
		}
		_ = s.Register("b", &service{name: "b", journal: j}, auto(), nil)
		_ = s.Remove("b")
		_ = s.Commit(ctx)
		_ = s.Settled(ctx)
		synctest.Wait()
		if got := j.all(); !slices.Equal(got, []string{"start a"}) {
			t.Errorf("journal %v", got)
		}
		shutdown(t, s)
		for name, err := range map[string]error{"Begin": s.Begin(ctx), "Register": s.Register("x", a, auto(), nil), "Remove": s.Remove("a"),
			"Commit": s.Commit(ctx), "Start": s.Start(ctx, "a"), "Stop": s.Stop(ctx, "a")} {
			if !errors.Is(err, supervisor.ErrStopped) || fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%s after Shutdown: %v", name, err)
			}
		}
		shutdown(t, s)
	})
}

func TestPanicIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSupervisor()
		commit(t, s, nil,
			reg{&service{name: "a", journal: newJournal(), start: func(context.Context) (<-chan any, error) { panic("oh") }}, attempts(1), nil},
			reg{&service{name: "b", journal: newJournal(), stop: func(context.Context) error { panic("no") }}, auto(), nil},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		err, _ := state(t, s, "a").Details.(error)
		if err == nil || err.Error() != "service panicked: oh" || !strings.Contains(fmt.Sprint(fault.DetailsOf(err)["stack"]), "scenario_test.go") {
			t.Errorf("details %v", err)
		}
		if err := s.Stop(t.Context(), "b"); !errors.Is(err, supervisor.ErrStopFailed) || !strings.Contains(err.Error(), "service panicked: no") {
			t.Errorf("Stop: %v", err)
		}
		shutdown(t, s)
	})
}

func TestShutdownCollectsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSupervisor()
		bad := func(context.Context) error { return errBoom }
		commit(t, s, nil,
			reg{&service{name: "a", journal: newJournal(), stop: bad}, auto(), nil},
			reg{&service{name: "b", journal: newJournal(), stop: bad}, auto(), nil},
			reg{&service{name: "c", journal: newJournal()}, auto(), nil},
		)
		_ = s.Settled(t.Context())
		synctest.Wait()
		err := s.Shutdown(t.Context())
		if !errors.Is(err, supervisor.ErrManyStopsFailed) || !errors.Is(err, errBoom) || fault.DetailsOf(err)["failed_count"] != 2 {
			t.Errorf("Shutdown: %v, %v", err, fault.DetailsOf(err))
		}
	})
}

func TestShutdownWhileStartingAndRetrying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil,
			reg{&service{name: "starting", journal: j, start: func(ctx context.Context) (<-chan any, error) { <-ctx.Done(); return nil, ctx.Err() }}, auto(), nil},
			reg{&service{name: "retrying", journal: j, start: failing(-1, errBoom)}, auto(), nil},
			reg{&service{name: "waiting", journal: j}, auto(), []string{"starting"}},
		)
		commit(t, s, nil, reg{&service{name: "queued", journal: j}, auto(), nil})
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		shutdown(t, s)
		if took := time.Since(began); took != 0 {
			t.Errorf("Shutdown took %v", took)
		}
		time.Sleep(time.Hour)
		if got := j.all(); len(got) != 2 {
			t.Errorf("journal %v", got)
		}
		for id, want := range map[string]supervisor.State{"starting": supervisor.Stopped, "retrying": supervisor.Stopped, "waiting": supervisor.Failed} {
			if st := state(t, s, id); st.State != want && id != "waiting" {
				t.Errorf("%s is %+v", id, st)
			}
		}
	})
}

func TestShutdownIsBoundedByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSupervisor()
		var runCtx context.Context
		commit(t, s, nil, reg{&service{name: "a", journal: newJournal(),
			start: func(ctx context.Context) (<-chan any, error) { runCtx = ctx; return nil, nil },
			stop:  func(context.Context) error { time.Sleep(time.Hour); return nil },
		}, auto(), nil})
		_ = s.Settled(t.Context())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if runCtx.Err() == nil {
			t.Error("the context of the run is alive after Shutdown")
		}
		time.Sleep(2 * time.Hour)
	})
}

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

func TestExitedDependencyIsSatisfiedButCanBeStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil, reg{&service{name: "migrate", journal: j, start: reporting(supervisor.ErrExit)}, auto(), nil})
		_ = s.Settled(t.Context())
		synctest.Wait()
		commit(t, s, nil, reg{&service{name: "api", journal: j}, auto(), []string{"migrate"}})
		_ = s.Settled(t.Context())
		synctest.Wait()
		if got := j.all(); !slices.Equal(got, []string{"start migrate", "start api"}) {
			t.Errorf("journal %v", got)
		}
		if err := s.Start(t.Context(), "migrate"); err != nil {
			t.Error(err)
		}
		if got := len(j.at("start migrate")); got != 2 {
			t.Errorf("%d starts of the service asked for", got)
		}
		shutdown(t, s)
	})
}
