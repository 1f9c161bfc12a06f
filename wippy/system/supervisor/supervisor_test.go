// SPDX-License-Identifier: Apache-2.0

package supervisor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/wippy/system/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal records what happens, in order, together with the time since it was made.
type journal struct {
	mu    sync.Mutex
	began time.Time
	lines []string
	times []time.Duration
}

func newJournal() *journal { return &journal{began: time.Now()} }

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	j.times = append(j.times, time.Since(j.began))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}

// at returns the times of all lines equal to line.
func (j *journal) at(line string) []time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []time.Duration
	for i, l := range j.lines {
		if l == line {
			out = append(out, j.times[i])
		}
	}
	return out
}

// service is a scripted service. Its functions may be nil.
type service struct {
	name    string
	journal *journal
	start   func(ctx context.Context) (<-chan any, error)
	stop    func(ctx context.Context) error
}

func (s *service) Start(ctx context.Context) (<-chan any, error) {
	s.journal.add("start " + s.name)
	if s.start == nil {
		return nil, nil
	}
	return s.start(ctx)
}

func (s *service) Stop(ctx context.Context) error {
	s.journal.add("stop " + s.name)
	if s.stop == nil {
		return nil
	}
	return s.stop(ctx)
}

func auto() supervisor.Lifecycle {
	l := supervisor.DefaultLifecycle()
	l.AutoStart = true
	return l
}

// reg is one service to register.
type reg struct {
	svc  *service
	lc   supervisor.Lifecycle
	deps []string
}

func commit(t *testing.T, s *supervisor.Supervisor, remove []string, regs ...reg) {
	t.Helper()
	ctx := t.Context()
	if err := s.Begin(ctx); err != nil {
		t.Fatal(err)
	}
	for _, id := range remove {
		if err := s.Remove(id); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range regs {
		if err := s.Register(r.svc.name, r.svc, r.lc, r.deps); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(ctx); err != nil {
		t.Fatal(err)
	}
}

func state(t *testing.T, s *supervisor.Supervisor, id string) supervisor.Status {
	t.Helper()
	st, err := s.State(id)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestAutoStartAndShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := supervisor.New()
		commit(t, s, nil,
			reg{&service{name: "db", journal: j}, auto(), nil},
			reg{&service{name: "api", journal: j}, auto(), []string{"db"}},
			reg{&service{name: "idle", journal: j}, supervisor.DefaultLifecycle(), nil},
		)
		if err := s.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if st := state(t, s, "api"); st.State != supervisor.Running || st.Desired != supervisor.Running {
			t.Errorf("api is %+v", st)
		}
		if st := state(t, s, "idle"); st.State != supervisor.Unknown {
			t.Errorf("idle is %+v", st)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		want := []string{"start db", "start api", "stop api", "stop db"}
		if got := j.all(); !equal(got, want) {
			t.Errorf("journal %v, want %v", got, want)
		}
		if err := s.Start(t.Context(), "idle"); !errors.Is(err, supervisor.ErrStopped) {
			t.Errorf("Start after Shutdown: %v", err)
		}
	})
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
