// SPDX-License-Identifier: Apache-2.0

package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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

// Every failure is logged when it happens, with the place of the service, and the last one as
// the end.
func TestFailuresAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		status := make(chan any)
		start := failing(2, errBoom)
		s := newSupervisor(supervisor.WithLogger(log), supervisor.WithPlaces(func(id string) string { return id + ".yaml:4:5" }),
			supervisor.WithAdvice(func(err error) (at, hint string) {
				if err.Error() == "no good" {
					return "a.lua:1:1", "be good"
				}
				return "", ""
			}))
		commit(t, s, nil,
			reg{&service{name: "a", journal: newJournal(), start: func(ctx context.Context) (<-chan any, error) {
				_, err := start(ctx)
				return status, err
			}}, auto(), nil},
			reg{&service{name: "b", journal: newJournal(), start: failing(-1, errBoom)}, attempts(2), nil})
		<-time.After(time.Minute)
		status <- fault.New(fault.Invalid, "no good").Final()
		synctest.Wait()
		shutdown(t, s)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		slices.Sort(lines)
		want := []string{
			`level=ERROR msg="service ended" service=a at=a.lua:1:1 error="no good" hint="be good"`,
			`level=ERROR msg="service not started" service=b at=b.yaml:4:5 error="service start timed out: boom"`,
			`level=WARN msg="service failed" service=a at=a.yaml:4:5 error=boom next_try=1s`,
			`level=WARN msg="service failed" service=a at=a.yaml:4:5 error=boom next_try=2s`,
			`level=WARN msg="service failed" service=b at=b.yaml:4:5 error=boom next_try=1s`,
		}
		if !slices.Equal(lines, want) {
			t.Errorf("log:\n%s", strings.Join(lines, "\n"))
		}
	})
}

func TestRestartsFollowTheBackoffSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := newSupervisor()
		commit(t, s, nil, reg{&service{name: "a", journal: j, start: failing(-1, errBoom)}, lifecycle(func(l *supervisor.Lifecycle) {
			l.Restart.MaxDelay = 4 * time.Second
		}), nil})
		<-time.After(16 * time.Second)
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
				<-time.After(time.Hour)
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
				<-time.After(time.Minute)
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
		<-time.After(2 * time.Second)
		if st := state(t, s, "a"); st.State != supervisor.Running || st.RetryCount != 1 {
			t.Errorf("status %+v", st)
		}
		<-time.After(5 * time.Second)
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
				<-time.After(time.Hour)
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
