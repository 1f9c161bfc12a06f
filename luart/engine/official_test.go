// SPDX-License-Identifier: Apache-2.0

//go:build !race

// One process at a time: nothing for the race detector, which takes five times as long.

package engine_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler"
)

// officialModule gives programs what the official test suite of Lua 5.1 uses to test
// and a process has not: loadstring above all.
var officialModule = engine.Module{Name: "official", Build: func(b *engine.Builder) error {
	b.Func("loadstring", func(L *lua.LState) int {
		name := strings.TrimPrefix(L.OptString(2, "string"), "=")
		proto, err := engine.From(L).Engine().Compile(name, L.CheckString(1))
		if err != nil {
			L.Push(lua.LNil)
			L.Push(lua.LString(err.Error()))
			return 2
		}
		L.Push(proto.Function(L))
		return 1
	})
	b.Func("line", func(L *lua.LState) int {
		_, line, _ := strings.Cut(strings.TrimSuffix(L.Where(2), ": "), ":")
		n, _ := strconv.Atoi(strings.TrimSuffix(line, ":"))
		L.Push(lua.LNumber(n))
		return 1
	})
	b.Func("nothing", func(L *lua.LState) int { L.Push(lua.LNumber(0)); return 1 })
	return nil
}}

const officialHead = `local official = require("official") ` +
	`loadstring, collectgarbage, print = official.loadstring, official.nothing, official.nothing ` +
	`debug = {getinfo = function() return {currentline = official.line()} end} ` +
	`load = function(f, name) local s = "" for piece in f do if piece == "" then break end s = s .. piece end return loadstring(s, name) end `

// TestOfficialSuite runs the files on the language of the official test suite of Lua
// 5.1, as they come with gopher-lua. testdata/official.txt lists the lines that are
// left out, each with the reason.
func TestOfficialSuite(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yuin/gopher-lua").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "_lua5.1-tests")
	for name, cuts := range officialCuts(t) {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(text), "\n")
			for _, c := range cuts {
				for i := c[0]; i <= c[1]; i++ {
					lines[i-1] = ""
				}
			}
			e := engine.New()
			if err := e.Register(officialModule); err != nil {
				t.Fatal(err)
			}
			e.Seal()
			prog, err := e.Link(engine.ProgramSpec{ID: name, Modules: []string{"official"},
				Source: officialHead + "return function() " + strings.Join(lines, "\n") + "\nend"})
			if err != nil {
				t.Fatal(err)
			}
			p := e.NewProcess(engine.ProcessOptions{Program: prog})
			if err := p.Init(context.Background(), "", nil); err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			var step scheduler.Output
			for first := true; step.Status() != scheduler.StatusDone; first = false {
				if !first && step.Status() == scheduler.StatusWait {
					t.Fatal("waits")
				}
				step.Reset()
				if err := p.Step(nil, &step); err != nil {
					stack := ""
					if e, ok := errors.AsType[*engine.Error](err); ok {
						stack = e.Stack()
					}
					t.Fatalf("%v\n%s", err, stack)
				}
			}
		})
	}
}

// officialCuts reads which lines of which files are left out: "name", then lines
// "first-last reason"
// or "line reason".
func officialCuts(t *testing.T) map[string][][2]int {
	f, err := os.Open("testdata/official.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cuts := make(map[string][][2]int)
	name := ""
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		switch {
		case line == "" || line[0] == '#':
		case line[0] != ' ':
			name = line
			cuts[name] = nil
		default:
			lines, reason, _ := strings.Cut(strings.TrimSpace(line), " ")
			from, to, isRange := strings.Cut(lines, "-")
			if !isRange {
				to = from
			}
			a, err1 := strconv.Atoi(from)
			b, err2 := strconv.Atoi(to)
			if err1 != nil || err2 != nil || reason == "" {
				t.Fatalf("official.txt: %q", line)
			}
			cuts[name] = append(cuts[name], [2]int{a, b})
		}
	}
	return cuts
}
