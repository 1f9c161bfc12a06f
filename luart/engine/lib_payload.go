// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// payloadValue is a payload object of Lua.
type payloadValue struct {
	ud lua.LUserData
	payload.Payload
}

var payloadMeta = newTable(0, 8)

var _ = fillClass(payloadMeta, "Payload", map[string]lua.LGFunction{
	"get_format": func(L *lua.LState) int {
		L.Push(lua.LString(checkPayload(L).Format))
		return 1
	},
	"unmarshal": payloadData,
	"transcode": func(L *lua.LState) int {
		p := checkPayload(L)
		to := payload.Format(L.CheckString(2))
		if to == p.Format {
			L.Push(&p.ud)
			return 1
		}
		q, err := From(L).engine.transcoder.Transcode(p.Payload, to)
		if err != nil {
			return PushError(L, transcodeError(err))
		}
		L.Push(newPayload(q))
		return 1
	},
}, map[string]lua.LGFunction{
	"__tostring": func(L *lua.LState) int { L.Push(lua.LString(checkPayload(L).String())); return 1 },
}).trust(map[string]lua.LGFunction{
	"data": func(L *lua.LState) int {
		p := checkPayload(L)
		v, ok := p.Data.(lua.LValue)
		if !ok || p.Format != payload.Lua {
			return containedData(L)
		}
		L.Push(v)
		return 1
	},
})

var containedData = contain("Payload:data", payloadData)

func checkPayload(L *lua.LState) *payloadValue { return Check[*payloadValue](L, 1, "payload") }

func newPayload(p payload.Payload) *lua.LUserData {
	v := &payloadValue{Payload: p}
	v.init()
	return &v.ud
}

func (v *payloadValue) init() { v.ud = lua.LUserData{Value: v, Metatable: payloadMeta} }

// NewPayload returns the payload object of p.
func NewPayload(p payload.Payload) lua.LValue { return newPayload(p) }

// AsPayload returns the payload behind a payload object.
func AsPayload(v lua.LValue) (payload.Payload, bool) {
	if ud, ok := v.(*lua.LUserData); ok {
		if p, ok := ud.Value.(*payloadValue); ok {
			return p.Payload, true
		}
	}
	return payload.Payload{}, false
}

// lua returns the value of a Lua payload, nil for other formats.
func (v *payloadValue) lua() lua.LValue {
	if l, ok := v.Data.(lua.LValue); ok && v.Format == payload.Lua {
		return l
	}
	return lua.LNil
}

func payloadData(L *lua.LState) int {
	p := checkPayload(L)
	if p.Format == payload.Error {
		return PushError(L, transcodeError(&payload.TranscodeError{From: p.Format, To: payload.Lua, Cause: payload.ErrNoPath}))
	}
	v, err := From(L).engine.FromPayload(p.Payload)
	if err != nil {
		return PushError(L, transcodeError(err))
	}
	L.Push(v)
	return 1
}

// transcodeError gives an error of the transcoder the message programs know.
func transcodeError(err error) error {
	t, ok := err.(*payload.TranscodeError)
	if !ok {
		return err
	}
	e := WrapError(t)
	if t.Cause != payload.ErrNoPath {
		c := *e
		c.message = "error transcoding payload"
		return &c
	}
	return e
}

// buildPayload fills the global payload.
func buildPayload(b *Builder) {
	f := b.Table("format")
	for name, format := range map[string]payload.Format{
		"JSON": payload.JSON, "YAML": payload.YAML, "STRING": payload.String, "BYTES": payload.Bytes,
		"MSGPACK": payload.Msgpack, "LUA": payload.Lua, "GOLANG": payload.Go, "ERROR": payload.Error,
	} {
		f.Value(name, lua.LString(format))
	}
	b.Func("new", func(L *lua.LState) int {
		v := L.Get(1)
		if err, ok := AsError(v); ok {
			L.Push(newPayload(payload.Payload{Format: payload.Error, Data: err}))
		} else {
			L.Push(newPayload(payload.Payload{Format: payload.Lua, Data: v}))
		}
		return 1
	})
}

// messageValue is a Message object. The payload object of a message with one
// payload, the usual case, is part of it: body is an object only then.
type messageValue struct {
	ud    lua.LUserData
	body  payloadValue
	topic string
	from  string
}

// payloadList is the data of body when there are several payloads.
type payloadList []payload.Payload

var messageMeta = newTable(0, 8)

var _ = fillClass(messageMeta, "process.Message", map[string]lua.LGFunction{}, map[string]lua.LGFunction{
	"__tostring": func(L *lua.LState) int {
		L.Push(lua.LString("process.Message{topic=" + checkMessage(L).topic + "}"))
		return 1
	},
}).trust(map[string]lua.LGFunction{
	"topic": func(L *lua.LState) int { L.Push(lua.LString(checkMessage(L).topic)); return 1 },
	"from":  func(L *lua.LState) int { L.Push(lua.LString(checkMessage(L).from)); return 1 },
	"payload": func(L *lua.LState) int {
		m := checkMessage(L)
		if m.body.ud.Value != nil {
			L.Push(&m.body.ud)
			return 1
		}
		list, ok := m.body.Data.(payloadList)
		if !ok {
			L.Push(lua.LNil)
			return 1
		}
		t := newTable(len(list), 0)
		for i, p := range list {
			t.RawSetInt(i+1, newPayload(p))
		}
		L.Push(t)
		return 1
	},
})

func checkMessage(L *lua.LState) *messageValue {
	return Check[*messageValue](L, 1, "message")
}

// newMessage makes the Message object of m and releases m.
func newMessage(m *relay.Message) lua.LValue {
	v := &messageValue{topic: m.Topic, from: m.From.String()}
	v.ud = lua.LUserData{Value: v, Metatable: messageMeta}
	switch len(m.Payloads) {
	case 0:
	case 1:
		v.body.Payload = m.Payloads[0]
		v.body.init()
	default:
		v.body.Data = append(payloadList(nil), m.Payloads...)
	}
	m.Release()
	return &v.ud
}
