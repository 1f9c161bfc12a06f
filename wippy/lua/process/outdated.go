// SPDX-License-Identifier: Apache-2.0

package process

import (
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// watchedKey marks a process whose code is watched, pendingKey is where it keeps the event it has not read yet.
type (
	watchedKey struct{}
	pendingKey struct{}
)

// watchCode asks to be told when the code that p runs changes.
func (m *module) watchCode(p *engine.Process) {
	if m.Outdated != nil && p.Local(watchedKey{}) == nil {
		p.SetLocal(watchedKey{}, true)
		p.Defer(m.Outdated.Watch(p.SourceID(), p.PID()))
	}
}

// outdated delivers the news about changed entries to a process that wants to hear it, as one event as long as
// it is not read.
func outdated(p *engine.Process, m *relay.Message, sources []string) (deliver bool) {
	if !optionsOf(p).upgradable {
		return false
	}
	if n, ok := p.Local(pendingKey{}).(*notice); ok && !n.read {
		for _, id := range sources {
			if !slices.Contains(n.sources, id) {
				n.sources = append(n.sources, id)
			}
		}
		return false
	}
	n := &notice{sources: slices.Clone(sources)}
	p.SetLocal(pendingKey{}, n)
	m.Payloads[0] = payload.Payload{Format: payload.Go, Data: n}
	return true
}

// notice is an event about changed code. It becomes a table when it is read; it belongs to one process.
type notice struct {
	sources []string
	read    bool
}

// LuaValue makes the table of the event.
func (n *notice) LuaValue() lua.LValue {
	n.read = true
	list := newTable(len(n.sources), 0)
	for i, id := range n.sources {
		list.RawSetInt(i+1, lua.LString(id))
	}
	t := newTable(0, 2)
	t.RawSetString("kind", lua.LString(eventOutdated))
	t.RawSetString("sources", list)
	return t
}
