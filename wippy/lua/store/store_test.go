// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	luastore "github.com/wippyrun/kit/wippy/lua/store"
	luatime "github.com/wippyrun/kit/wippy/lua/time"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/system/clock"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/security"
)

// slow is a store that waits: each operation in turn for a word on gate, when there is one.
type slow struct {
	memory *store.Memory
	gate   chan struct{}
	begun  chan struct{}
	ended  atomic.Int64 // operations whose context ended first
}

func (s *slow) wait(ctx context.Context) error {
	if s.gate == nil {
		return nil
	}
	s.begun <- struct{}{}
	select {
	case <-s.gate:
		return nil
	case <-ctx.Done():
		s.ended.Add(1)
		s.begun <- struct{}{}
		return ctx.Err()
	}
}

func (s *slow) Get(ctx context.Context, key string) (store.Entry, error) {
	if err := s.wait(ctx); err != nil {
		return store.Entry{}, err
	}
	return s.memory.Get(ctx, key)
}

func (s *slow) Has(ctx context.Context, key string) (bool, error) {
	if key == ":broken" {
		return false, errors.New("no connection")
	}
	return s.memory.Has(ctx, key)
}

func (s *slow) Put(ctx context.Context, key string, v payload.Payload, o store.PutOptions) (uint64, error) {
	return s.memory.Put(ctx, key, v, o)
}

func (s *slow) Delete(ctx context.Context, key string) error {
	if key == ":broken" {
		return errors.New("no connection")
	}
	return s.memory.Delete(ctx, key)
}

func (s *slow) List(ctx context.Context, o store.ListOptions) (store.Page, error) {
	return s.memory.List(ctx, o)
}

func (s *slow) Info() store.Info { return s.memory.Info() }

const limit = 200

// newSystem makes the stores app:cache, of at most limit keys, and app:slow.
func newSystem(tb testing.TB, allow access.Check) (*luatest.System, *store.Memory, *slow) {
	cache, waits := store.NewMemory(limit), &slow{memory: store.NewMemory(limit)}
	s := luatest.New(tb, func(s *luatest.System) {
		table := &store.Table{}
		table.Add("app:cache", cache)
		table.Add("app:slow", waits)
		c := clock.New()
		c.Register(s.Dispatch)
		s.Register(luatime.Module(c, s.Router.Send))
		luastore.Register(s.Dispatch)
		s.Register(luastore.Module(luastore.Deps{Stores: table, Allow: allow, Kind: func(id string) string {
			return map[string]string{"app:db": "db.sql.sqlite", "app:stopped": "store.memory"}[id]
		}}))
	})
	return s, cache, waits
}

const prelude = `
	local function fails(kind, text, v, err, again)
		assert(not v, "no error")
		assert(err:kind() == kind, err:kind() .. ": " .. err:message())
		assert(err:message() == text, err:message())
		assert(err:retryable() == (again or false), tostring(err:retryable()))
	end
	local function raises(text, f, ...)
		local ok, err = pcall(f, ...)
		assert(not ok, "raised nothing")
		assert(string.find(tostring(err), text, 1, true), tostring(err))
	end
	local function keys(page)
		local t = {}
		for i, e in ipairs(page.items) do t[i] = e.key end
		return table.concat(t, " ")
	end
	local s = store.get(ID)
`

// facts hold for every store with conditions.
var facts = map[string]string{
	"get of what is no store": `
		fails("Invalid", "resource id is required", store.get(""))
		fails("Internal", "store not found: no:store", store.get("no:store"))
		fails("Internal", "store not found: app:stopped", store.get("app:stopped"))
		fails("Invalid", "resource is not a store: app:db", store.get("app:db"))
		raises("bad argument #1", store.get)
		raises("bad argument #1", store.get, {})`,
	"get returns one value": `
		assert(select("#", store.get(ID)) == 1)
		assert(tostring(s) == "store.Store{}")`,
	"constants": `
		assert(store.backend.MEMORY == "memory" and store.backend.SQL == "sql" and store.backend.KV_RAFT == "kv.raft")
		assert(store.backend.KV_CRDT == "kv.crdt" and store.backend.UNKNOWN == "unknown")
		assert(store.consistency.LINEARIZABLE == "linearizable" and store.consistency.EVENTUAL == "eventual")
		assert(store.consistency.LOCAL == "local" and store.consistency.UNKNOWN == "unknown")
		raises("", function() store.backend.MEMORY = 1 end)
		raises("", function() store.get = 1 end)`,
	"values are snapshots": `
		local t = {n = 1, list = {1, 2, {deep = true}}}
		local ok, err = s:set("a:b", t)
		assert(ok == true and err == nil)
		t.n, t.list[3].deep = 2, false
		local got, err = s:get("a:b")
		assert(err == nil and got.n == 1 and got.list[3].deep == true and #got.list == 3)
		got.n = 3
		assert(s:get("a:b").n == 1)
		for _, v in ipairs({"text", 42, 1.5, true}) do
			s:set("v", v)
			assert(s:get("v") == v)
		end
		s:set("v", false)
		local v, err = s:get("v")
		assert(v == false and err == nil)`,
	"missing keys": `
		fails("NotFound", "key not found", s:get("a:missing"))
		fails("NotFound", "key not found", s:entry("a:missing"))
		local ok, err = s:delete("a:missing")
		assert(ok == false and err == nil)
		local ok, err = s:has("a:missing")
		assert(ok == false and err == nil)
		s:set("a:b", 1)
		assert(s:has("a:b") == true and s:delete("a:b") == true and s:has("a:b") == false)`,
	"bad arguments": `
		for _, method in ipairs({"get", "entry", "set", "put", "delete"}) do
			fails("Invalid", "key is required", s[method](s, "", 1))
			raises("bad argument #2", s[method], s)
			raises("bad argument #2", s[method], s, {})
			raises("bad argument #1", s[method], "x", "k")
		end
		local has, err = s:has("")
		assert(has == false)
		fails("Invalid", "key is required", has, err)
		fails("Invalid", "value is required", s:set("k"))
		fails("Invalid", "value is required", s:put("k", nil))
		fails("Invalid", "value must be plain data, got a function", s:set("k", print))
		raises("bad argument #4", s.set, s, "k", 1, "soon")
		fails("Invalid", "ttl must be a non-negative number", s:set("k", 1, 0/0))`,
	"lifetimes": `
		s:set("k", "v", 0.05)
		s:set("long", "v", 1000)
		assert(s:get("long") == "v")
		s:set("kept", "v", 0.05)
		s:set("kept", "v")
		s:set("less", "v", -1)
		s:set("ever", "v", math.huge)
		s:put("p", "v", {ttl = 0.05})
		time.sleep("100ms")
		assert(s:has("k") == false and s:has("p") == false)
		fails("NotFound", "key not found", s:get("k"))
		local ok, err = s:delete("k")
		assert(ok == false and err == nil)
		assert(s:has("kept") and s:has("less") and s:has("ever") and s:has("long"))`,
	"list shows full keys": `
		s:set("foo", 1)
		assert(s:list({prefix = ":foo"}).items[1].key == ":foo")
		assert(#s:list({prefix = "foo"}).items == 0)
		assert(s:get("foo") == 1 and s:get(":foo") == 1 and s:has("foo"))
		assert(s:entry("foo").key == ":foo")
		s:set("a:b:c", 2)
		assert(keys(s:list({prefix = "a:"})) == "a:b:c")
		assert(s:delete("foo") == true)`,
	"pages": `
		for i = 1, 150 do s:set(string.format("n:%03d", i), i) end
		local page, err = s:list({})
		assert(err == nil and #page.items == 100 and page.has_more == true and page.cursor == "n:100")
		page = s:list({after = page.cursor})
		assert(#page.items == 50 and page.has_more == false and page.items[1].key == "n:101" and page.items[50].value == 150)
		page = s:list({after = page.cursor})
		assert(#page.items == 0 and page.has_more == false and page.cursor == "")
		assert(#s:list({limit = 0}).items == 100 and #s:list({limit = 5000}).items == 150 and #s:list().items == 100)
		page = s:list({limit = 2, prefix = "n:14"})
		assert(keys(page) == "n:140 n:141" and page.has_more and type(page.items[1].version) == "string")
		assert(keys(s:list({limit = 2, after = page.cursor})) == "n:142 n:143")`,
	"list options": `
		fails("Invalid", "options must be a table", s:list("x"))
		fails("Invalid", "prefix must be a string", s:list({prefix = 1}))
		fails("Invalid", "after must be a string", s:list({after = true}))
		for _, limit in ipairs({-1, 1.5, "ten", 0/0}) do
			fails("Invalid", "limit must be a non-negative integer", s:list({limit = limit}))
		end`,
	"versions": `
		s:set("a", 1)
		local e, err = s:put("b", {x = 1})
		assert(err == nil and e.key == ":b" and e.value.x == 1 and e.version == "2")
		s:set("a", 2)
		local e = s:entry("a")
		assert(e.version == "3" and e.value == 2)
		e = s:put("a", 3, {if_version = e.version})
		assert(e.version == "4")
		e = s:put("a", 4, {if_version = 4})
		assert(e.version == "5")
		local v, err = s:put("a", 5, {if_version = "4"})
		fails("Conflict", "version mismatch", v, err, true)`,
	"conditions": `
		assert(s:put("k", 1, {only_if_absent = true}).version == "1")
		local v, err = s:put("k", 1, {only_if_absent = true})
		fails("AlreadyExists", "key already exists", v, err)
		local v, err = s:put("k", 1, {if_version = 99})
		fails("Conflict", "version mismatch", v, err, true)
		fails("NotFound", "key not found", s:put("none", 1, {if_version = 1}))
		assert(s:get("k") == 1)`,
	"put options": `
		fails("Invalid", "options must be a table", s:put("k", 1, "x"))
		for _, ttl in ipairs({-1, "x", 0/0}) do fails("Invalid", "ttl must be a non-negative number", s:put("k", 1, {ttl = ttl})) end
		fails("Invalid", "only_if_absent must be a boolean", s:put("k", 1, {only_if_absent = 1}))
		for _, v in ipairs({0, -1, 1.5, "0", "x", "", true}) do
			fails("Invalid", "if_version must be a positive version", s:put("k", 1, {if_version = v}))
		end
		fails("Invalid", "only_if_absent and if_version are mutually exclusive", s:put("k", 1, {if_version = 1, only_if_absent = true}))
		assert(not s:has("k"))`,
	"a full store": `
		for i = 1, 200 do assert(s:set("n" .. i, i)) end
		local v, err = s:set("more", 1)
		fails("Unavailable", "store is full", v, err, true)
		assert(s:set("n1", 2))
		assert(s:delete("n1") and s:set("more", 1))`,
	"info": `
		local i, err = s:info()
		assert(err == nil and i.id == ID and i.backend == store.backend.MEMORY and i.consistency == store.consistency.LOCAL)
		assert(i.durable == false and i.list and i.versioned and i.conditional_put and i.ttl)`,
	"release": `
		assert(select("#", s:release()) == 1)
		assert(s:release() == true and tostring(s) == "store.Store{released}")
		for _, method in ipairs({"get", "entry", "set", "put", "delete", "list", "info"}) do
			fails("Invalid", "store is released", s[method](s, "x", 1))
		end
		local v, err = s:has("x")
		assert(v == false and err:message() == "store is released")
		assert(store.get(ID):has("x") == false)`,
}

func TestFacts(t *testing.T) {
	for _, id := range []string{"app:cache", "app:slow"} {
		for name, body := range facts {
			t.Run(id+"/"+name, func(t *testing.T) {
				t.Parallel()
				s, _, _ := newSystem(t, nil)
				s.Check(t, "local ID = '"+id+"'"+prelude+body)
			})
		}
	}
}

func TestErrorsOfTheStoreKeepTheirText(t *testing.T) {
	s, _, _ := newSystem(t, nil)
	s.Check(t, `
		local s = store.get("app:slow")
		local v, err = s:delete("broken")
		assert(v == nil and err:message() == "no connection" and err:kind() == "" and err:retryable() == nil)
		local v, err = s:has("broken")
		assert(v == false and err:message() == "no connection")`)
}

func TestClosedStore(t *testing.T) {
	s, cache, _ := newSystem(t, nil)
	cache.Close()
	s.Check(t, "local ID = 'app:cache'"+prelude+`
		fails("Unavailable", "store is closed", s:get("x"))
		fails("Unavailable", "store is closed", s:set("x", 1))
		fails("Unavailable", "store is closed", s:list())
		local v, err = s:has("x")
		assert(v == false)
		fails("Unavailable", "store is closed", v, err)`)
}

func TestHandlesEndWithTheirOwner(t *testing.T) {
	s, _, _ := newSystem(t, nil)
	// The program of a function may keep what an earlier call opened.
	program, err := s.Engine.Link(engine.ProgramSpec{ID: "app:f", Modules: []string{"store"}, Source: `
		local kept
		return function()
			if kept then
				local _, err = kept:get("x")
				return tostring(kept) .. " " .. err:message()
			end
			kept = store.get("app:cache")
			return tostring(kept)
		end`})
	if err != nil {
		t.Fatal(err)
	}
	instance := s.Engine.NewInstance(program)
	defer instance.Close()
	s.Factories.Register("app:f", func(_ context.Context, r factory.Request) (scheduler.Process, string, error) {
		return s.Engine.NewProcess(engine.ProcessOptions{Instance: instance, PID: r.PID}), "", nil
	})
	for _, want := range []string{"store.Store{}", "store.Store{released} store is released"} {
		got, err := s.Processes.Exec(t.Context(), processes.Spawn{Host: luatest.Host, Source: "app:f"})
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(got.Data); text != want {
			t.Errorf("got %q, want %q", text, want)
		}
	}
}

func TestOperationsEndWithTheProcess(t *testing.T) {
	s, _, waits := newSystem(t, nil)
	waits.gate, waits.begun = make(chan struct{}), make(chan struct{})
	s.Define("app:reader", `return {main = function() store.get("app:slow"):get("x") end}`)
	pid, err := s.Processes.Start(t.Context(), processes.Spawn{Host: luatest.Host, Source: "app:reader"})
	if err != nil {
		t.Fatal(err)
	}
	<-waits.begun
	if err := s.Processes.Terminate(pid); err != nil {
		t.Fatal(err)
	}
	<-waits.begun
	if waits.ended.Load() != 1 {
		t.Error("the operation went on")
	}
}

func TestOthersGoOnWhileAStoreWaits(t *testing.T) {
	s, _, waits := newSystem(t, nil)
	waits.gate, waits.begun = make(chan struct{}), make(chan struct{}, 1)
	go func() {
		<-waits.begun
		waits.gate <- struct{}{}
	}()
	s.Check(t, `
		local order = channel.new(2)
		coroutine.spawn(function()
			store.get("app:slow"):get("x")
			order:send("store")
		end)
		coroutine.spawn(function() order:send("other") end)
		assert(order:receive() == "other")
		assert(order:receive() == "store")`)
}

func TestPermissions(t *testing.T) {
	denied := map[string]bool{}
	var asked []string
	s, _, _ := newSystem(t, func(_ *engine.Process, action, resource string, meta map[string]any) bool {
		if key, ok := meta["key"].(string); ok {
			resource += "/" + key
		}
		if prefix, ok := meta["prefix"].(string); ok {
			resource += "/" + prefix + "*"
		}
		asked = append(asked, action+" "+resource)
		return !denied[action]
	})
	s.Frame = appctx.NewFrame()
	if err := security.Enter(s.Frame, &security.Actor{ID: "ada"}, security.NewScope()); err != nil {
		t.Fatal(err)
	}
	ask := func(action, body string, want ...string) {
		t.Helper()
		clear(denied)
		denied[action] = true
		asked = nil
		s.Check(t, "local ID = 'app:cache'"+prelude+body)
		for i, w := range append([]string{"store.get app:cache"}, want...) {
			if i >= len(asked) || asked[i] != w {
				t.Errorf("%s: asked %q, want %q", action, asked, want)
				return
			}
		}
	}
	ask("store.key.get", `
		raises("not allowed to read key: a:k", s.get, s, "a:k")
		fails("PermissionDenied", "not allowed to read key: k", s:entry("k"))`, "store.key.get app:cache/a:k", "store.key.get app:cache/k")
	ask("store.key.set", `
		raises("not allowed to write key: k", s.set, s, "k", 1)
		fails("PermissionDenied", "not allowed to write key: k", s:put("k", 1))
		assert(not s:has("k"))`, "store.key.set app:cache/k")
	ask("store.key.has", `raises("not allowed to check key existence: k", s.has, s, "k")`, "store.key.has app:cache/k")
	ask("store.key.delete", `
		s:set("k", 1)
		raises("not allowed to delete key: k", s.delete, s, "k")
		assert(s:has("k"))`, "store.key.set app:cache/k", "store.key.delete app:cache/k")
	ask("store.key.list", `fails("PermissionDenied", "not allowed to list store: app:cache", s:list({prefix = "a"}))`, "store.key.list app:cache/a*")
	ask("store.info", `fails("PermissionDenied", "not allowed to inspect store: app:cache", s:info())`, "store.info app:cache")
	denied["store.get"] = true
	s.Check(t, `
		local ok, err = pcall(store.get, "app:cache")
		assert(not ok and string.find(tostring(err), "not allowed to access store: app:cache", 1, true))`)
}
