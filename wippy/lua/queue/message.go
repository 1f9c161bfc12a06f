// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"maps"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/service/queue"
)

// message implements queue.message().
func (m *module) message(L *lua.LState) int {
	if f := access.Frame(engine.From(L)); f != nil {
		if d, ok := queue.Current.Get(f); ok {
			L.Push(m.messages.New(d))
			L.Push(lua.LNil)
			return 2
		}
	}
	return invalid(L, "no delivery found in context")
}

func check(L *lua.LState) *queue.Delivery {
	return engine.Check[*queue.Delivery](L, 1, "queue message")
}

func messageText(L *lua.LState) int {
	d, text := check(L), "queue.Message{released}"
	if d.Released() == nil {
		text = "queue.Message{id=" + d.Message.ID + "}"
	}
	L.Push(lua.LString(text))
	return 1
}

// messageID implements message:id().
func messageID(L *lua.LState) int {
	d := check(L)
	if err := d.Released(); err != nil {
		return engine.PushError(L, err)
	}
	L.Push(lua.LString(d.Message.ID))
	L.Push(lua.LNil)
	return 2
}

// header implements message:header(name).
func header(L *lua.LState) int {
	d, name := check(L), L.CheckString(2)
	if err := d.Released(); err != nil {
		return engine.PushError(L, err)
	}
	L.Push(engine.ToLua(d.Header(name)))
	L.Push(lua.LNil)
	return 2
}

// headers implements message:headers().
func headers(L *lua.LState) int {
	d := check(L)
	if err := d.Released(); err != nil {
		return engine.PushError(L, err)
	}
	all := d.Headers()
	t := engine.NewObject(len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.RawSetString(name, engine.ToLua(all[name]))
	}
	L.Push(t)
	L.Push(lua.LNil)
	return 2
}

// ack implements message:ack().
func ack(L *lua.LState) int {
	d := check(L)
	if d.Instant() {
		if err := d.Ack(context.Background()); err != nil {
			return engine.PushError(L, settleError(err))
		}
		return succeed(L)
	}
	return settle(L, d, (*queue.Delivery).Ack)
}

// nack implements message:nack(). It may have to wait for the dead-letter queue.
func nack(L *lua.LState) int { return settle(L, check(L), (*queue.Delivery).Nack) }

func settle(L *lua.LState, d *queue.Delivery, do func(d *queue.Delivery, ctx context.Context) error) int {
	return engine.Yield(L, &operation{func(ctx context.Context) (any, error) { return nil, do(d, ctx) }},
		func(_ *lua.LState, _ any, err error) []lua.LValue {
			if err != nil {
				return []lua.LValue{lua.LNil, engine.ErrorValue(settleError(err))}
			}
			return []lua.LValue{lua.LTrue, lua.LNil}
		})
}

// settleError keeps what the program did wrong apart from what the broker did.
func settleError(err error) error {
	if err == queue.ErrSettled || err == queue.ErrReleased { //nolint:errorlint // they are returned as they are
		return err
	}
	return engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
}
