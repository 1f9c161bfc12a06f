// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/security"
)

// The commands of token stores.
const (
	validateID dispatch.CommandID = 130
	createID   dispatch.CommandID = 131
	revokeID   dispatch.CommandID = 132
)

// command is an operation of a token store.
type command struct {
	id     dispatch.CommandID
	run    func(ctx context.Context) (any, error)
	cancel context.CancelFunc // set by the handler
}

// CommandID identifies the command.
func (c *command) CommandID() dispatch.CommandID { return c.id }

// Cancel ends the operation because its process has ended. It implements dispatch.Canceler.
func (c *command) Cancel() { c.cancel() }

// Register adds the handlers of the module's commands. An operation occupies a goroutine: the key-value store behind it
// may wait for a server.
func Register(d *dispatch.Registry) {
	for _, id := range []dispatch.CommandID{validateID, createID, revokeID} {
		d.Register("security", id, dispatch.HandlerFunc(
			func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
				c := cmd.(*command)
				ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
				go func() {
					defer c.cancel()
					result, err := c.run(ctx)
					r.CompleteYield(tag, result, err)
				}()
				return nil
			}))
	}
}

// store is the value behind TokenStore objects.
type store struct {
	id     string
	tokens security.TokenStore
	closed bool
}

// tokenStore implements security.token_store(id).
func (m *module) tokenStore(L *lua.LState) int {
	id := L.CheckString(1)
	if id == "" {
		return failed(L, engine.KindInvalid, "token store id is required")
	}
	if !m.Allow.Allowed(engine.From(L), "security.token_store.get", id) {
		L.RaiseError("not allowed to access token store: %s", id)
	}
	tokens, err := m.Tokens.TokenStore(id)
	if err != nil {
		return failed(L, engine.KindInternal, err.Error())
	}
	L.Push(m.stores.New(&store{id: id, tokens: tokens}))
	L.Push(lua.LNil)
	return 2
}

func checkStore(L *lua.LState) *store { return engine.Check[*store](L, 1, "TokenStore") }

func (m *module) storeMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{"create": m.create, "validate": m.validate, "revoke": m.revoke, "close": closeStore}
}

// closeStore implements store:close(): the object cannot be used any more, the token store can.
func closeStore(L *lua.LState) int {
	checkStore(L).closed = true
	L.Push(lua.LTrue)
	return 1
}

// permit says why the program may not do something with the store; nil when it may.
func (m *module) permit(L *lua.LState, s *store, verb string, meta map[string]any) error {
	if s.closed {
		return engine.NewError(engine.KindInternal, "token store is closed")
	}
	if !m.Allow.AllowedWith(engine.From(L), "security.token."+verb, s.id, meta) {
		return engine.NewError(engine.KindInvalid, "not allowed to "+verb+" token")
	}
	return nil
}

// internal is the error of a failed operation: the message tells what went wrong.
func internal(err error) lua.LValue {
	return engine.ErrorValue(engine.NewError(engine.KindInternal, err.Error()).WithCause(err))
}

// create implements store:create(actor, scope, options).
func (m *module) create(L *lua.LState) int {
	s, actor, scope := checkStore(L), access.CheckActor(L, 2), access.CheckScope(L, 3)
	options, err := tokenOptions(L.OptTable(4, nil))
	if err != nil {
		return engine.PushError(L, err)
	}
	if err := m.permit(L, s, "create", map[string]any{"actor": actor.ID}); err != nil {
		return engine.PushError(L, err)
	}
	return engine.Yield(L, &command{id: createID, run: func(ctx context.Context) (any, error) {
		return s.tokens.Create(ctx, actor, scope, options)
	}}, func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LNil, internal(err)}
		}
		return []lua.LValue{lua.LString(data.(string)), lua.LNil}
	})
}

// tokenOptions reads the options of create. An expiration is a duration, or a number of milliseconds.
func tokenOptions(t *lua.LTable) (o security.TokenOptions, err error) {
	if t == nil {
		return o, nil
	}
	t = engine.Unwrap(t)
	bad := engine.NewError(engine.KindInvalid, "invalid expiration format")
	switch v := t.RawGetString("expiration").(type) {
	case *lua.LNilType:
	case lua.LString:
		d, err := time.ParseDuration(string(v))
		if err != nil || d < 0 {
			return o, bad
		}
		o.Expiration = d
	case lua.LNumber:
		if !(v >= 0 && float64(v) < math.MaxInt64/float64(time.Millisecond)) {
			return o, bad
		}
		o.Expiration = time.Duration(float64(v) * float64(time.Millisecond))
	default:
		return o, bad
	}
	if meta, ok := t.RawGetString("meta").(*lua.LTable); ok {
		o.Meta = named(meta)
	}
	return o, nil
}

// identity is what a valid token stands for.
type identity struct {
	actor *security.Actor
	scope *security.Scope
}

// validate implements store:validate(token).
func (m *module) validate(L *lua.LState) int {
	s, token := checkStore(L), L.CheckString(2)
	if err := m.permit(L, s, "validate", map[string]any{"token": token}); err != nil {
		L.Push(lua.LNil)
		return 1 + engine.PushError(L, err)
	}
	return engine.Yield(L, &command{id: validateID, run: func(ctx context.Context) (any, error) {
		actor, scope, err := s.tokens.Validate(ctx, token)
		return identity{actor, scope}, err
	}}, func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LNil, lua.LNil, internal(err)}
		}
		who := data.(identity)
		return []lua.LValue{m.actors.New(who.actor), m.scopes.New(who.scope), lua.LNil}
	})
}

// revoke implements store:revoke(token).
func (m *module) revoke(L *lua.LState) int {
	s, token := checkStore(L), L.CheckString(2)
	if err := m.permit(L, s, "revoke", map[string]any{"token": token}); err != nil {
		return engine.PushError(L, err)
	}
	return engine.Yield(L, &command{id: revokeID, run: func(ctx context.Context) (any, error) {
		return nil, s.tokens.Revoke(ctx, token)
	}}, func(_ *lua.LState, _ any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LNil, internal(err)}
		}
		return []lua.LValue{lua.LTrue, lua.LNil}
	})
}
