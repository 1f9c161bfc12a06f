// SPDX-License-Identifier: Apache-2.0

package groups_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/groups"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTopology() *topology.Topology {
	return topology.New(func(m *relay.Message) error {
		m.Release()
		return nil
	})
}

func pid(n int) relay.PID { return relay.NewPID("", "app:host", fmt.Sprintf("0x%05x", n)) }

func register(tb testing.TB, topo *topology.Topology, n int) []relay.PID {
	tb.Helper()
	list := make([]relay.PID, n)
	for i := range list {
		list[i] = pid(i + 1)
		if err := topo.Register(list[i]); err != nil {
			tb.Fatal(err)
		}
	}
	return list
}

func TestProcessEnd(t *testing.T) {
	topo := newTopology()
	p := register(t, topo, 2)
	s := groups.NewScope(topo, groups.Limits{})
	if err := errors.Join(s.Join(p[0], "a", "b", "a"), s.Join(p[1], "a")); err != nil {
		t.Fatal(err)
	}
	var told []groups.Event
	_, all := s.MonitorAll(func(e groups.Event) { told = append(told, e) })
	if want := map[string][]relay.PID{"a": {p[0], p[0], p[1]}, "b": {p[0]}}; !maps.EqualFunc(all, want, slices.Equal[[]relay.PID]) {
		t.Errorf("members are %v, want %v", all, want)
	}
	topo.Complete(p[0], topology.Result{})
	if got := fmt.Sprint(told); got != fmt.Sprint([]groups.Event{{Group: "a", PIDs: []relay.PID{p[0], p[0]}}, {Group: "b", PIDs: []relay.PID{p[0]}}}) {
		t.Errorf("told %s", got)
	}
	if got := s.Groups(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("groups are %v", got)
	}
	if err := s.Join(p[0], "a"); !errors.Is(err, topology.ErrNotRegistered) {
		t.Errorf("a process that ended joins: %v", err)
	}
	if groups, members := s.Held(); groups != 1 || members != 1 {
		t.Errorf("%d groups and %d members are held, want 1 and 1", groups, members)
	}
}

func TestLimits(t *testing.T) {
	topo := newTopology()
	p := register(t, topo, 3)
	s := groups.NewScope(topo, groups.Limits{Groups: 2, Members: 2})
	for _, tt := range []struct {
		pid  relay.PID
		join []string
		want error
	}{
		{p[0], []string{"a", "b", "c"}, groups.ErrTooManyGroups},
		{p[0], []string{"a", "a", "a"}, groups.ErrGroupFull},
		{p[0], []string{"a", "b"}, nil},
		{p[1], []string{"c"}, groups.ErrTooManyGroups},
		{p[1], []string{"a", "b"}, nil},
		{p[2], []string{"b"}, groups.ErrGroupFull},
	} {
		if err := s.Join(tt.pid, tt.join...); !errors.Is(err, tt.want) {
			t.Errorf("%v joins %v: %v, want %v", tt.pid, tt.join, err, tt.want)
		}
	}
	if got := s.Members("c"); got != nil {
		t.Errorf("c has %v", got)
	}
	if got := s.Members("a"); !slices.Equal(got, p[:2]) {
		t.Errorf("a has %v", got)
	}
}

func TestStats(t *testing.T) {
	topo := newTopology()
	p := register(t, topo, 3)
	var r groups.Registry
	s := groups.NewScope(topo, groups.Limits{Members: 3})
	r.Add("app:scope", s)
	for _, join := range []func() error{
		func() error { return s.Join(p[0], "a", "b") },
		func() error { return s.Join(p[1], "a", "a") },
		func() error { return s.Join(p[2], "b") },
		func() error { return s.Leave(p[0], "a", "b") },
	} {
		if err := join(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Join(p[2], "a", "a"); !errors.Is(err, groups.ErrGroupFull) { // counts for nothing
		t.Fatal(err)
	}
	s.Broadcasted(0)
	s.Broadcasted(2)
	if got, want := r.Stats(), (groups.Stats{Joins: 5, Leaves: 2, Broadcasts: 2, Dropped: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	r.Remove("app:scope")
	s.Stop() // everybody leaves
	if got := r.Stats(); got.Joins != 5 || got.Leaves != 5 {
		t.Errorf("%+v", got)
	}
}

func TestStoppedScope(t *testing.T) {
	topo := newTopology()
	p := register(t, topo, 1)
	s := groups.NewScope(topo, groups.Limits{})
	if err := s.Join(p[0], "a"); err != nil {
		t.Fatal(err)
	}
	left := 0
	m, _ := s.Monitor("a", func(groups.Event) { left++ })
	s.Stop()
	if err := errors.Join(s.Join(p[0], "a")); !errors.Is(err, groups.ErrStopped) {
		t.Errorf("join: %v", err)
	}
	if err := s.Leave(p[0], "a"); !errors.Is(err, groups.ErrStopped) {
		t.Errorf("leave: %v", err)
	}
	s.Resume()
	if err := s.Leave(p[0], "a"); !errors.Is(err, groups.ErrNotJoined) {
		t.Errorf("leave after a restart: %v", err)
	}
	if err := s.Join(p[0], "a"); err != nil {
		t.Error(err)
	}
	if left != 2 {
		t.Errorf("the monitor heard %d events, want 2", left)
	}
	m.Close()
	m.Close()
}

// TestMonitorsFollowTheModel makes random changes. Monitors, opened at random moments, must know the members from what
// they were told.
func TestMonitorsFollowTheModel(t *testing.T) {
	names := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		topo := newTopology()
		s := groups.NewScope(topo, groups.Limits{})
		model := map[string]map[relay.PID]int{}
		alive := map[relay.PID]bool{}
		var views []*view
		for n := range rapid.IntRange(1, 40).Draw(t, "steps") {
			p := pid(rapid.IntRange(1, 4).Draw(t, "pid"))
			some := rapid.SliceOfN(rapid.SampledFrom(names), 1, 3).Draw(t, "groups")
			switch rapid.IntRange(0, 5).Draw(t, "operation") {
			case 0:
				if !alive[p] {
					alive[p] = topo.Register(p) == nil
				}
			case 1, 2:
				if err := s.Join(p, some...); (err == nil) != alive[p] {
					t.Fatalf("step %d: join: %v", n, err)
				}
				for _, name := range some {
					if alive[p] {
						if model[name] == nil {
							model[name] = map[relay.PID]int{}
						}
						model[name][p]++
					}
				}
			case 3:
				in := false
				for _, name := range some {
					if model[name][p] > 0 {
						in = true
						if model[name][p]--; model[name][p] == 0 {
							delete(model[name], p)
						}
					}
				}
				if err := s.Leave(p, some...); (err == nil) != in {
					t.Fatalf("step %d: leave: %v", n, err)
				}
			case 4:
				topo.Complete(p, topology.Result{})
				delete(alive, p)
				for _, members := range model {
					delete(members, p)
				}
			case 5:
				views = append(views, open(s, some[0], rapid.Bool().Draw(t, "all")))
			}
			for _, name := range names {
				if got := counts(s.Members(name)); !maps.Equal(got, model[name]) {
					t.Fatalf("step %d: %s has %v, want %v", n, name, got, model[name])
				}
			}
			for _, v := range views {
				for _, name := range names {
					if (v.group == "" || v.group == name) && !maps.Equal(v.members[name], model[name]) {
						t.Fatalf("step %d: a monitor of %q believes %s has %v, want %v", n, v.group, name, v.members[name], model[name])
					}
				}
			}
		}
		for _, v := range views {
			v.Close()
		}
		for p := range alive {
			topo.Complete(p, topology.Result{})
		}
		if groups, members := s.Held(); groups != 0 || members != 0 {
			t.Fatalf("%d groups and %d members are held at the end", groups, members)
		}
	})
}

// view is what a monitor believes.
type view struct {
	*groups.Monitor
	group   string
	members map[string]map[relay.PID]int
}

func open(s *groups.Scope, name string, all bool) *view {
	v := &view{group: name, members: map[string]map[relay.PID]int{}}
	hear := func(e groups.Event) {
		if v.members[e.Group] == nil {
			v.members[e.Group] = map[relay.PID]int{}
		}
		for _, p := range e.PIDs {
			if e.Joined {
				v.members[e.Group][p]++
			} else if v.members[e.Group][p]--; v.members[e.Group][p] == 0 {
				delete(v.members[e.Group], p)
			}
		}
	}
	if all {
		v.group = ""
		var have map[string][]relay.PID
		v.Monitor, have = s.MonitorAll(hear)
		for name, members := range have {
			v.members[name] = counts(members)
		}
		return v
	}
	var have []relay.PID
	v.Monitor, have = s.Monitor(name, hear)
	v.members[name] = counts(have)
	return v
}

func counts(list []relay.PID) map[relay.PID]int {
	out := map[relay.PID]int{}
	for _, p := range list {
		out[p]++
	}
	return out
}

func TestConcurrentUse(t *testing.T) {
	topo := newTopology()
	p := register(t, topo, 8)
	s := groups.NewScope(topo, groups.Limits{})
	var wg sync.WaitGroup
	for i, pid := range p {
		wg.Go(func() {
			for n := range 200 {
				name := string(rune('a' + (n+i)%3))
				m, _ := s.Monitor(name, func(groups.Event) {})
				if err := s.Join(pid, name, "all"); err != nil {
					t.Error(err)
				}
				s.Processes("all")
				s.Groups()
				if n%2 == 0 {
					if err := s.Leave(pid, name); err != nil {
						t.Error(err)
					}
				}
				m.Close()
			}
			topo.Complete(pid, topology.Result{})
		})
	}
	wg.Wait()
	if groups, members := s.Held(); groups != 0 || members != 0 {
		t.Errorf("%d groups and %d members are held at the end", groups, members)
	}
}
