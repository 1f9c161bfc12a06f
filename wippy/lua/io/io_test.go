// SPDX-License-Identifier: Apache-2.0

package io_test

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/wippyrun/kit/appctx"
	luaio "github.com/wippyrun/kit/wippy/lua/io"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/service/terminal"
)

// run executes a snippet on a terminal with the given input.
func run(t *testing.T, input, body string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	frame := appctx.NewFrame()
	err := terminal.Key.Set(frame, &terminal.Context{
		Stdin: bufio.NewReader(strings.NewReader(input)), Stdout: &out, Stderr: &errs, Args: args,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := luatest.New(t, func(s *luatest.System) {
		luaio.Register(s.Dispatch)
		s.Register(luaio.Module())
	})
	s.Frame = frame
	s.Check(t, body)
	return out.String(), errs.String()
}

func TestOutput(t *testing.T) {
	for _, c := range []struct{ body, stdout, stderr string }{
		{`assert(io.print("a", 1, nil, true) == true)`, "a\t1\tnil\ttrue\n", ""},
		{`io.print()`, "\n", ""},
		{`io.write("a", 1, "b") io.write()`, "a1b", ""},
		{`io.eprint("oops", errors.new("e"))`, "", "oops\te\n"},
		{`io.print(setmetatable({}, { __tostring = function() return "custom" end }))`, "custom\n", ""},
		{`io.print(2^53, 1.5, 10 / 2)`, "9007199254740992\t1.5\t5\n", ""},
		{`assert(io.flush() == true)`, "", ""},
	} {
		t.Run(c.body, func(t *testing.T) {
			stdout, stderr := run(t, "", c.body)
			if stdout != c.stdout || stderr != c.stderr {
				t.Errorf("stdout %q, stderr %q; want %q, %q", stdout, stderr, c.stdout, c.stderr)
			}
		})
	}
}

func TestInput(t *testing.T) {
	for _, c := range []struct{ name, input, body string }{
		{"lines", "one\r\ntwo\nthree", `
			assert(io.readline() == "one" and io.readline() == "two" and io.readline() == "three")
			local line, err = io.readline()
			assert(line == nil and err:message() == "EOF" and err:kind() == "")`},
		{"empty line", "\nx", `assert(io.readline() == "" and io.readline() == "x")`},
		{"one buffer", "abc\ndef", `assert(io.read(2) == "ab" and io.readline() == "c" and io.read(100) == "def")`},
		{"read defaults", "abc", `assert(io.read(0) == "abc") local v, err = io.read() assert(v == nil and err:message() == "EOF")`},
		{"no raw mode", "", `local v, err = io.raw() assert(v == nil and err:kind() == "Unavailable" and err:message() == "raw terminal control unavailable")`},
		{"not a number", "", `assert(not pcall(io.read, {}))`},
	} {
		t.Run(c.name, func(t *testing.T) { run(t, c.input, c.body) })
	}
}

func TestArgs(t *testing.T) {
	run(t, "", `local a = io.args() assert(#a == 2 and a[1] == "x" and a[2] == "--flag")`, "x", "--flag")
}

func TestWithoutTerminal(t *testing.T) {
	s := luatest.New(t, func(s *luatest.System) {
		luaio.Register(s.Dispatch)
		s.Register(luaio.Module())
	})
	s.Check(t, `
		for name, call in pairs({ write = io.write, print = io.print, eprint = io.eprint, flush = io.flush,
			read = io.read, readline = io.readline, raw = io.raw }) do
			local v, err = call()
			assert(v == nil and err:kind() == "Unavailable" and err:message() == "no terminal context", name)
		end
		assert(#io.args() == 0)`)
}
