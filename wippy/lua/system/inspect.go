// SPDX-License-Identifier: Apache-2.0

package system

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

var (
	errNoHosts    = unavailable("host inspector not available")
	errNoServices = unavailable("service info not available")
	errNoNode     = unavailable("relay node not available")
	errNoAddress  = unavailable("local node address not available")
	errNoMembers  = unavailable("cluster membership not available")
	errNoRaft     = unavailable("raft not available")
)

func (m *module) hosts(L *lua.LState) (lua.LValue, error) {
	if m.Hosts == nil {
		return nil, errNoHosts
	}
	list := L.NewTable()
	for _, h := range m.Hosts.Hosts() {
		s := h.Stats()
		t := L.NewTable()
		t.RawSetString("id", lua.LString(h.ID()))
		t.RawSetString("workers", number(s.Workers))
		t.RawSetString("processes", number(s.Processes))
		t.RawSetString("executed", number(s.Executed))
		t.RawSetString("stolen", number(s.Stolen))
		t.RawSetString("queue_depth", number(s.GlobalQueue))
		list.Append(t)
	}
	return list, nil
}

func (m *module) processes(L *lua.LState) (lua.LValue, error) {
	id := L.OptString(1, "")
	switch {
	case id == "":
		return nil, invalid("host ID required")
	case m.Hosts == nil:
		return nil, errNoHosts
	}
	list := L.NewTable()
	h := m.Hosts.Host(id)
	if h == nil {
		return list, nil
	}
	var all []host.ProcessInfo
	h.Each(func(p host.ProcessInfo) bool {
		all = append(all, p)
		return true
	})
	slices.SortFunc(all, func(a, b host.ProcessInfo) int { return a.StartedAt.Compare(b.StartedAt) })
	for _, p := range all {
		t := L.NewTable()
		t.RawSetString("pid", lua.LString(p.PID.String()))
		t.RawSetString("host", lua.LString(id))
		t.RawSetString("source", lua.LString(p.Source))
		t.RawSetString("state", lua.LString(p.State.String()))
		t.RawSetString("steps", number(p.Steps))
		t.RawSetString("started_at", number(p.StartedAt.UnixNano()))
		if !p.Parent.IsZero() {
			t.RawSetString("parent", lua.LString(p.Parent.String()))
		}
		if p.Actor != "" {
			t.RawSetString("actor_id", lua.LString(p.Actor))
		}
		stats := L.NewTable()
		stats.RawSetString("queue", number(p.QueueLen))
		stats.RawSetString("open_yields", number(p.OpenYields))
		stats.RawSetString("run_time", number(p.RunTime.Nanoseconds()))
		t.RawSetString("stats", stats)
		list.Append(t)
	}
	return list, nil
}

func (m *module) state(L *lua.LState) (lua.LValue, error) {
	id := L.OptString(1, "")
	switch {
	case id == "":
		return nil, invalid("service ID required")
	case m.Supervisor == nil:
		return nil, errNoServices
	}
	s, err := m.Supervisor.State(id)
	if err != nil {
		return nil, engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
	}
	return status(L, s), nil
}

func (m *module) states(L *lua.LState) (lua.LValue, error) {
	if m.Supervisor == nil {
		return nil, errNoServices
	}
	list := L.NewTable()
	for _, s := range m.Supervisor.States() {
		list.Append(status(L, s))
	}
	return list, nil
}

func status(L *lua.LState, s supervisor.Status) lua.LValue {
	t := L.NewTable()
	t.RawSetString("id", lua.LString(s.ID))
	t.RawSetString("status", lua.LString(s.State))
	t.RawSetString("desired", lua.LString(s.Desired))
	t.RawSetString("retry_count", number(s.RetryCount))
	t.RawSetString("last_update", number(s.LastUpdate.UnixNano()))
	started := int64(0)
	if !s.StartedAt.IsZero() {
		started = s.StartedAt.UnixNano()
	}
	t.RawSetString("started_at", number(started))
	switch d := s.Details.(type) {
	case nil:
	case error:
		t.RawSetString("details", lua.LString(d.Error()))
	default:
		t.RawSetString("details", engine.ToLua(d))
	}
	return t
}

func (m *module) nodeID(*lua.LState) (lua.LValue, error) {
	if m.Cluster == nil {
		return nil, errNoNode
	}
	return lua.LString(m.Cluster.Local().ID), nil
}

func (m *module) nodeAddr(*lua.LState) (lua.LValue, error) {
	if m.Cluster == nil || m.Cluster.Local().Addr == "" {
		return nil, errNoAddress
	}
	return lua.LString(m.Cluster.Local().Addr), nil
}

// role is that of a node without consensus.
func role(*lua.LState) (lua.LValue, error) { return lua.LString("non-member"), nil }

func leader(*lua.LState) (lua.LValue, error) { return lua.LString(""), nil }

func noRaft(*lua.LState) (lua.LValue, error) { return nil, errNoRaft }

func (m *module) members(L *lua.LState) (lua.LValue, error) {
	if m.Cluster == nil {
		return nil, errNoMembers
	}
	others := m.Cluster.Others()
	slices.SortFunc(others, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	list := L.NewTable()
	for i, member := range append([]Member{m.Cluster.Local()}, others...) {
		t := L.NewTable()
		t.RawSetString("id", lua.LString(member.ID))
		t.RawSetString("is_local", lua.LBool(i == 0))
		if member.Addr != "" {
			t.RawSetString("addr", lua.LString(member.Addr))
		}
		if len(member.Meta) > 0 {
			t.RawSetString("meta", engine.ToLua(member.Meta))
		}
		list.Append(t)
	}
	return list, nil
}

func (m *module) size(*lua.LState) (lua.LValue, error) {
	if m.Cluster == nil {
		return nil, errNoMembers
	}
	return number(1 + len(m.Cluster.Others())), nil
}
