// SPDX-License-Identifier: Apache-2.0

// Package moduletest runs Lua programs for the tests and benchmarks of the modules: real processes of a real
// engine, driven by hand, without a scheduler.
package moduletest

import (
	"context"
	"errors"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
)

// Bench is an engine with the modules under test.
type Bench struct {
	Engine *engine.Engine
	tb     testing.TB
}

// New makes an engine with the modules. Programs may use all of them.
func New(tb testing.TB, modules ...engine.Module) *Bench {
	tb.Helper()
	e := engine.New()
	for _, m := range modules {
		if err := e.Register(m); err != nil {
			tb.Fatal(err)
		}
	}
	e.Seal()
	return &Bench{Engine: e, tb: tb}
}

// Link makes a program whose method is a function with the given body. Each module is a local of its own name.
func (b *Bench) Link(body string) *engine.Program {
	b.tb.Helper()
	names, source := b.Engine.Modules(), ""
	for _, name := range names {
		source += "local " + name + ` = require("` + name + `") `
	}
	program, err := b.Engine.Link(engine.ProgramSpec{ID: "app:test", Source: source + "return function(...) " + body + "\nend", Modules: names})
	if err != nil {
		b.tb.Fatal(err)
	}
	return program
}

// Run runs the body of a function to its end. Go values given as arguments are found in "...".
func (b *Bench) Run(body string, args ...any) (lua.LValue, error) {
	b.tb.Helper()
	return b.Exec(b.Link(body), Input(args...))
}

// Input makes the input of Exec of Go values.
func Input(args ...any) []payload.Payload {
	input := make([]payload.Payload, len(args))
	for i, arg := range args {
		input[i] = payload.New(arg)
	}
	return input
}

// Exec runs a linked program. It fails when the program waits for something: nothing here would ever arrive.
func (b *Bench) Exec(program *engine.Program, input any) (lua.LValue, error) {
	return b.ExecIn(context.Background(), program, input)
}

// ExecIn is Exec in a context, which ends the program when it does.
func (b *Bench) ExecIn(ctx context.Context, program *engine.Program, input any) (lua.LValue, error) {
	p := b.Engine.NewProcess(engine.ProcessOptions{Program: program})
	if err := p.Init(ctx, "", input); err != nil {
		return nil, err
	}
	defer p.Close()
	var out scheduler.Output
	for {
		out.Reset()
		if err := p.Step(nil, &out); err != nil {
			return nil, err
		}
		switch out.Status() {
		case scheduler.StatusDone:
			return out.Result().(payload.Payload).Data.(lua.LValue), nil
		case scheduler.StatusContinue:
		default:
			return nil, errors.New("moduletest: the program waits")
		}
	}
}

// Check runs the body, which asserts what it expects, and fails the test with its error.
func (b *Bench) Check(tb testing.TB, body string, args ...any) {
	tb.Helper()
	_, err := b.Run(body, args...)
	if e, ok := errors.AsType[*engine.Error](err); ok {
		tb.Errorf("%s\n%s", e.Stack(), body)
	} else if err != nil {
		tb.Errorf("%v\n%s", err, body)
	}
}

// Failure is a call that fails in the usual way: a first result and an error object.
type Failure struct {
	Name string // the call itself when empty
	// Call is an expression.
	Call string
	// First is the text of the first result, "nil" when empty.
	First string
	// Kind is the error's kind and Text a part of its message.
	Kind, Text string
}

// CheckFailures runs one test per call.
func (b *Bench) CheckFailures(t *testing.T, failures []Failure) {
	t.Helper()
	for _, f := range failures {
		name, first := f.Name, f.First
		if name == "" {
			name = f.Call
		}
		if first == "" {
			first = "nil"
		}
		t.Run(name, func(t *testing.T) {
			t.Helper()
			b.Check(t, `
				local first, kind, text = ...
				local v, err = `+f.Call+`
				assert(tostring(v) == first, "first result is " .. tostring(v))
				assert(err, "no error")
				assert(err:kind() == kind, "kind " .. err:kind() .. ": " .. err:message())
				assert(string.find(err:message(), text, 1, true), err:message())
				assert(err:retryable() == false, "retryable")`, first, f.Kind, f.Text)
		})
	}
}
