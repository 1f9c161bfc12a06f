// SPDX-License-Identifier: Apache-2.0

// Package io is the Lua module io: reading and writing the terminal.
//
// It works in processes that a terminal host started; elsewhere every function but args returns an error of
// kind Unavailable. Writing is immediate. Reading suspends the calling coroutine; read and readline share one
// buffer, so nothing that was typed or piped in is lost between them.
package io

import (
	"io"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/service/terminal"
)

var errNoTerminal = engine.NewError(engine.KindUnavailable, "no terminal context")

// Module returns the Lua module. Its reading calls need the handlers that [Register] adds.
func Module() engine.Module {
	return engine.Module{
		Name:    "io",
		Classes: []string{"io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			b.Func("write", write)
			b.Func("print", printLine(func(t *terminal.Context) io.Writer { return t.Stdout }))
			b.Func("eprint", printLine(func(t *terminal.Context) io.Writer { return t.Stderr }))
			b.Func("flush", flush)
			b.Func("args", args)
			b.Func("read", read)
			b.Func("readline", readLine)
			b.Func("raw", raw)
			return nil
		},
	}
}

// current returns the terminal of the process that runs L, nil when it has none.
func current(L *lua.LState) *terminal.Context {
	t, _ := terminal.Key.Get(access.Frame(engine.From(L)))
	return t
}

// join writes the text of all arguments to one string: a single write per call keeps the lines of several
// processes apart.
func join(L *lua.LState, separator, end string) string {
	var b strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		if i > 1 {
			b.WriteString(separator)
		}
		b.WriteString(L.ToStringMeta(L.Get(i)).String())
	}
	b.WriteString(end)
	return b.String()
}

func output(L *lua.LState, w io.Writer, text string) int {
	if _, err := io.WriteString(w, text); err != nil {
		return engine.PushError(L, engine.NewError(engine.KindInternal, err.Error()).WithCause(err))
	}
	L.Push(lua.LTrue)
	return 1
}

func write(L *lua.LState) int {
	t := current(L)
	if t == nil {
		return engine.PushError(L, errNoTerminal)
	}
	return output(L, t.Stdout, join(L, "", ""))
}

func printLine(to func(*terminal.Context) io.Writer) lua.LGFunction {
	return func(L *lua.LState) int {
		t := current(L)
		if t == nil {
			return engine.PushError(L, errNoTerminal)
		}
		return output(L, to(t), join(L, "\t", "\n"))
	}
}

func flush(L *lua.LState) int {
	t := current(L)
	if t == nil {
		return engine.PushError(L, errNoTerminal)
	}
	if f, ok := t.Stdout.(interface{ Flush() error }); ok {
		if err := f.Flush(); err != nil {
			return engine.PushError(L, engine.NewError(engine.KindInternal, err.Error()).WithCause(err))
		}
	}
	L.Push(lua.LTrue)
	return 1
}

func args(L *lua.LState) int {
	list := L.NewTable()
	if t := current(L); t != nil {
		for _, arg := range t.Args {
			list.Append(lua.LString(arg))
		}
	}
	L.Push(list)
	return 1
}
