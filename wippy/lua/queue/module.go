// SPDX-License-Identifier: Apache-2.0

// Package queue is the Lua module queue: publishing messages, and the message that a
// function handles.
//
// Publishing copies the data; it suspends the calling coroutine only while the queue is
// full or its driver has to wait for a disk or a broker. A message object is valid until
// the function that a consumer called has returned.
package queue

import (
	"context"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/background"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// module gives the functions what they work with and the class of messages.
type module struct {
	queues   *queue.Queues
	allow    access.Check
	messages *engine.Class
}

// Module returns the Lua module. What has to wait needs the handler that [Register] adds.
// allow may be nil.
func Module(queues *queue.Queues, allow access.Check) engine.Module {
	m := &module{queues: queues, allow: allow}
	return engine.Module{
		Name:    "queue",
		Classes: []string{"io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m.messages = b.Type("Message", map[string]lua.LGFunction{
				"id": messageID, "header": header, "headers": headers, "ack": ack, "nack": nack,
			}, map[string]lua.LGFunction{"__tostring": messageText})
			b.Func("publish", m.publish)
			b.Func("message", m.message)
			b.Func("info", m.info)
			return nil
		},
	}
}

// operationID is the command that runs what has to wait.
const operationID dispatch.CommandID = 170

// operation is one of them; its outcome is what run returns.
type operation struct {
	run func(ctx context.Context) (any, error)
}

// CommandID identifies the command.
func (*operation) CommandID() dispatch.CommandID { return operationID }

// Register adds the handler of the module's command. An operation runs on a goroutine of
// its own, with the context of the process.
func Register(d *dispatch.Registry) {
	d.Register("queue", operationID, dispatch.HandlerFunc(
		func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			background.Complete(r, tag, func() (any, error) { return cmd.(*operation).run(ctx) })
			return nil
		}))
}

func invalid(L *lua.LState, text string) int {
	return engine.PushError(L, engine.NewError(engine.KindInvalid, text))
}

// broken is the error of a queue or its driver: of kind Internal, with the text it has;
// only that something is not available for now is passed on as that.
func broken(err error) error {
	if again, _ := fault.RetryableOf(err); again && fault.KindOf(err) == fault.Unavailable {
		return err
	}
	return engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
}

// queueID reads argument 1. ok is false when there is none: the call has pushed n results.
func queueID(L *lua.LState) (id string, n int, ok bool) {
	if L.Get(1) == lua.LNil || L.Get(1) == lua.LString("") {
		return "", invalid(L, "queue ID required"), false
	}
	return L.CheckString(1), 0, true
}

// publish implements queue.publish(id, data, headers).
func (m *module) publish(L *lua.LState) int {
	p := engine.From(L)
	if !m.allow.Allowed(p, "queue.publish", "") {
		return invalid(L, "queue publishing not allowed")
	}
	id, n, ok := queueID(L)
	if !ok {
		return n
	}
	if !m.allow.Allowed(p, "queue.publish.queue", id) {
		return invalid(L, "not allowed to publish to queue: "+id)
	}
	data := L.Get(2)
	if data == lua.LNil {
		return invalid(L, "message data required")
	}
	if t, ok := data.(*lua.LTable); ok {
		if k, _ := engine.Unwrap(t).Next(lua.LNil); k == lua.LNil {
			return invalid(L, "message data cannot be empty")
		}
	}
	body, ok := bodyOf(data)
	if !ok {
		return invalid(L, "message data must be plain data, got a "+data.Type().String())
	}
	message := queue.NewMessage(body, headersOf(L.Get(3)))
	done, err := m.queues.TryPublish(id, message)
	if !done {
		return engine.Yield(L, &operation{func(ctx context.Context) (any, error) {
			return nil, m.queues.Publish(ctx, id, message)
		}}, published)
	}
	if err != nil {
		return engine.PushError(L, broken(err))
	}
	return succeed(L)
}

func succeed(L *lua.LState) int {
	L.Push(lua.LTrue)
	L.Push(lua.LNil)
	return 2
}

func published(_ *lua.LState, _ any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(broken(err))}
	}
	return []lua.LValue{lua.LTrue, lua.LNil}
}

// bodyOf copies the data of a message; false for what cannot be one.
func bodyOf(v lua.LValue) (payload.Payload, bool) {
	if p, ok := engine.AsPayload(v); ok {
		if l, isLua := p.Data.(lua.LValue); isLua {
			p.Data = engine.Copy(l)
		}
		return p, true
	}
	copied := engine.Copy(v)
	return payload.Payload{Format: payload.Lua, Data: copied}, copied != lua.LNil
}

// headersOf reads a table of headers; anything else is none. What is no text, number or
// boolean becomes nil.
func headersOf(v lua.LValue) map[string]any {
	t, ok := v.(*lua.LTable)
	if !ok {
		return nil
	}
	all := map[string]any{}
	engine.Unwrap(t).ForEach(func(k, v lua.LValue) {
		name, ok := k.(lua.LString)
		if !ok {
			return
		}
		switch v := v.(type) {
		case lua.LString:
			all[string(name)] = string(v)
		case lua.LBool:
			all[string(name)] = bool(v)
		case lua.LNumber:
			all[string(name)] = number(float64(v))
		default:
			all[string(name)] = nil
		}
	})
	return all
}

// number is an integer where it can be one without loss.
func number(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return int64(f)
	}
	return f
}

// info implements queue.info(id).
func (m *module) info(L *lua.LState) int {
	id, n, ok := queueID(L)
	if !ok {
		return n
	}
	i, done, err := m.queues.TryInfo(id)
	if !done {
		return engine.Yield(L, &operation{func(ctx context.Context) (any, error) { return m.queues.Info(ctx, id) }},
			func(_ *lua.LState, data any, err error) []lua.LValue {
				if err != nil {
					return []lua.LValue{lua.LNil, engine.ErrorValue(broken(err))}
				}
				return []lua.LValue{infoTable(data.(queue.Info)), lua.LNil}
			})
	}
	if err != nil {
		return engine.PushError(L, broken(err))
	}
	L.Push(infoTable(i))
	L.Push(lua.LNil)
	return 2
}

func infoTable(i queue.Info) *lua.LTable {
	t := engine.NewObject(4)
	for name, n := range map[string]int{"message_count": i.Messages, "ready": i.Ready, "consumer_count": i.Consumers, "in_flight": i.InFlight} {
		if n >= 0 {
			t.RawSetString(name, lua.LNumber(n))
		}
	}
	return t
}
