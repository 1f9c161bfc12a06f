// SPDX-License-Identifier: Apache-2.0

package tty

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/subscription"
	"github.com/wippyrun/kit/wippy/service/terminal"
	"github.com/wippyrun/kit/wippy/service/terminal/keys"
)

// The commands of the module.
const (
	startID    dispatch.CommandID = 74
	stopID     dispatch.CommandID = 75
	sizeID     dispatch.CommandID = 76
	mouseOnID  dispatch.CommandID = 77
	mouseOffID dispatch.CommandID = 78
)

// topic is what events of the terminal are sent to.
const topic = "@tty/events"

var (
	errNoTerminal = engine.NewError(engine.KindUnavailable, "no terminal context")
	errNoInput    = engine.NewError(engine.KindUnavailable, "input controller unavailable")
)

// inputCommand asks something of the input of a terminal. deliver gets the events of a start.
type inputCommand struct {
	id      dispatch.CommandID
	input   *terminal.Input
	owner   relay.PID
	deliver func(keys.Event)
}

// CommandID identifies the command.
func (c *inputCommand) CommandID() dispatch.CommandID { return c.id }

// eventsKey is where a process keeps its subscription.
type eventsKey struct{}

// subscribed is the channel of a process that gets events. given tells whether the program has it. It is only touched
// while the process runs.
type subscribed struct {
	channel *engine.Channel
	given   bool
	owned   bool
}

func (m *module) buildInput(b *engine.Builder) {
	b.Func("start", m.start)
	b.Func("stop", func(L *lua.LState) int { return ask(L, stopID, done) })
	b.Func("events", m.events)
	b.Func("screen_size", func(L *lua.LState) int { return ask(L, sizeID, sized) })
	b.Func("mouse", func(L *lua.LState) int {
		if L.CheckBool(1) {
			return ask(L, mouseOnID, done)
		}
		return ask(L, mouseOffID, done)
	})
}

// current returns the input of the terminal of the process that runs L.
func current(L *lua.LState) (*terminal.Input, error) {
	t, _ := terminal.Key.Get(access.Frame(engine.From(L)))
	switch {
	case t == nil:
		return nil, errNoTerminal
	case t.Input == nil:
		return nil, errNoInput
	}
	return t.Input, nil
}

func ask(L *lua.LState, id dispatch.CommandID, resume engine.Resume) int {
	input, err := current(L)
	if err != nil {
		values := resume(L, nil, err)
		for _, v := range values {
			L.Push(v)
		}
		return len(values)
	}
	return engine.Yield(L, &inputCommand{id: id, input: input}, resume)
}

func done(_ *lua.LState, _ any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
	}
	return []lua.LValue{lua.LTrue, lua.LNil}
}

func sized(_ *lua.LState, data any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, lua.LNil, engine.ErrorValue(err)}
	}
	size := data.([2]int)
	return []lua.LValue{lua.LNumber(size[0]), lua.LNumber(size[1]), lua.LNil}
}

// start implements tty.start(). It subscribes first, so that no event is lost to a program that asks for the channel
// afterwards.
func (m *module) start(L *lua.LState) int {
	input, err := current(L)
	if err != nil {
		return engine.PushError(L, err)
	}
	p := engine.From(L)
	s, pid := eventsOf(p), p.PID()
	_ = s.open(p) // the program has taken the topic: it gets the events where it wants them
	if !s.owned {
		s.owned = true
		owned.Add(p, func() { _ = input.Release(pid) })
	}
	return engine.Yield(L, &inputCommand{id: startID, input: input, owner: pid, deliver: func(e keys.Event) {
		msg := relay.NewMessage(relay.PID{}, pid, topic, payload.Payload{Format: payload.Go, Data: fields(e)})
		if m.Send(msg) != nil {
			msg.Release() // the process is gone; so is its input, presently
		}
	}}, done)
}

// events implements tty.events().
func (m *module) events(L *lua.LState) int {
	if _, err := current(L); err != nil {
		return engine.PushError(L, err)
	}
	p := engine.From(L)
	s := eventsOf(p)
	if err := s.open(p); err != nil {
		return engine.PushError(L, err)
	}
	if s.given {
		return engine.PushError(L, engine.NewError(engine.KindAlreadyExists, "topic \""+topic+"\" already subscribed"))
	}
	s.given = true
	L.Push(s.channel.Value())
	return 1
}

// eventsOf returns what p knows about its events.
func eventsOf(p *engine.Process) *subscribed {
	s, _ := p.Local(eventsKey{}).(*subscribed)
	if s == nil {
		s = &subscribed{}
		p.SetLocal(eventsKey{}, s)
	}
	return s
}

// open subscribes unless there is a live channel.
func (s *subscribed) open(p *engine.Process) error {
	if s.channel != nil && !s.channel.Closed() {
		return nil
	}
	ch := p.NewChannel(subscription.Buffer)
	if err := p.Subscribe(topic, ch, engine.Raw); err != nil {
		return err
	}
	s.channel, s.given = ch, false
	return nil
}

// fields are what a program sees of an event.
func fields(e keys.Event) map[string]any {
	m := map[string]any{"type": e.Type}
	switch e.Type {
	case keys.Key:
		m["key"], m["key_type"], m["action"] = e.Key, e.KeyType, e.Action
	case keys.Mouse:
		m["action"], m["button"], m["x"], m["y"] = e.Action, e.Button, e.X, e.Y
	case keys.Start, keys.Resize:
		m["width"], m["height"] = e.Width, e.Height
	case keys.Focus:
		m["focused"] = e.Focused
	case keys.Paste:
		m["text"] = e.Text
	}
	if e.Type == keys.Key || e.Type == keys.Mouse {
		m["alt"], m["ctrl"], m["shift"] = e.Alt, e.Ctrl, e.Shift
	}
	return m
}

// Register adds the handlers of the module's commands. They are done when the handler returns, so that none comes to
// effect after the end of its process; the terminal host has a worker of its own.
func Register(d *dispatch.Registry) {
	handle := func(id dispatch.CommandID, do func(*inputCommand) (any, error)) {
		d.Register("tty", id, dispatch.HandlerFunc(func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			data, err := do(cmd.(*inputCommand))
			r.CompleteYield(tag, data, err)
			return nil
		}))
	}
	handle(startID, func(c *inputCommand) (any, error) { return nil, c.input.Start(c.owner, c.deliver) })
	handle(stopID, func(c *inputCommand) (any, error) { return nil, c.input.Stop() })
	handle(mouseOnID, func(c *inputCommand) (any, error) { return nil, c.input.Mouse(true) })
	handle(mouseOffID, func(c *inputCommand) (any, error) { return nil, c.input.Mouse(false) })
	handle(sizeID, func(c *inputCommand) (any, error) {
		w, h, err := c.input.Size()
		return [2]int{w, h}, err
	})
}
