// SPDX-License-Identifier: Apache-2.0

package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

func TestStartOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		slow := func(context.Context) (<-chan any, error) {
			<-time.After(time.Second)
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

// A requirement without a namespace is in that of the service.
func TestRequirementsOfTheSameNamespace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil,
			reg{&service{name: "app:top", journal: j}, lifecycle(func(l *supervisor.Lifecycle) { l.Requires = []string{"base", "other:base"} }), nil},
			reg{&service{name: "app:base", journal: j}, auto(), nil},
			reg{&service{name: "other:base", journal: j}, auto(), nil},
		)
		if err := s.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := j.all(); len(got) != 3 || got[2] != "start app:top" {
			t.Errorf("started %v", got)
		}
		shutdown(t, s)
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
				slow := func(context.Context) (<-chan any, error) { <-time.After(3 * time.Second); return nil, nil }
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
