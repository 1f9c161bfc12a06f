// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/lua"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// stage is a host whose processes end when the test says so.
type stage struct {
	spawned chan processes.Spawn
	control chan *topology.Event
	refuse  error
}

func newStage(f *fixture, id string) *stage {
	f.t.Helper()
	s := &stage{spawned: make(chan processes.Spawn, 1), control: make(chan *topology.Event, 1)}
	if err := f.node.Register(id, s); err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (s *stage) Start(_ context.Context, pid relay.PID, spawn processes.Spawn) (relay.PID, error) {
	if s.refuse != nil {
		return relay.PID{}, s.refuse
	}
	s.spawned <- spawn
	return pid, nil
}

func (s *stage) Terminate(relay.PID) error { return nil }

func (s *stage) Receive(m *relay.Message) error {
	s.control <- topology.EventOf(m)
	m.Release()
	return nil
}

func process(id string, meta map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: lua.KindProcess, Meta: meta, Data: map[string]any{"source": "return {main = function() end}"}}
}

func TestProcessWithDefaultHostIsCallable(t *testing.T) {
	for name, meta := range map[string]map[string]any{
		"in meta":    {"default_host": "app:stage"},
		"in options": {"options": map[string]any{"default_host": "app:stage"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			s := newStage(f, "app:stage")
			f.create(process("app:p", meta))
			outcome := make(chan error, 1)
			f.functions.CallAsync(t.Context(), functions.Task{ID: "app:p", Input: []payload.Payload{{Data: 7}}}, func(v payload.Payload, err error) {
				if v.Data != 14 {
					t.Errorf("result %v", v.Data)
				}
				outcome <- err
			})
			spawn := <-s.spawned
			if spawn.Source != "app:p" || spawn.Input[0].Data != 7 {
				t.Errorf("spawned %q with %v", spawn.Source, spawn.Input)
			}
			spawn.OnExit(topology.Result{Value: payload.Payload{Data: 14}})
			if err := <-outcome; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelledCallOfAProcessReturnsAtOnce(t *testing.T) {
	f := newFixture(t)
	s := newStage(f, "app:stage")
	f.create(process("app:p", map[string]any{"default_host": "app:stage"}))
	outcome := make(chan error, 2)
	cancel := f.functions.CallAsync(t.Context(), functions.Task{ID: "app:p"}, func(_ payload.Payload, err error) { outcome <- err })
	spawn := <-s.spawned
	cancel()
	if ev := <-s.control; ev == nil || ev.Kind != topology.KindCancel || ev.Reason != "caller context canceled" {
		t.Errorf("the process got %+v", ev)
	}
	if err := <-outcome; fault.KindOf(err) != fault.Canceled {
		t.Errorf("err = %v", err)
	}
	cancel()
	spawn.OnExit(topology.Result{Err: errors.New("too late")})
	if len(outcome) != 0 {
		t.Errorf("answered again: %v", <-outcome)
	}
}

func TestCallOfAProcessThatCannotStart(t *testing.T) {
	f := newFixture(t)
	newStage(f, "app:stage").refuse = fault.New(fault.Unavailable, "host is not running")
	f.create(process("app:p", map[string]any{"default_host": "app:stage"}))
	_, err := f.call("app:p")
	if fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "failed to start process") || !strings.Contains(err.Error(), "host is not running") {
		t.Errorf("err = %v", err)
	}
}

func TestProcessStopsBeingCallable(t *testing.T) {
	f := newFixture(t)
	with, without := process("app:p", map[string]any{"default_host": "app:stage"}), process("app:p", nil)
	f.create(with)
	if !f.functions.Has("app:p") {
		t.Error("not callable with a default host")
	}
	if err := f.listener.Update(t.Context(), with, without); err != nil || f.functions.Has("app:p") {
		t.Errorf("callable without a default host (%v)", err)
	}
	if err := f.listener.Update(t.Context(), without, with); err != nil {
		t.Fatal(err)
	}
	if err := f.listener.Delete(t.Context(), with); err != nil || f.functions.Has("app:p") {
		t.Errorf("callable after its end (%v)", err)
	}
}

func TestModuleIsImportedUnderAnAlias(t *testing.T) {
	f := newFixture(t)
	f.create(function("app:f", "return {main = function() return type(clock.now) end}", "imports", map[string]any{"clock": ":time"}))
	f.expect("function", "app:f")
	err := f.listener.Create(t.Context(), function("app:g", "return {}", "imports", map[string]any{"clock": ":tiem"}))
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "imports.clock: node with ID :tiem not found") {
		t.Errorf("err = %v", err)
	}
}
