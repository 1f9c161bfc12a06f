// SPDX-License-Identifier: Apache-2.0

// Package tty is the Lua module tty: styled text and, in a process that a terminal host started, the keys, the mouse
// and the size of the terminal.
//
// Styles, text functions and key bindings work anywhere: they compute strings, in true colour whatever the program is
// connected to, and look at nothing outside. Styles never change, so processes may share them. Sizes are bounded
// ([maxCells] and the cells of a whole result), a call that asks for more raises.
//
// Input comes as tables on the channel of tty.events. The channel holds 64 events; what does not fit waits, in order,
// in the mailbox of the process. Events are kept from tty.start on, also when tty.events is called later. Between start
// and stop all input goes to the events: io.read and io.readline wait until tty.stop. Focus and paste events come when
// the program has asked the terminal for them, by writing "\27[?1004h" and "\27[?2004h". When the process ends, in
// whatever way, the terminal is in the mode it had, and its private modes that the program has switched, the second
// screen, the cursor or the mouse, are back.
//
// Where there is no terminal the input functions return an error of kind Unavailable.
package tty

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
)

// Deps is what the module works with. Send carries the events of the terminal to the process.
type Deps struct {
	Send func(*relay.Message) error
}

type module struct {
	Deps
	styles   *engine.Class
	bindings *engine.Class
}

// Module returns the Lua module. Its input functions need the handlers that [Register] adds.
func Module(deps Deps) engine.Module {
	m := &module{Deps: deps}
	return engine.Module{
		Name:    "tty",
		Classes: []string{"io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m.buildInput(b)
			m.buildBindings(b)
			m.buildStyles(b)
			buildText(b.Table("text"))
			return nil
		},
	}
}

// constants adds a read-only table of constants.
func constants(b *engine.Builder, name string, values map[string]lua.LValue) {
	t := b.Table(name)
	for k, v := range values {
		t.Value(k, v)
	}
}
