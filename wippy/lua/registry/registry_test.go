// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	luaregistry "github.com/wippyrun/kit/wippy/lua/registry"
)

// listener accepts everything but entries called "refused".
type listener struct{}

func (listener) Create(_ context.Context, e registry.Entry) error    { return check(e) }
func (listener) Update(_ context.Context, _, e registry.Entry) error { return check(e) }
func (listener) Delete(context.Context, registry.Entry) error        { return nil }

func check(e registry.Entry) error {
	if strings.HasPrefix(e.ID.Name, "refused") {
		return errors.New("no such luck")
	}
	return nil
}

func newSystem(t *testing.T) *luatest.System {
	r, err := registry.New(registry.WithHistory(registry.NewMemoryHistory()))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Listen("thing.*", listener{}, registry.Kinds("thing.a", "thing.b")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	err = r.LoadState(context.Background(), []registry.Entry{
		{ID: registry.NewID("app", "one"), Kind: "thing.a", Meta: map[string]any{"type": "x", "tags": []any{"red", "big"}, "n": 1.0},
			Data: map[string]any{"size": 1.0, "list": []any{"a"}}},
		{ID: registry.NewID("app", "two"), Kind: "thing.b", Meta: map[string]any{"type": "y", "tags": []any{"red"}}},
		{ID: registry.NewID("app.sub", "three"), Kind: "thing.a", Data: map[string]any{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return luatest.New(t, func(s *luatest.System) {
		luaregistry.Register(s.Dispatch, r)
		s.Register(luaregistry.Module(luaregistry.Deps{Registry: r}))
	})
}

func TestDenied(t *testing.T) {
	r, err := registry.New(registry.WithInternalKinds("thing.*"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	err = r.LoadState(context.Background(), []registry.Entry{
		{ID: registry.NewID("app", "open"), Kind: "thing.a"}, {ID: registry.NewID("app", "secret"), Kind: "thing.a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := luatest.New(t, func(s *luatest.System) {
		luaregistry.Register(s.Dispatch, r)
		s.Register(luaregistry.Module(luaregistry.Deps{Registry: r, Allow: func(_ *engine.Process, action, resource string, _ map[string]any) bool {
			return action == "registry.get" && resource != "app:secret"
		}}))
	})
	s.Check(t, prelude+`
		fails("PermissionDenied", "not allowed to access entry: app:secret", registry.get("app:secret"))
		fails("PermissionDenied", "not allowed to access entry: app:secret", registry.snapshot():get("app:secret"))
		assert(ids(registry.find({})) == "app:open" and ids(registry.snapshot():entries()) == "app:open")
		assert(ids(registry.snapshot():namespace("app")) == "app:open")
		fails("PermissionDenied", "not allowed to apply registry changes", registry.snapshot():changes():delete("app:open"):apply())
		local v, err = registry.apply_version(registry.current_version())
		assert(v == false)
		fails("PermissionDenied", "registry version change is not allowed", v, err)`)
}

const prelude = `
	local function fails(kind, text, v, err)
		assert(not v, "no error")
		assert(err:kind() == kind, err:kind() .. ": " .. err:message())
		assert(string.find(err:message(), text, 1, true), err:message())
	end
	local function ids(list)
		local t = {}
		for i, e in ipairs(list) do t[i] = e.id end
		return table.concat(t, " ")
	end
`

func TestRegistry(t *testing.T) {
	for name, body := range map[string]string{
		"get": `
			local e, err = registry.get("app:one")
			assert(err == nil and e.id == "app:one" and e.kind == "thing.a" and e.meta.type == "x" and e.meta.tags[2] == "big")
			assert(e.data.size == 1 and e.data.list[1] == "a")
			e.data.size = 2
			assert(registry.get("app:one").data.size == 1)
			assert(type(registry.get("app.sub:three").meta) == "table")
			fails("NotFound", "entry not found: a:none", registry.get("a:none"))`,
		"parse_id": `
			local id = registry.parse_id("a.b:c")
			assert(id.ns == "a.b" and id.name == "c")
			id = registry.parse_id("x:y:z")
			assert(id.ns == "x" and id.name == "y:z")
			id = registry.parse_id("plain")
			assert(id.ns == "" and id.name == "plain")`,
		"find": `
			assert(ids(registry.find({})) == "app.sub:three app:one app:two" or ids(registry.find({})) == "app:one app:two app.sub:three")
			assert(ids(registry.find({ [".kind"] = "thing.b" })) == "app:two")
			assert(ids(registry.find({ [".id"] = "app:o*" })) == "app:one")
			assert(ids(registry.find({ kind = "thing.b" })) == "app:two" and ids(registry.find({ name = "one" })) == "app:one")
			assert(ids(registry.find({ ns = "app.sub" })) == "app.sub:three" and ids(registry.find({ type = "x" })) == "app:one")
			assert(ids(registry.find({ meta = { type = "y" } })) == "app:two")
			assert(ids(registry.find({ ["meta.type"] = "x" })) == "app:one")
			assert(ids(registry.find({ meta = { ["meta.type"] = "y" } })) == "app:two")
			assert(ids(registry.find({ ["meta.n"] = 1 })) == "app:one")
			assert(ids(registry.find({ ["meta.tags"] = { "red" } })) == "app:one app:two")
			assert(ids(registry.find({ ["meta.tags"] = { "red", "big" } })) == "app:one")
			assert(ids(registry.find({ ["~meta.type"] = "^[xy]$", [".name"] = "t*" })) == "app:two")
			assert(ids(registry.find({ ["^meta.type"] = "x" })) == "app:one")
			assert(ids(registry.find({ ["*meta.tags"] = "bi" })) == "app:one")
			assert(not pcall(registry.find, "x"))`,
		"snapshot": `
			local snap = registry.snapshot()
			assert(#snap:entries() == 3 and snap:get("app:two").kind == "thing.b")
			assert(ids(snap:namespace("app")) == "app:one app:two" and #snap:namespace("ap") == 0)
			assert(ids(snap:find({ [".kind"] = "thing.b" })) == "app:two")
			assert(snap:version():id() == 0 and tostring(snap) == "registry.Snapshot{version=v0}")
			fails("NotFound", "entry not found: app:x", snap:get("app:x"))
			fails("Invalid", "invalid version ID", registry.snapshot_at(0))
			fails("NotFound", "version not found", registry.snapshot_at(99))`,
		"changes": `
			local c = registry.snapshot():changes()
			assert(tostring(c) == "registry.Changes{ops=0}" and #c:ops() == 0)
			fails("Invalid", "no changes to apply", c:apply())
			assert(c:create({ id = "app:new", kind = "thing.a", meta = { m = 1 }, data = { d = { 1, 2 } } }) == c)
			assert(c:delete({ ns = "app", name = "two" }) == c)
			assert(c:ops()[1].kind == "entry.create" and c:ops()[1].entry.id == "app:new" and c:ops()[2].kind == "entry.delete")
			local v, err = c:apply()
			assert(err == nil and v:id() == 1 and v:string() == "v1" and tostring(v) == "registry.Version{v1}")
			assert(registry.get("app:new").data.d[2] == 2 and registry.get("app:new").meta.m == 1)
			fails("NotFound", "entry not found", registry.get("app:two"))
			v = registry.snapshot():changes():update({ id = { ns = "app", name = "new" }, kind = "thing.a", data = "text" }):apply()
			assert(v:id() == 2 and registry.get("app:new").data == "text")`,
		"change errors": `
			local c = registry.snapshot():changes()
			fails("Invalid", "entry must have valid id field", c:create({ kind = "thing.a" }))
			fails("Invalid", "entry must have valid id field", c:create({ id = "", kind = "thing.a" }))
			fails("Invalid", "entry must have kind field", c:update({ id = "app:x" }))
			fails("Invalid", "id requires ns and name fields", c:create({ id = { ns = "app" }, kind = "thing.a" }))
			fails("Invalid", "invalid ID format", c:delete({}))
			fails("Invalid", "invalid ID format", c:delete("x"))
			assert(not pcall(c.create, c, 1) and not pcall(c.apply, {}))
			fails("Internal", "no such luck", c:create({ id = "app:fine", kind = "thing.a" }):create({ id = "app:refused", kind = "thing.a" }):apply())
			assert(registry.get("app:fine") == nil and registry.current_version():id() == 0)
			fails("Internal", "already exists", registry.snapshot():changes():create({ id = "app:one", kind = "thing.a" }):apply())
			fails("Internal", "nothing.c", registry.snapshot():changes():create({ id = "app:x", kind = "nothing.c" }):apply())`,
		"versions": `
			local root = registry.current_version()
			local one = registry.snapshot():changes():create({ id = "app:n", kind = "thing.a" }):apply()
			local two = registry.snapshot():changes():delete("app:n"):apply()
			assert(root:previous() == nil and one:previous():id() == 0 and two:previous():id() == 1)
			assert(root:next():id() == 1 and one:next():id() == 2 and two:next() == nil)
			local last = 0
			for _, v in ipairs(registry.versions()) do
				assert(v:id() == 0 or v:id() > last)
				last = v:id()
			end
			assert(last == 2)
			assert(registry.snapshot_at(1):get("app:n").id == "app:n" and registry.get("app:n") == nil)
			assert(registry.apply_version(one) == true)
			assert(registry.get("app:n").id == "app:n" and registry.current_version():id() == 1)
			assert(registry.apply_version(root) == true and registry.get("app:n") == nil)
			local three = registry.snapshot():changes():create({ id = "app:m", kind = "thing.a" }):apply()
			assert(three:id() == 3 and three:previous():id() == 0)
			assert(not pcall(registry.apply_version, 1))`,
		"history": `
			registry.snapshot():changes():create({ id = "app:n", kind = "thing.a" }):apply()
			local h = registry.history()
			assert(tostring(h) == "registry.History{}" and #h:versions() == #registry.versions())
			assert(h:get_version(1):id() == 1 and h:get_version(0):id() == 0)
			fails("NotFound", "version not found", h:get_version(7))
			assert(h:snapshot_at(h:get_version(1)):get("app:n").kind == "thing.a")
			assert(not pcall(h.snapshot_at, h, 1))`,
		"delta": `
			local ops, err = registry.build_delta(
				{ { id = "a:x", kind = "thing.a" }, { id = "a:y", kind = "thing.a", data = 1 } },
				{ { id = "a:y", kind = "thing.a", data = 2 }, { id = "a:z", kind = "thing.a" } })
			assert(err == nil and #ops == 3)
			local by = {}
			for _, op in ipairs(ops) do by[op.entry.id] = op.kind end
			assert(by["a:x"] == "entry.delete" and by["a:y"] == "entry.update" and by["a:z"] == "entry.create")
			fails("Invalid", "entry must have valid id field", registry.build_delta({ 1 }, {}))`,
	} {
		t.Run(name, func(t *testing.T) { newSystem(t).Check(t, prelude+body) })
	}
}
