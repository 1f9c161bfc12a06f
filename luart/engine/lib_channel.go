// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"
)

var channelMeta = newTable(0, 8)

var _ = fillClass(channelMeta, "Channel", map[string]lua.LGFunction{
	"close": func(L *lua.LState) int { CheckChannel(L, 1).Close(); return 0 },
	"case_send": func(L *lua.LState) int {
		L.Push(caseClass.New(&selectCase{ch: CheckChannel(L, 1), sends: true, value: L.Get(2)}))
		return 1
	},
	"case_receive": func(L *lua.LState) int {
		L.Push(caseClass.New(&selectCase{ch: CheckChannel(L, 1)}))
		return 1
	},
}, map[string]lua.LGFunction{
	"__tostring": func(L *lua.LState) int { L.Push(lua.LString("Channel{}")); return 1 },
}).trust(map[string]lua.LGFunction{
	"send": func(L *lua.LState) int {
		ch := CheckChannel(L, 1)
		return ch.Send(L, L.Get(2))
	},
	"receive": func(L *lua.LState) int { return CheckChannel(L, 1).Receive(L) },
})

var caseClass = newClass("channel.case", nil, nil)

// CheckChannel returns argument n, which must be a channel of the process.
func CheckChannel(L *lua.LState, n int) *Channel { return Check[*Channel](L, n, "channel") }

// buildChannel fills the global channel.
func buildChannel(b *Builder) {
	b.Func("new", func(L *lua.LState) int {
		L.Push(From(L).NewChannel(L.OptInt(1, 0)).Value())
		return 1
	})
	b.Func("select", channelSelect)
}

// globalSubscribe is subscribe(topic, ch).
func globalSubscribe(L *lua.LState) int {
	topic, ch := L.CheckString(1), CheckChannel(L, 2)
	switch {
	case topic == "":
		return PushError(L, NewError(KindInvalid, "topic cannot be empty"))
	case topic[0] == '@':
		return PushError(L, NewError(KindInvalid, "cannot listen to @ topics"))
	}
	if err := From(L).Subscribe(topic, ch, Raw); err != nil {
		return PushError(L, err)
	}
	L.Push(ch.Value())
	return 1
}

// globalUnsubscribe is unsubscribe(ch).
func globalUnsubscribe(L *lua.LState) int {
	if err := From(L).Unsubscribe(CheckChannel(L, 1)); err != nil {
		L.Push(lua.LFalse)
		L.Push(ErrorValue(err))
		return 2
	}
	L.Push(lua.LTrue)
	return 1
}
