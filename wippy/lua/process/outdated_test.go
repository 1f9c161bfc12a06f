// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/process"
	"github.com/wippyrun/kit/wippy/system/outdated"
)

// newChanging is a system whose programs can say code.changed(id, sources).
func newChanging(t *testing.T) *luatest.System {
	s := luatest.New(t, func(s *luatest.System) {
		process.Register(s.Dispatch, s.Processes)
		hub := outdated.New(s.Router.Send)
		s.Register(process.Module(process.Deps{
			Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories, Outdated: hub,
		}), engine.Module{Name: "code", Global: true, Build: func(b *engine.Builder) error {
			b.Func("changed", func(L *lua.LState) int {
				hub.Changed(L.CheckString(1), []string{L.CheckString(2)})
				return 0
			})
			return nil
		}})
		s.Process.OnControl = process.Control
	})
	s.Define("app:upgrading", `return { main = function(parent, n)
		process.set_options({ upgradable = true })
		process.send(parent, "alive", n)
		local e = process.events():receive()
		if e.kind == process.event.OUTDATED then process.upgrade(nil, parent, n + 1) end
	end }`)
	return s
}

func TestChangedCodeIsOneEventUntilItIsRead(t *testing.T) {
	newChanging(t).Check(t, `
		local inbox = process.inbox()
		local function settle()
			process.send(process.pid(), "settle")
			inbox:receive()
		end
		process.set_options({ upgradable = true })
		process.set_options({ upgradable = true })
		code.changed("app:test", "app:a")
		code.changed("app:test", "app:b")
		code.changed("app:test", "app:a")
		code.changed("app:other", "app:c")
		settle()
		local events = process.events()
		local e = events:receive()
		assert(e.kind == process.event.OUTDATED, e.kind)
		assert(table.concat(e.sources, " ") == "app:a app:b", table.concat(e.sources, " "))
		code.changed("app:test", "app:d")
		e = events:receive()
		assert(table.concat(e.sources, " ") == "app:d", table.concat(e.sources, " "))
		settle()
		assert(channel.select({ events:case_receive(), default = true }).default, "one more event")`)
}

func TestProcessThatIsNotUpgradableHearsNothing(t *testing.T) {
	newChanging(t).Check(t, `
		local inbox, events = process.inbox(), process.events()
		code.changed("app:test", "app:a")
		process.set_options({ upgradable = true })
		process.set_options({ upgradable = false })
		code.changed("app:test", "app:a")
		process.send(process.pid(), "settle")
		inbox:receive()
		assert(channel.select({ events:case_receive(), default = true }).default, "an event")`)
}

func TestUpgradedProcessHearsOfTheNextChange(t *testing.T) {
	newChanging(t).Check(t, `
		local inbox = process.inbox()
		local pid = assert(process.spawn("app:upgrading", "app:processes", process.pid(), 1))
		for n = 1, 5 do
			local m = inbox:receive()
			assert(m:payload():data() == n and m:from() == pid)
			code.changed("app:upgrading", "app:upgrading")
		end`)
}
