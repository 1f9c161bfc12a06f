// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pid(uniq string) relay.PID { return relay.NewPID("", "app:h", uniq) }

// bus records what is published.
type bus struct {
	kinds  []string
	events []*lifecycle.Event
}

func (b *bus) Publish(system, kind, path string, data any) {
	ev := data.(*lifecycle.Event)
	b.kinds = append(b.kinds, system+"."+kind+" "+path)
	b.events = append(b.events, ev)
}

// setup returns a life cycle, what is sent to processes as "to kind error" and what is published.
func setup(t *testing.T) (*lifecycle.Lifecycle, *[]string, *bus) {
	t.Helper()
	var sent []string
	topo := topology.New(func(m *relay.Message) error {
		ev := topology.EventOf(m)
		sent = append(sent, fmt.Sprintf("%s %s %v", m.To.Uniq(), ev.Kind, ev.Result.Err))
		m.Release()
		return nil
	})
	b := &bus{}
	if err := topo.Register(pid("parent")); err != nil {
		t.Fatal(err)
	}
	return lifecycle.New(topo, b), &sent, b
}

func spawned(uniq string, s processes.Spawn) *lifecycle.Spawned {
	return &lifecycle.Spawned{PID: pid(uniq), Spawn: s}
}

var errBoom = errors.New("boom")

func TestStartMakesNamesAndEdges(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spawn processes.Spawn
		err   error
		want  []string
	}{
		{"plain", processes.Spawn{Parent: pid("parent")}, errBoom, nil},
		{"monitored", processes.Spawn{Parent: pid("parent"), Monitor: true}, nil, []string{"parent pid.exit <nil>"}},
		{"linked", processes.Spawn{Parent: pid("parent"), Link: true}, nil, nil},
		{"linked and failed", processes.Spawn{Parent: pid("parent"), Link: true}, errBoom, []string{"parent pid.link.down boom"}},
		{"both", processes.Spawn{Parent: pid("parent"), Monitor: true, Link: true}, errBoom,
			[]string{"parent pid.exit boom", "parent pid.link.down boom"}},
		{"no parent", processes.Spawn{Monitor: true, Link: true}, errBoom, nil},
		{"dead parent", processes.Spawn{Parent: pid("dead"), Link: true}, errBoom, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			life, sent, _ := setup(t)
			tc.spawn.Name = "worker"
			var result *topology.Result
			tc.spawn.OnExit = func(r topology.Result) { result = &r }
			s := spawned("1", tc.spawn)
			if err := life.OnStart(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			topo := life.Topology()
			if got, ok := topo.LookupName("worker"); !ok || got != pid("1") || !topo.Registered(pid("1")) {
				t.Errorf("name %s, %v", got, ok)
			}
			life.OnExit(s, payload.New("v"), tc.err)
			if !reflect.DeepEqual(*sent, tc.want) {
				t.Errorf("sent %v, want %v", *sent, tc.want)
			}
			if result == nil || !errors.Is(result.Err, tc.err) || (tc.err == nil) != (result.Value.Data == "v") {
				t.Errorf("result %+v", result)
			}
			if _, ok := topo.LookupName("worker"); ok || topo.Registered(pid("1")) {
				t.Error("the process is still known")
			}
		})
	}
}

func TestTakenNameLeavesNoTrace(t *testing.T) {
	life, sent, b := setup(t)
	first := spawned("1", processes.Spawn{Name: "worker"})
	if err := life.OnStart(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	called := false
	second := spawned("2", processes.Spawn{Name: "worker", Parent: pid("parent"), Monitor: true, OnExit: func(topology.Result) { called = true }})
	if err := life.OnStart(t.Context(), second); !errors.Is(err, topology.ErrNameTaken) {
		t.Errorf("OnStart: %v", err)
	}
	if life.Topology().Registered(pid("2")) || called || len(*sent) != 0 || len(b.events) != 1 {
		t.Errorf("the refused process left a trace: %v, %v, %v", called, *sent, b.kinds)
	}
	if err := life.OnStart(t.Context(), spawned("1", processes.Spawn{})); !errors.Is(err, topology.ErrAlreadyRegistered) {
		t.Errorf("same id again: %v", err)
	}
}

func TestExitSentinelIsANormalEnd(t *testing.T) {
	life, sent, b := setup(t)
	s := spawned("1", processes.Spawn{Parent: pid("parent"), Monitor: true, Link: true})
	if err := life.OnStart(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	life.OnExit(s, payload.Payload{}, fmt.Errorf("wrapped: %w", lifecycle.ErrExit))
	if want := []string{"parent pid.exit <nil>"}; !reflect.DeepEqual(*sent, want) {
		t.Errorf("sent %v", *sent)
	}
	if b.events[1].Error != nil {
		t.Errorf("event %+v", b.events[1])
	}
}

func TestEvents(t *testing.T) {
	life, _, b := setup(t)
	s := spawned("1", processes.Spawn{Source: "app:worker", Name: "worker", Parent: pid("parent")})
	if err := life.OnStart(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	life.OnExit(s, payload.Payload{}, errBoom)
	if want := []string{"process.started {app:h|1}", "process.stopped {app:h|1}"}; !reflect.DeepEqual(b.kinds, want) {
		t.Errorf("published %v", b.kinds)
	}
	for i, ev := range b.events {
		if ev.PID != "{app:h|1}" || ev.Host != "app:h" || ev.Source != "app:worker" || ev.Parent != "{app:h|parent}" ||
			ev.Name != "worker" || ev.At.IsZero() || (ev.Error != nil) != (i == 1) {
			t.Errorf("event %d: %+v", i, ev)
		}
	}
}

func TestNobodyIsToldWithoutAPublisher(t *testing.T) {
	topo := topology.New(func(*relay.Message) error { return errBoom })
	life := lifecycle.New(topo, nil)
	s := spawned("1", processes.Spawn{})
	if err := life.OnStart(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	life.OnExit(s, payload.Payload{}, nil)
	if topo.Len() != 0 {
		t.Error("the process is still known")
	}
}
