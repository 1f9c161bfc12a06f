// SPDX-License-Identifier: Apache-2.0

package process

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/topology"
)

const (
	eventCancel   = topology.KindCancel
	eventExit     = topology.KindExit
	eventLinkDown = topology.KindLinkDown
	eventOutdated = topology.KindOutdated
)

// Control handles a control event before it is delivered. It reports whether the program gets to see the event;
// an error is what the process fails with. The event's value becomes the table that programs read.
func Control(p *engine.Process, m *relay.Message) (deliver bool, err error) {
	event := topology.EventOf(m)
	if event == nil {
		return true, nil
	}
	if event.Kind == eventLinkDown && !optionsOf(p).trapLinks {
		return false, linkedFailed(event)
	}
	if event.Kind == eventOutdated {
		return outdated(p, m, event.Sources), nil
	}
	m.Payloads[0] = payload.Payload{Format: payload.Lua, Data: eventTable(event)}
	return true, nil
}

// linkedFailed is what a process fails with because of another one: the details tell which, and why.
func linkedFailed(event *topology.Event) error {
	err := topology.ErrLinkedFailed.With("linked", event.From.String())
	if r := event.Result; r != nil && r.Err != nil {
		err = err.With("reason", r.Err.Error())
	}
	return err
}

// eventTable makes the table of an event. Each receiver gets one of its own.
func eventTable(event *topology.Event) *lua.LTable {
	t := newTable(0, 4)
	t.RawSetString("kind", lua.LString(event.Kind))
	t.RawSetString("from", lua.LString(event.From.String()))
	t.RawSetString("at", lua.LNumber(event.At.Unix()))
	if event.Kind == eventCancel {
		t.RawSetString("reason", lua.LString(event.Reason))
		return t
	}
	result := newTable(0, 2)
	if r := event.Result; r != nil {
		if r.Err != nil {
			result.RawSetString("error", engine.ErrorValue(r.Err))
		} else if r.Value.Format != "" {
			result.RawSetString("value", value(duplicate(r.Value))) // others may watch the same process
		}
	}
	t.RawSetString("result", result)
	return t
}

// maker only makes tables: CreateTable is a method of a state but does not use it.
var maker *lua.LState

func newTable(items, members int) *lua.LTable { return maker.CreateTable(items, members) }
