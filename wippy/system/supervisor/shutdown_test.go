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

func TestHungStopDelaysTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		hung := &service{name: "a", journal: j, stop: func(context.Context) error {
			<-time.After(25 * time.Second)
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
			<-time.After(12 * time.Second)
			causes = append(causes, context.Cause(ctx))
			return nil, nil
		}}
		commit(t, s, nil, reg{slow, attempts(1), nil})
		<-time.After(time.Minute)
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
		{"gets there", func(context.Context) (<-chan any, error) { <-time.After(5 * time.Second); return nil, nil },
			[]string{"start a", "stop a"}, 4 * time.Second, nil, supervisor.Stopped},
		{"hangs", func(context.Context) (<-chan any, error) { <-time.After(time.Hour); return nil, nil },
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
				<-time.After(time.Second)
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
				<-time.After(2 * time.Hour)
				shutdown(t, s)
			})
		})
	}
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
		if err == nil || err.Error() != "service panicked: oh" || !strings.Contains(fmt.Sprint(fault.DetailsOf(err)["stack"]), "shutdown_test.go") {
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
		<-time.After(100 * time.Millisecond)
		began := time.Now()
		shutdown(t, s)
		if took := time.Since(began); took != 0 {
			t.Errorf("Shutdown took %v", took)
		}
		<-time.After(time.Hour)
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
			stop:  func(context.Context) error { <-time.After(time.Hour); return nil },
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
		<-time.After(2 * time.Hour)
	})
}
