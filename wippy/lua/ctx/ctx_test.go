// SPDX-License-Identifier: Apache-2.0

package ctx_test

import (
	"testing"

	"github.com/wippyrun/kit/wippy/lua/ctx"
	"github.com/wippyrun/kit/wippy/lua/funcs"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/process"
)

func newSystem(t *testing.T) *luatest.System {
	return luatest.New(t, func(s *luatest.System) {
		s.Register(ctx.Module(), funcs.Module(nil), process.Module(process.Deps{
			Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories,
		}))
		funcs.Register(s.Dispatch, s.Functions)
		process.Register(s.Dispatch, s.Processes)
		s.Process.OnControl = process.Control
	})
}

func TestWithoutValues(t *testing.T) {
	newSystem(t).Check(t, `
		local v, err = ctx.get("nope")
		assert(v == nil and err:kind() == "NotFound" and err:message() == "key not found: nope")
		v, err = ctx.get("")
		assert(v == nil and err:kind() == "Invalid" and err:message() == "empty key")
		local all = ctx.all()
		assert(type(all) == "table" and next(all) == nil)
		assert(not pcall(ctx.get, {}))`)
}

func TestValuesFlowDown(t *testing.T) {
	s := newSystem(t)
	s.DefineFunction("app:read", `return { main = function() return ctx.all() end }`)
	s.DefineFunction("app:deep", `return { main = function() return (funcs.call("app:read")) end }`)
	s.Define("app:child", `return { main = function() return ctx.all() end }`)
	s.DefineFunction("app:spawns", `return { main = function() return (process.exec("app:child", "app:processes")) end }`)
	s.Check(t, `
		local with = funcs.new():with_context({ k = 1, list = { "a" } })
		for _, id in ipairs({ "app:read", "app:deep", "app:spawns" }) do
			local got, err = with:call(id)
			assert(not err, err)
			assert(got.k == 1 and got.list[1] == "a", id)
		end
		-- A later value wins, and the first executor keeps its own.
		assert(with:with_context({ k = 2 }):call("app:deep").k == 2)
		assert(with:call("app:deep").k == 1)
		-- A spawner's values reach the process and what it calls.
		local got = process.with_context({ k = 3 }):with_context({ l = 4 }):exec("app:child", "app:processes")
		assert(got.k == 3 and got.l == 4)
		assert(process.exec("app:child", "app:processes").k == nil)`)
}

func TestTablesAreCopies(t *testing.T) {
	s := newSystem(t)
	s.DefineFunction("app:change", `return { main = function()
		ctx.get("t").x = 2
		return ctx.get("t").x
	end }`)
	s.Check(t, `
		local t = { x = 1 }
		local with = funcs.new():with_context({ t = t })
		t.x = 5
		assert(with:call("app:change") == 1)
		assert(with:call("app:change") == 1)`)
}
