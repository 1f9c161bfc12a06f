// SPDX-License-Identifier: Apache-2.0

package security_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/funcs"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/process"
	luasecurity "github.com/wippyrun/kit/wippy/lua/security"
	"github.com/wippyrun/kit/wippy/system/security"
)

func TestMain(m *testing.M) { luatest.Main(m) }

// rule is a policy about one action, or about all.
type rule struct {
	id, action string
	effect     security.Decision
}

func (r rule) ID() string { return r.id }

func (r rule) Evaluate(q security.Request) security.Decision {
	if r.action != "*" && r.action != q.Action || q.Meta["level"] == "none" {
		return security.Undefined
	}
	return r.effect
}

var (
	allowAll = rule{"app:all", "*", security.Allow}
	denyAll  = rule{"app:nothing", "*", security.Deny}
	reading  = rule{"app:read", "read", security.Allow}
)

// tokens is a token store that knows the last token it made.
type tokens struct {
	actor   *security.Actor
	scope   *security.Scope
	options security.TokenOptions
	revoked bool
}

func (t *tokens) Create(_ context.Context, a *security.Actor, s *security.Scope, o security.TokenOptions) (string, error) {
	if a.ID == "nobody" {
		return "", errors.New("failed to acquire backing store")
	}
	t.actor, t.scope, t.options, t.revoked = a, s, o, false
	return "token", nil
}

func (t *tokens) Validate(ctx context.Context, token string) (*security.Actor, *security.Scope, error) {
	if token == "slow" {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}
	if token != "token" || t.revoked {
		return nil, nil, errors.New("token not found")
	}
	return t.actor, t.scope, nil
}

func (t *tokens) Revoke(_ context.Context, token string) error {
	if token != "token" || t.revoked {
		return errors.New("token not found")
	}
	t.revoked = true
	return nil
}

// stores knows one token store, app:tokens.
type stores struct{ *tokens }

func (s stores) TokenStore(id string) (security.TokenStore, error) {
	if id != "app:tokens" {
		return nil, errors.New("token store not found")
	}
	return s.tokens, nil
}

func newSystem(tb testing.TB, t *tokens, allow access.Check) *luatest.System {
	d := security.NewDirectory()
	d.Put(allowAll, "app:admins")
	d.Put(denyAll)
	d.Put(reading, "app:readers", "app:admins")
	s := luatest.New(tb, func(s *luatest.System) {
		funcs.Register(s.Dispatch, s.Functions)
		process.Register(s.Dispatch, s.Processes)
		luasecurity.Register(s.Dispatch)
		s.Register(funcs.Module(allow), luasecurity.Module(luasecurity.Deps{Directory: d, Tokens: stores{t}, Allow: allow}),
			process.Module(process.Deps{Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories, Allow: allow}))
		s.Process.OnControl = process.Control
	})
	const whoami = `return { main = function()
		local a, s, ids = security.actor(), security.scope(), {}
		for i, p in ipairs(s and s:policies() or {}) do ids[i] = p:id() end
		return (a and a:id() or "nobody") .. ": " .. (s and table.concat(ids, " ") or "no scope")
	end }`
	s.DefineFunction("app:whoami", whoami)
	s.DefineFunction("app:relay", `return { main = function() return funcs.call("app:whoami") end }`)
	return s
}

// prelude has what the snippets use.
const prelude = `
	local function same(got, want)
		if got ~= want then error("got " .. tostring(got) .. ", want " .. tostring(want), 2) end
	end
	local function fails(kind, message, v, err)
		if v ~= nil then error("no error", 2) end
		if err:kind() ~= kind or err:message() ~= message or err:retryable() ~= false then
			error(err:kind() .. ": " .. err:message(), 2)
		end
	end
	local function raises(message, fn, ...)
		local ok, err = pcall(fn, ...)
		if ok then error("nothing raised", 2) end
		if not string.find(tostring(err), message, 1, true) then error(tostring(err), 2) end
	end
	local alice = security.new_actor("alice", { role = "editor", n = 1, list = { "a" }, [5] = "dropped" })
	local all, nothing, read = security.policy("app:all"), security.policy("app:nothing"), security.policy("app:read")
`

func TestWithoutContext(t *testing.T) {
	newSystem(t, &tokens{}, nil).Check(t, prelude+`
		same(security.actor(), nil)
		same(security.scope(), nil)
		same(security.can("a", "b"), false)
		same(security.can("a", "b", { x = 1 }), false)
		raises("bad argument #1", security.can)
		raises("bad argument #2", security.can, "a")`)
}

func TestActors(t *testing.T) {
	newSystem(t, &tokens{}, nil).Check(t, prelude+`
		same(alice:id(), "alice")
		local meta = alice:meta()
		same(meta.role, "editor") same(meta.n, 1) same(meta.list[1], "a") same(meta[5], nil) same(meta["5"], nil)
		meta.role = "admin"
		meta.list[1] = "b"
		same(alice:meta().role, "editor") same(alice:meta().list[1], "a")
		same(next(security.new_actor("bob"):meta()), nil)
		raises("bad argument #1", security.new_actor)
		raises("Actor expected", alice.id, "alice")
		raises("Actor expected", alice.id, read)`)
}

func TestPoliciesAndScopes(t *testing.T) {
	newSystem(t, &tokens{}, nil).Check(t, prelude+`
		same(read:id(), "app:read")
		same(read:evaluate(alice, "read", "doc"), "allow")
		same(read:evaluate(alice, "write", "doc"), "undefined")
		same(read:evaluate(alice, "read", "doc", { level = "none" }), "undefined")
		same(nothing:evaluate(alice, "read", "doc"), "deny")
		fails("Internal", "policy not found", security.policy("app:none"))
		raises("Actor expected", read.evaluate, read, "alice", "read", "doc")
		raises("bad argument #4", read.evaluate, read, alice, "read")

		same(security.new_scope():evaluate(alice, "read", "doc"), "undefined")
		same(security.new_scope({ all, nothing }):evaluate(alice, "read", "doc"), "deny")
		local readers = security.new_scope({ read, "app:all", 5, {}, false })
		same(#readers:policies(), 1)
		same(readers:evaluate(alice, "write", "doc"), "undefined")
		same(readers:evaluate(alice, "read", "doc"), "allow")
		same(readers:evaluate(alice, "read", "doc", { level = "none" }), "undefined")

		local more = readers:with(all)
		same(#readers:policies(), 1) same(#more:policies(), 2)
		same(more:contains(all), true) same(more:contains("app:all"), true) same(more:contains({ ns = "app", name = "all" }), true)
		same(readers:contains(all), false) same(readers:contains({ ns = "other", name = "read" }), false)
		same(#more:without(all):policies(), 1) same(more:without("app:all"):contains("app:all"), false)
		same(more:without({ ns = "app", name = "read" }):policies()[1]:id(), "app:all")
		same(#more:without("app:none"):policies(), 2) same(#more:policies(), 2)
		raises("Policy expected", more.with, more, "app:all")
		raises("bad argument #2", more.without, more)
		raises("bad argument #2", more.contains, more, {})
		raises("Scope expected", more.policies, read)

		local scope, err = security.named_scope("app:admins")
		same(err, nil)
		same(scope:policies()[1]:id() .. " " .. scope:policies()[2]:id(), "app:all app:read")
		fails("Internal", "policy group not found", security.named_scope("app:none"))`)
}

func TestContextOfTheProgram(t *testing.T) {
	s := newSystem(t, &tokens{}, nil)
	s.Frame = appctx.NewFrame()
	if err := security.Enter(s.Frame, &security.Actor{ID: "eve"}, security.NewScope(reading)); err != nil {
		t.Fatal(err)
	}
	s.Check(t, prelude+`
		same(security.actor():id(), "eve")
		same(security.scope():contains(read), true)
		same(security.can("read", "doc"), true)
		same(security.can("read", "doc", { level = "none" }), false)
		same(security.can("write", "doc"), false)
		same(funcs.call("app:whoami"), "eve: app:read")
		same(process.exec("app:whoami", "app:processes"), "eve: app:read")`)
}

func TestIdentityOfCallees(t *testing.T) {
	s := newSystem(t, &tokens{}, nil)
	s.Check(t, prelude+`
		local readers = security.new_scope({ read })
		local e = funcs.new()
		same(e:call("app:whoami"), "nobody: no scope")
		same(e:with_actor(alice):call("app:whoami"), "alice: no scope")
		same(e:with_scope(readers):call("app:whoami"), "nobody: app:read")
		same(e:with_actor(alice):with_scope(readers):call("app:whoami"), "alice: app:read")
		same(e:with_actor(alice):with_scope(readers):call("app:relay"), "alice: app:read")
		same(e:with_actor(alice):with_actor(security.new_actor("bob")):with_context({ k = 1 }):call("app:whoami"), "bob: no scope")
		same(e:with_actor(alice):async("app:whoami"):channel():receive():data(), "alice: no scope")
		same(funcs.call("app:whoami"), "nobody: no scope")
		raises("Actor expected", e.with_actor, e, "alice")
		raises("Scope expected", e.with_scope, e, nil)

		local spawner = process.with_context({})
		same(spawner:exec("app:whoami", "app:processes"), "nobody: no scope")
		same(spawner:with_actor(alice):with_scope(readers):exec("app:whoami", "app:processes"), "alice: app:read")
		same(spawner:with_actor(alice):with_context({ k = 1 }):exec("app:relay", "app:processes"), "alice: no scope")
		local pid = spawner:with_actor(alice):spawn_monitored("app:whoami", "app:processes")
		same(process.events():receive().result.value, "alice: no scope")
		raises("actor cannot be nil", spawner.with_actor, spawner, nil)
		raises("scope cannot be nil", spawner.with_scope, spawner, nil)
		raises("Actor expected", spawner.with_actor, spawner, readers)
		raises("Scope expected", spawner.with_scope, spawner, alice)`)
}

func TestTokens(t *testing.T) {
	made := &tokens{}
	newSystem(t, made, nil).Check(t, prelude+`
		local scope = security.new_scope({ read })
		local store, err = security.token_store("app:tokens")
		same(err, nil)
		local token, err = store:create(alice, scope, { expiration = "1h", meta = { device = "phone" } })
		same(err, nil)
		local actor, got, err = store:validate(token)
		same(err, nil) same(actor:id(), "alice") same(actor:meta().role, "editor") same(got:contains("app:read"), true)
		same(funcs.new():with_actor(actor):with_scope(got):call("app:whoami"), "alice: app:read")

		local function invalid(a, s, err) same(a, nil) same(s, nil) return nil, err end
		fails("Internal", "token not found", invalid(store:validate("other")))
		local ok, err = store:revoke(token)
		same(ok, true) same(err, nil)
		fails("Internal", "token not found", invalid(store:validate(token)))
		fails("Internal", "token not found", store:revoke(token))
		fails("Internal", "failed to acquire backing store", store:create(security.new_actor("nobody"), scope))
		for _, bad in ipairs({ "zz", "-1h", "7d", -1, 0/0, math.huge, true, {} }) do
			fails("Invalid", "invalid expiration format", store:create(alice, scope, { expiration = bad }))
		end
		raises("Actor expected", store.create, store, "alice", scope)
		raises("Scope expected", store.create, store, alice)
		raises("bad argument #2", store.validate, store)

		same(store:close(), true) same(store:close(), true)
		fails("Internal", "token store is closed", store:create(alice, scope))
		fails("Internal", "token store is closed", invalid(store:validate("t")))
		fails("Internal", "token store is closed", store:revoke("t"))
		same(security.token_store("app:tokens"):create(alice, scope), "token")

		fails("Invalid", "token store id is required", security.token_store(""))
		fails("Internal", "token store not found", security.token_store("app:none"))`)
}

func TestLifeTimesOfTokens(t *testing.T) {
	made := &tokens{}
	s := newSystem(t, made, nil)
	for option, want := range map[string]time.Duration{
		"nil": 0, "{}": 0, "{ expiration = 0 }": 0, "{ expiration = '0s' }": 0, "{ expiration = '90m' }": 90 * time.Minute,
		"{ expiration = 1500 }": 1500 * time.Millisecond, "{ expiration = 0.5 }": 500 * time.Microsecond, "{ meta = { a = 1 } }": 0,
	} {
		s.Check(t, prelude+`assert(security.token_store("app:tokens"):create(alice, security.new_scope(), `+option+`))`)
		if made.options.Expiration != want {
			t.Errorf("%s: %v, want %v", option, made.options.Expiration, want)
		}
		if has := strings.Contains(option, "meta"); has != (made.options.Meta["a"] == 1.0) {
			t.Errorf("%s: %v", option, made.options.Meta)
		}
	}
}

// TestWaitingForATokenEndsWithTheProcess terminates a process whose token store does not answer.
func TestWaitingForATokenEndsWithTheProcess(t *testing.T) {
	s := newSystem(t, &tokens{}, nil)
	s.Define("app:stuck", `return { main = function(parent)
		coroutine.spawn(function() security.token_store("app:tokens"):validate("slow") end)
		process.send(parent, "waiting")
		process.inbox():receive()
	end }`)
	s.Check(t, `
		local pid = process.spawn_monitored("app:stuck", "app:processes", process.pid())
		process.inbox():receive()
		process.terminate(pid)
		process.events():receive()`)
}

// TestPermissions does everything with a check that allows only what comes before.
func TestPermissions(t *testing.T) {
	for _, c := range []struct{ call, asks, allowed string }{
		{`raises("not allowed to create actor with ID: bob", security.new_actor, "bob")`, "security.actor.create bob", ""},
		{`raises("not allowed to create custom scopes", security.new_scope)`, "security.scope.create custom", ""},
		{`fails("Invalid", "permission denied: access policy", security.policy("app:read"))`, "security.policy.get app:read", ""},
		{`fails("Invalid", "permission denied: access policy group", security.named_scope("app:readers"))`, "security.policy_group.get app:readers", ""},
		{`raises("not allowed to access token store: app:tokens", security.token_store, "app:tokens")`, "security.token_store.get app:tokens", ""},
		{`local s = security.new_scope() raises("not allowed to create custom scopes", s.with, s, security.policy("app:read"))`,
			"security.scope.create with", "security.scope.create custom,security.policy.get"},
		{`local s = security.new_scope() raises("not allowed to create custom scopes", s.without, s, "app:read")`,
			"security.scope.create without", "security.scope.create custom"},
		{`local st = security.token_store("app:tokens") fails("Invalid", "not allowed to create token", st:create(security.new_actor("bob"), security.new_scope()))`,
			"security.token.create app:tokens actor=bob", "security.token_store.get,security.actor.create,security.scope.create"},
		{`local st = security.token_store("app:tokens") local a, s, err = st:validate("t") same(a, nil) fails("Invalid", "not allowed to validate token", s, err)`,
			"security.token.validate app:tokens token=t", "security.token_store.get"},
		{`local st = security.token_store("app:tokens") fails("Invalid", "not allowed to revoke token", st:revoke("t"))`,
			"security.token.revoke app:tokens token=t", "security.token_store.get"},
		{`fails("PermissionDenied", "not allowed to call functions with custom security context", funcs.new():with_actor(security.new_actor("bob")))`,
			"funcs.security security", "security.actor.create"},
		{`fails("PermissionDenied", "not allowed to call functions with custom security context", funcs.new():with_scope(security.new_scope()))`,
			"funcs.security security", "security.scope.create"},
		{`local sp = process.with_context({}) raises("not allowed to spawn processes with custom security context", sp.with_actor, sp, security.new_actor("bob"))`,
			"process.security security", "process.context,security.actor.create"},
		{`local sp = process.with_context({}) raises("not allowed to spawn processes with custom security context", sp.with_scope, sp, security.new_scope())`,
			"process.security security", "process.context,security.scope.create"},
	} {
		var asked []string
		s := newSystem(t, &tokens{}, func(_ *engine.Process, action, resource string, meta map[string]any) bool {
			text := action + " " + resource
			for _, name := range []string{"actor", "token"} {
				if v, ok := meta[name]; ok {
					text += " " + name + "=" + v.(string)
				}
			}
			asked = append(asked, text)
			for prefix := range strings.SplitSeq(c.allowed, ",") {
				if prefix != "" && strings.HasPrefix(text, prefix) {
					return true
				}
			}
			return false
		})
		tools, _, _ := strings.Cut(prelude, "local alice")
		s.Check(t, tools+c.call)
		if len(asked) == 0 || asked[len(asked)-1] != c.asks {
			t.Errorf("%s: asked %q, want %q", c.call, asked, c.asks)
		}
	}
}
