// SPDX-License-Identifier: Apache-2.0

package io

import (
	"context"
	"errors"
	"io"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/service/terminal"
)

// The commands of the module.
const (
	readID     dispatch.CommandID = 70
	readLineID dispatch.CommandID = 71
	rawOnID    dispatch.CommandID = 72
	rawOffID   dispatch.CommandID = 73
)

// terminalCommand asks something of a terminal. limit is how many bytes a read may return.
type terminalCommand struct {
	id       dispatch.CommandID
	terminal *terminal.Context
	limit    int
}

// CommandID identifies the command.
func (c *terminalCommand) CommandID() dispatch.CommandID { return c.id }

const defaultRead = 1024

func read(L *lua.LState) int {
	limit := L.OptInt(1, defaultRead)
	if limit <= 0 {
		limit = defaultRead
	}
	return ask(L, readID, limit)
}

func readLine(L *lua.LState) int { return ask(L, readLineID, 0) }

func raw(L *lua.LState) int {
	if L.OptBool(1, true) {
		return ask(L, rawOnID, 0)
	}
	return ask(L, rawOffID, 0)
}

func ask(L *lua.LState, id dispatch.CommandID, limit int) int {
	t := current(L)
	if t == nil {
		return engine.PushError(L, errNoTerminal)
	}
	return engine.Yield(L, &terminalCommand{id: id, terminal: t, limit: limit}, answered)
}

func answered(_ *lua.LState, data any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
	}
	if text, ok := data.(string); ok {
		return []lua.LValue{lua.LString(text)}
	}
	return []lua.LValue{lua.LTrue}
}

// Register adds the handlers of the module's commands. A read waits on a goroutine of its own, one at a time:
// the terminal has one input.
func Register(d *dispatch.Registry) {
	reader := func(read func(*terminalCommand) (string, error)) dispatch.HandlerFunc {
		return func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			go func() {
				c := cmd.(*terminalCommand)
				c.terminal.Turn.Take(nil)
				text, err := read(c)
				c.terminal.Turn.Leave()
				r.CompleteYield(tag, text, err)
			}()
			return nil
		}
	}
	d.Register("io", readID, reader(readSome))
	d.Register("io", readLineID, reader(readToNewline))
	d.Register("io", rawOnID, rawHandler((*terminal.RawMode).Enable))
	d.Register("io", rawOffID, rawHandler((*terminal.RawMode).Disable))
}

// readSome returns what is there, up to the limit; it waits only for the first byte.
func readSome(c *terminalCommand) (string, error) {
	buf := make([]byte, c.limit)
	n, err := c.terminal.Stdin.Read(buf)
	if n > 0 {
		return string(buf[:n]), nil
	}
	return "", err
}

// readToNewline returns a line without its end. The last line may lack one.
func readToNewline(c *terminalCommand) (string, error) {
	line, err := c.terminal.Stdin.ReadString('\n')
	if err != nil && (line == "" || !errors.Is(err, io.EOF)) {
		return "", err
	}
	line = strings.TrimSuffix(line, "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

func rawHandler(change func(*terminal.RawMode) error) dispatch.HandlerFunc {
	return func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
		mode := cmd.(*terminalCommand).terminal.Raw
		if mode == nil {
			return engine.NewError(engine.KindUnavailable, "raw terminal control unavailable")
		}
		r.CompleteYield(tag, nil, change(mode))
		return nil
	}
}
