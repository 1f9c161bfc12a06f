// SPDX-License-Identifier: Apache-2.0

package process

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

func (m *module) messages(b *engine.Builder) {
	b.Func("send", m.send)
	b.Func("inbox", inbox)
	b.Func("events", events)
	b.Func("listen", listen)
	b.Func("unlisten", unlisten)
}

// send implements process.send(dest, topic, ...).
func (m *module) send(L *lua.LState) int {
	top := L.GetTop()
	if top < 2 {
		return invalid(L, "send requires at least destination and topic arguments")
	}
	dest, topic := L.CheckString(1), L.CheckString(2)
	if strings.HasPrefix(topic, "@") {
		return invalid(L, "cannot send to @ topics")
	}
	p := engine.From(L)
	to, err := m.resolve(dest)
	if err != nil {
		return engine.PushError(L, err)
	}
	if !m.allowed(p, "process.send", to.String()) {
		return denied(L, "not allowed to send: "+to.String())
	}
	var msg *relay.Message
	if top == 3 {
		msg = relay.NewMessage(p.PID(), to, topic, payload.Payload{Format: payload.Lua, Data: engine.Copy(L.Get(3))})
	} else {
		msg = relay.NewMessage(p.PID(), to, topic, engine.Payloads(L, 3)...)
	}
	if out := p.Output(); out != nil {
		msg.Via = out
	}
	if err := m.Send(msg); err != nil {
		msg.Release()
		return engine.PushError(L, err)
	}
	L.Push(lua.LTrue)
	return 1
}

func inbox(L *lua.LState) int {
	L.Push(engine.From(L).Inbox().Value())
	return 1
}

func events(L *lua.LState) int {
	L.Push(engine.From(L).Events().Value())
	return 1
}

// listen implements process.listen(topic, options).
func listen(L *lua.LState) int {
	topic := L.CheckString(1)
	switch {
	case topic == "":
		return invalid(L, "topic cannot be empty")
	case strings.HasPrefix(topic, "@"):
		return invalid(L, "cannot listen to @ topics")
	}
	asMessage := lua.LVAsBool(L.OptTable(2, emptyTable).RawGetString("message"))
	L.Push(engine.From(L).Listen(topic, asMessage).Value())
	return 1
}

var emptyTable = &lua.LTable{Metatable: lua.LNil}

func unlisten(L *lua.LState) int {
	ch := engine.CheckChannel(L, 1)
	if err := engine.From(L).Unsubscribe(ch); err != nil {
		L.Push(lua.LFalse)
		L.Push(engine.ErrorValue(err))
		return 2
	}
	L.Push(lua.LTrue)
	return 1
}

func denied(L *lua.LState, message string) int {
	return engine.PushError(L, engine.NewError(engine.KindPermissionDenied, message))
}
