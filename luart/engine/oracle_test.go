// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler"
)

// The cases in testdata/oracle are small programs with what they print: under this
// engine, and under the C implementation of Lua 5.1 where that differs, with the
// reason. They are tests, they are compared with the real lua5.1 where it is
// installed, and they are seeds of the fuzz targets.
//
//	> return 1 + 1        source, any number of lines
//	= 2                   what it prints or returns
//	! numbers are …       why lua5.1 prints something else:
//	~ 2.0                 what it prints
//
// go test -run Oracle -oracle.update rewrites the results. Review them.

var updateOracle = flag.Bool("oracle.update", false, "rewrite the results in testdata/oracle")

type oracleCase struct {
	line   int
	source string
	want   string // with a newline after each line
	reason string
	theirs string // when reason is set
}

// oracleFile reads one file of cases.
func oracleFile(t testing.TB, name string) []oracleCase {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var cases []oracleCase
	fresh := true
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" {
			fresh = true
			continue
		}
		if fresh {
			cases = append(cases, oracleCase{line: i + 1})
			fresh = false
		}
		c := &cases[len(cases)-1]
		mark, rest := line[0], strings.TrimPrefix(line[1:], " ")
		switch mark {
		case '>':
			c.source += rest + "\n"
		case '=':
			c.want += rest + "\n"
		case '!':
			c.reason = rest
		case '~':
			c.theirs += rest + "\n"
		default:
			t.Fatalf("%s:%d: line begins with %q", name, i+1, mark)
		}
	}
	return cases
}

// oracleFrame shows what a program returns or raises, the same text for both sides.
// The program begins on its first line.
const oracleFrame = `local function show(ok, ...) ` +
	`if not ok then print("error: " .. tostring((...))) return end ` +
	`local n, t = select("#", ...), {} for i = 1, n do t[i] = tostring((select(i, ...))) end ` +
	`if n > 0 then print(table.concat(t, "\t")) end end `

var (
	chunkName = regexp.MustCompile(`(app:case|stdin):(\d+):`)
	address   = regexp.MustCompile(`(table|function|thread|userdata): (builtin: )?0x[0-9a-f]+`)
)

// comparableOutput makes the names of chunks and the addresses of values the same.
func comparableOutput(text string) string {
	text = strings.ReplaceAll(text, "-nan", "nan") // the sign depends on the processor
	text = chunkName.ReplaceAllString(text, "case:$2:")
	return address.ReplaceAllString(text, "$1: ADDRESS")
}

// refused is what a program that does not compile prints. The messages differ, and
// package syntax tests its own.
const refused = "refused\n"

// runOurs runs a case on the engine.
func runOurs(source string) string {
	var out strings.Builder
	e := engine.New(engine.WithPrinter(func(_ *engine.Process, _, text string) { out.WriteString(text + "\n") }))
	e.Seal()
	prog, err := e.Link(engine.ProgramSpec{ID: "app:case",
		Source: oracleFrame + "return function() show(pcall(function(...) " + source + " end)) end"})
	if err != nil {
		return refused
	}
	p := e.NewProcess(engine.ProcessOptions{Program: prog})
	if err := p.Init(context.Background(), "", nil); err != nil {
		return "failed: " + err.Error() + "\n"
	}
	defer p.Close()
	var step scheduler.Output
	for first := true; step.Status() != scheduler.StatusDone; first = false {
		if !first && step.Status() == scheduler.StatusWait {
			return comparableOutput(out.String()) + "waits\n"
		}
		step.Reset()
		if err := p.Step(nil, &step); err != nil {
			return comparableOutput(out.String()) + "failed: " + err.Error() + "\n"
		}
	}
	return comparableOutput(out.String())
}

// runTheirs runs a case on lua5.1.
func runTheirs(t rapid.TB, lua, source string) string {
	t.Helper()
	cmd := exec.Command(lua, "-")
	cmd.Stdin = strings.NewReader(oracleFrame + "show(pcall(function(...) " + source + " end))")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if _, ran := err.(*exec.ExitError); !ran {
			t.Fatal(err)
		}
		if strings.HasPrefix(errs.String(), lua+": stdin:") || strings.HasPrefix(errs.String(), "lua5.1: stdin:") {
			return refused
		}
		return "failed: " + errs.String()
	}
	return comparableOutput(out.String())
}

// findLua returns the path of lua5.1, "" when it is not installed and need not be. What
// that leaves out is an attribute of the test.
func findLua(t *testing.T) string {
	lua, err := exec.LookPath("lua5.1")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("lua5.1 is not installed")
		}
		t.Attr("left-out", "lua5.1 is not installed")
	}
	return lua
}

func TestOracle(t *testing.T) {
	lua := findLua(t)
	if lua == "" {
		t.Log("lua5.1 is not installed: the cases are compared with what it printed when they were written")
	}
	files, err := filepath.Glob("testdata/oracle/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	total := 0
	for _, file := range files {
		cases := oracleFile(t, file)
		total += len(cases)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			for i := range cases {
				c := &cases[i]
				where := fmt.Sprintf("%s:%d: %s", file, c.line, strings.TrimSpace(c.source))
				ours := runOurs(c.source)
				theirs := c.theirs
				if c.reason == "" {
					theirs = c.want
				}
				if lua != "" {
					theirs = runTheirs(t, lua, c.source)
				}
				if *updateOracle {
					c.want, c.theirs = ours, theirs
					if ours == theirs {
						c.reason, c.theirs = "", ""
					} else if c.reason == "" {
						c.reason = "?"
					}
					continue
				}
				if ours != c.want {
					t.Errorf("%s\nprints\n%swant\n%s", where, ours, c.want)
				}
				if recorded := c.theirs; c.reason != "" && theirs != recorded || c.reason == "" && theirs != c.want {
					t.Errorf("%s\nlua5.1 prints\n%snot\n%s", where, theirs, recorded)
				}
				if c.reason == "?" || c.reason != "" && c.want == c.theirs {
					t.Errorf("%s\ndiffers from lua5.1 without a reason, or does not differ", where)
				}
			}
			if *updateOracle {
				writeOracle(t, file, cases)
			}
		})
	}
	if total < 500 {
		t.Errorf("only %d cases", total)
	}
}

func writeOracle(t *testing.T, file string, cases []oracleCase) {
	t.Helper()
	var b strings.Builder
	mark := func(mark, text string) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				line = " " + line
			}
			b.WriteString(mark + line + "\n")
		}
	}
	for i, c := range cases {
		if i > 0 {
			b.WriteString("\n")
		}
		mark(">", c.source)
		mark("=", c.want)
		if c.reason != "" {
			mark("!", c.reason)
			mark("~", c.theirs)
		}
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
