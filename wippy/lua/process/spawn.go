// SPDX-License-Identifier: Apache-2.0

package process

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/network"
	"github.com/wippyrun/kit/wippy/system/processes"
)

// variant is one of the four ways to spawn.
type variant struct {
	name            string
	monitor, linked bool
}

var variants = []variant{
	{name: "spawn"},
	{name: "spawn_monitored", monitor: true},
	{name: "spawn_linked", linked: true},
	{name: "spawn_linked_monitored", monitor: true, linked: true},
}

func (m *module) spawning(b *engine.Builder) {
	for _, v := range variants {
		b.Func(v.name, m.spawn(v))
	}
	b.Func("exec", m.exec)
	m.spawners = b.Type("Spawner", m.spawnerMethods(), nil)
	b.Func("with_context", m.withContext)
	b.Func("with_options", m.withOptions)
}

// mayStart asks whether the caller may run id on host, in the way that verb names.
func (m *module) mayStart(p *engine.Process, v variant, id, host string) error {
	check := func(action, message string) error {
		if m.allowed(p, action, id) {
			return nil
		}
		return engine.NewError(engine.KindPermissionDenied, message+id)
	}
	if err := check("process.spawn", "not allowed to spawn process: "); err != nil {
		return err
	}
	if v.monitor {
		if err := check("process.spawn.monitored", "not allowed to spawn monitored process: "); err != nil {
			return err
		}
	}
	if v.linked {
		if err := check("process.spawn.linked", "not allowed to spawn linked process: "); err != nil {
			return err
		}
	}
	if !m.allowed(p, "process.host", host) {
		return engine.NewError(engine.KindPermissionDenied, "not allowed to spawn on host: "+host)
	}
	return nil
}

// spawn makes process.spawn and its variants.
func (m *module) spawn(v variant) lua.LGFunction {
	missing := v.name + " requires at least id and host arguments"
	return func(L *lua.LState) int {
		if L.GetTop() < 2 {
			return invalid(L, missing)
		}
		id, host := L.CheckString(1), L.CheckString(2)
		p := engine.From(L)
		if err := m.mayStart(p, v, id, host); err != nil {
			return engine.PushError(L, err)
		}
		return m.start(L, p, v, id, host, nil, 3)
	}
}

// start yields the spawn; the arguments of the new process begin at index first. settings may be nil.
func (m *module) start(L *lua.LState, p *engine.Process, v variant, id, host string, settings *spawner, first int) int {
	s := processes.Spawn{
		Host:    host,
		Source:  id,
		Input:   engine.Payloads(L, first),
		Parent:  p.PID(),
		Monitor: v.monitor,
		Link:    v.linked,
	}
	if err := settings.apply(p, &s); err != nil {
		return engine.PushError(L, err)
	}
	return engine.Yield(L, &spawnCommand{s}, started)
}

func started(_ *lua.LState, data any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
	}
	return []lua.LValue{lua.LString(data.(relay.PID).String())}
}

// exec implements process.exec(id, host, ...).
func (m *module) exec(L *lua.LState) int {
	if L.GetTop() < 2 {
		return invalid(L, "exec requires id and host arguments")
	}
	id, host := L.CheckString(1), L.CheckString(2)
	p := engine.From(L)
	if err := m.mayExec(p, id, host); err != nil {
		return engine.PushError(L, err)
	}
	return m.startExec(L, p, id, host, nil, 3)
}

func (m *module) mayExec(p *engine.Process, id, host string) error {
	namespace, name, ok := strings.Cut(id, ":")
	switch {
	case id == "":
		return engine.NewError(engine.KindInvalid, "process ID required")
	case !ok || namespace == "" || name == "":
		return engine.NewError(engine.KindInvalid, "invalid process ID format (namespace:name required)")
	case host == "":
		return engine.NewError(engine.KindInvalid, "host ID required")
	case !m.allowed(p, "process.exec", id):
		return engine.NewError(engine.KindPermissionDenied, "not allowed to exec process: "+id)
	case !m.allowed(p, "process.host", host):
		return engine.NewError(engine.KindPermissionDenied, "not allowed to exec on host: "+host)
	}
	return nil
}

func (m *module) startExec(L *lua.LState, p *engine.Process, id, host string, settings *spawner, first int) int {
	s := processes.Spawn{Host: host, Source: id, Input: engine.Payloads(L, first), Parent: p.PID()}
	if err := settings.apply(p, &s); err != nil {
		return engine.PushError(L, err)
	}
	return engine.Yield(L, &execCommand{s}, func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
		}
		return []lua.LValue{value(data.(payload.Payload))}
	})
}

// duplicate copies a payload that is a Lua value.
func duplicate(p payload.Payload) payload.Payload {
	if v, ok := p.Data.(lua.LValue); ok {
		p.Data = engine.Copy(v)
	}
	return p
}

// value is the Lua value of a payload that nobody else holds.
func value(p payload.Payload) lua.LValue {
	if v, ok := p.Data.(lua.LValue); ok {
		return v
	}
	return engine.ToLua(p.Data)
}

// spawner is the value behind Spawner objects. It is immutable: settings are added to a copy.
type spawner struct {
	values   map[string]any // over those of the caller
	options  map[string]any
	identity access.Identity
	name     string
	messages []queued
}

// queued is a message delivered to the new process right after its start.
type queued struct {
	topic  string
	values []payload.Payload
}

// apply completes a spawn with the settings; a nil spawner has none.
func (s *spawner) apply(p *engine.Process, spawn *processes.Spawn) error {
	if parent := access.Frame(p); parent != nil {
		spawn.Frame = parent.Propagate()
	}
	if s == nil {
		return nil
	}
	if len(s.values) > 0 || !s.identity.IsZero() || s.options[network.Option] != nil {
		if spawn.Frame == nil {
			spawn.Frame = appctx.NewFrame()
		}
		if err := frames.Add(spawn.Frame, s.values); err != nil {
			return err
		}
		if err := s.identity.Enter(spawn.Frame); err != nil {
			return err
		}
		if err := network.Select(spawn.Frame, s.options); err != nil {
			return err
		}
	}
	spawn.Name = s.name
	for _, q := range s.messages {
		copies := make([]payload.Payload, len(q.values))
		for i, v := range q.values {
			copies[i] = duplicate(v)
		}
		spawn.Messages = append(spawn.Messages, relay.NewMessage(relay.PID{}, relay.PID{}, q.topic, copies...))
	}
	return nil
}
