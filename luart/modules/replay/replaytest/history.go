// SPDX-License-Identifier: Apache-2.0

// Package replaytest is a host that keeps the history of a program, as small as it can be, for the tests of modules
// that are made with a recorder.
package replaytest

import (
	"context"
	"errors"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// History holds the values that a program was given, in order. Its zero value is empty.
type History struct {
	Values [][]byte
	// Err, when set, is the outcome of every command.
	Err error
	// Other makes all processes ones whose history is not kept.
	Other bool
	next  int
}

// effect is the command of a value.
type effect struct{ produce func() ([]byte, error) }

func (effect) CommandID() dispatch.CommandID { return 201 }

// Record is a replay.Recorder.
func (h *History) Record(_ *engine.Process, produce func() ([]byte, error)) dispatch.Command {
	if h.Other {
		return nil
	}
	return effect{produce}
}

// outcome makes the next value, or repeats it.
func (h *History) outcome(c effect) (any, error) {
	if h.Err != nil {
		return nil, h.Err
	}
	h.next++
	if h.next <= len(h.Values) {
		return h.Values[h.next-1], nil
	}
	v, err := c.produce()
	if err != nil {
		return nil, err
	}
	h.Values = append(h.Values, v)
	return v, nil
}

// Run runs a function body from the beginning of the history, in a process that may use the module under its name,
// and returns its result.
func (h *History) Run(tb testing.TB, m engine.Module, body string) (lua.LValue, error) {
	tb.Helper()
	h.next = 0
	e := engine.New()
	if err := e.Register(m); err != nil {
		tb.Fatal(err)
	}
	e.Seal()
	program, err := e.Link(engine.ProgramSpec{
		ID: "app:test", Modules: []string{m.Name},
		Source: "local " + m.Name + ` = require("` + m.Name + `") return function() ` + body + "\nend",
	})
	if err != nil {
		tb.Fatal(err)
	}
	p := e.NewProcess(engine.ProcessOptions{Program: program})
	if err := p.Init(context.Background(), "", nil); err != nil {
		return nil, err
	}
	defer p.Close()
	var out scheduler.Output
	var events []scheduler.Event
	for {
		out.Reset()
		if err := p.Step(events, &out); err != nil {
			return nil, err
		}
		if out.Status() == scheduler.StatusDone {
			return out.Result().(payload.Payload).Data.(lua.LValue), nil
		}
		events = nil
		for _, y := range out.Yields() {
			data, err := h.outcome(y.Command.(effect))
			events = append(events, scheduler.Event{Kind: scheduler.YieldComplete, Tag: y.Tag, Data: data, Err: err})
		}
		if events == nil {
			return nil, errors.New("replaytest: the program waits for something else")
		}
	}
}
