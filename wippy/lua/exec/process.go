// SPDX-License-Identifier: Apache-2.0

package exec

import (
	"context"
	"errors"
	"syscall"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/service/exec"
)

// The commands of the module.
const (
	waitID  dispatch.CommandID = 150
	writeID dispatch.CommandID = 151
)

var (
	errClosed     = invalid("process is closed")
	errNotStarted = invalid("process not started: call start() first")
)

// process is the value behind Process objects. Only its Lua process touches it.
type process struct {
	command        *exec.Process
	closed         bool // closed or waited for
	release        func() bool
	books          *books
	stdout, stderr lua.LValue // once they were asked for
}

// books are the processes that a Lua process has to end.
type books struct {
	open  map[*process]struct{}
	sweep int // when there are so many, those that are closed and have ended go
}

// booksKey is where a Lua process keeps them.
type booksKey struct{}

// sweepFrom is where looking for them begins to be worth it.
const sweepFrom = 16

// newProcess makes a process that ends with p. Those that were closed and have ended leave the books then, so that a process that lives long can run any number of commands.
func newProcess(p *engine.Process, command *exec.Process) *process {
	b, _ := p.Local(booksKey{}).(*books)
	if b == nil {
		b = &books{open: map[*process]struct{}{}, sweep: sweepFrom}
		p.SetLocal(booksKey{}, b)
	}
	if len(b.open) >= b.sweep {
		for x := range b.open {
			if x.closed {
				x.forget()
			}
		}
		b.sweep = max(sweepFrom, 2*len(b.open))
	}
	x := &process{command: command, books: b}
	x.release = owned.Add(p, command.End)
	b.open[x] = struct{}{}
	return x
}

// forget takes a process of which nothing is left out of the books. Its streams stay.
func (x *process) forget() {
	if !x.command.Ended() || !x.release() {
		return
	}
	delete(x.books.open, x)
	if !x.command.Started() {
		x.command.End()
	}
}

func (m *module) methods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"start":         open(start),
		"wait":          open(wait),
		"signal":        open(signal),
		"write_stdin":   open(writeStdin),
		"stdout_stream": open(m.stream(func(x *process) *lua.LValue { return &x.stdout }, (*exec.Process).Stdout, "stdout not available")),
		"stderr_stream": open(m.stream(func(x *process) *lua.LValue { return &x.stderr }, (*exec.Process).Stderr, "stderr not available")),
		"close":         shut,
	}
}

func checkProcess(L *lua.LState) *process { return engine.Check[*process](L, 1, "process") }

// open is a method for processes that are not closed.
func open(method func(L *lua.LState, x *process) int) lua.LGFunction {
	return func(L *lua.LState) int {
		x := checkProcess(L)
		if x.closed {
			return engine.PushError(L, errClosed)
		}
		return method(L, x)
	}
}

func start(L *lua.LState, x *process) int {
	err := x.command.Start()
	switch {
	case errors.Is(err, exec.ErrStarted):
		return engine.PushError(L, exec.ErrStarted)
	case err != nil:
		return engine.PushError(L, internal(err))
	}
	return done(L, lua.LTrue)
}

// signal implements process:signal(n).
func signal(L *lua.LState, x *process) int {
	n := L.CheckInt(2)
	if !x.command.Started() {
		return engine.PushError(L, errNotStarted)
	}
	if err := x.command.Signal(syscall.Signal(n)); err != nil {
		return engine.PushError(L, internal(err))
	}
	return done(L, lua.LTrue)
}

// shut implements process:close(force?).
func shut(L *lua.LState) int {
	x := checkProcess(L)
	x.closed = true
	x.command.Kill(lua.LVAsBool(L.Get(2)))
	x.command.Discard()
	x.forget()
	return done(L, lua.LTrue)
}

// stream implements process:stdout_stream() and process:stderr_stream().
func (m *module) stream(slot func(*process) *lua.LValue, take func(*exec.Process) (exec.Output, error), missing string) func(*lua.LState, *process) int {
	return func(L *lua.LState, x *process) int {
		s := slot(x)
		if *s == nil {
			out, err := take(x.command)
			switch {
			case errors.Is(err, exec.ErrTooMany):
				return engine.PushError(L, internal(err))
			case err != nil:
				return engine.PushError(L, engine.NewError(engine.KindInternal, missing).WithCause(err))
			}
			*s = m.streams.New(engine.From(L), out, -1)
		}
		return done(L, *s)
	}
}

// waitCommand waits for the end of a process.
type waitCommand struct{ command *exec.Process }

// CommandID identifies the command.
func (*waitCommand) CommandID() dispatch.CommandID { return waitID }

// wait implements process:wait().
func wait(L *lua.LState, x *process) int {
	if !x.command.Started() {
		return engine.PushError(L, errNotStarted)
	}
	return engine.Yield(L, &waitCommand{x.command}, func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LNil, engine.ErrorValue(internal(err))}
		}
		x.closed = true
		x.command.Discard()
		x.forget()
		return []lua.LValue{lua.LNumber(data.(int)), lua.LNil}
	})
}

// writeCommand writes to the standard input of a process, or closes it when there is no data.
type writeCommand struct {
	command *exec.Process
	data    string
}

// CommandID identifies the command.
func (*writeCommand) CommandID() dispatch.CommandID { return writeID }

// writeStdin implements process:write_stdin(data).
func writeStdin(L *lua.LState, x *process) int {
	data := L.CheckString(2)
	if !x.command.Started() {
		return engine.PushError(L, errNotStarted)
	}
	return engine.Yield(L, &writeCommand{x.command, data}, func(_ *lua.LState, _ any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LNil, engine.ErrorValue(internal(err))}
		}
		return []lua.LValue{lua.LTrue, lua.LNil}
	})
}

// Register adds the handlers of the module's commands. Neither blocks.
func Register(d *dispatch.Registry) {
	d.Register("exec", waitID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			return cmd.(*waitCommand).command.OnExit(func(code int) { r.CompleteYield(tag, code, nil) })
		}))
	d.Register("exec", writeID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			c := cmd.(*writeCommand)
			c.command.Write([]byte(c.data), func(err error) { r.CompleteYield(tag, nil, err) })
			return nil
		}))
}
