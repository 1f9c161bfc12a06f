// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package tty_test

import (
	"bufio"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/wippyrun/kit/appctx"
	luaio "github.com/wippyrun/kit/wippy/lua/io"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/process"
	"github.com/wippyrun/kit/wippy/lua/tty"
	"github.com/wippyrun/kit/wippy/service/terminal"
	"github.com/wippyrun/kit/wippy/service/terminal/keys"
)

// console is a system on a pseudo terminal, and whoever sits at it: what a process writes as "<do:X>" makes X happen.
type console struct {
	*luatest.System
	input *terminal.Input
	raw   *terminal.RawMode
	tty   *os.File
	mode  *term.State

	mu     sync.Mutex
	output strings.Builder // guarded by mu
}

// newConsole types keys[X] for "<do:X>"; "<do:size WxH>" changes the size of the terminal.
func newConsole(t *testing.T, typed map[string]string) *console {
	t.Helper()
	person, program, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(person, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	c := &console{tty: program}
	if c.mode, err = term.GetState(int(program.Fd())); err != nil {
		t.Fatal(err)
	}
	stdin, turn := bufio.NewReader(program), terminal.NewTurn()
	c.raw = terminal.NewRawMode(program)
	c.input = terminal.NewInput(terminal.IO{Stdin: program, Stdout: program}, stdin, c.raw, turn)
	frame := appctx.NewFrame()
	if err := terminal.Key.Set(frame, &terminal.Context{
		Stdin: stdin, Stdout: program, Stderr: program, Raw: c.raw, Turn: turn, Input: c.input,
	}); err != nil {
		t.Fatal(err)
	}
	c.System = luatest.New(t, func(s *luatest.System) {
		process.Register(s.Dispatch, s.Processes)
		luaio.Register(s.Dispatch)
		tty.Register(s.Dispatch)
		s.Register(luaio.Module(), tty.Module(tty.Deps{Send: s.Router.Send}), process.Module(process.Deps{
			Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories,
		}))
	})
	c.Frame = frame
	var ended sync.WaitGroup
	ended.Go(func() { c.sit(t, person, typed) })
	t.Cleanup(func() {
		c.input.Wait()
		program.Close()
		ended.Wait()
		person.Close()
	})
	return c
}

// sit reads what the program writes and does what it asks for, until the terminal is closed.
func (c *console) sit(t *testing.T, person *os.File, typed map[string]string) {
	buf := make([]byte, 4096)
	pending := ""
	for {
		n, err := person.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.output.Write(buf[:n])
		c.mu.Unlock()
		pending += string(buf[:n])
		for {
			_, rest, ok := strings.Cut(pending, "<do:")
			what, after, whole := strings.Cut(rest, ">")
			if !ok || !whole {
				break
			}
			pending = after
			switch what {
			case "small":
				if err := pty.Setsize(person, &pty.Winsize{Cols: 40, Rows: 10}); err != nil {
					t.Error(err)
				}
				// The kernel tells the programs of the terminal's session, which the test is not one of.
				if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
					t.Error(err)
				}
			default:
				if _, err := io.WriteString(person, typed[what]); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// written is what the terminal got so far.
func (c *console) written() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.output.String()
}

// checkRestored fails unless the terminal is in the mode it was made in.
func (c *console) checkRestored(t *testing.T) {
	t.Helper()
	mode, err := term.GetState(int(c.tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if *mode != *c.mode {
		t.Error("the terminal is not restored")
	}
}

func TestEventsOfATerminal(t *testing.T) {
	for name, c := range map[string]struct {
		typed map[string]string
		body  string
	}{
		"keys": {map[string]string{"keys": "a\x1b[1;5A\x03\x1bxé", "esc": "\x1b"}, `
			local events = tty.events()
			assert(tty.start() == true)
			local e = events:receive()
			assert(e.type == "start" and e.width == 80 and e.height == 24)
			io.write("<do:keys>")
			local function key(name, kind, ctrl, alt)
				local e = events:receive()
				assert(e.type == "key" and e.key == name and e.key_type == kind and e.action == "press", e.key)
				assert(e.ctrl == ctrl and e.alt == alt and e.shift == false)
			end
			key("a", "runes", false, false)
			key("up", "up", true, false)
			key("c", "runes", true, false)
			key("x", "runes", false, true)
			key("é", "runes", false, false)
			io.write("<do:esc>")
			key("esc", "esc", false, false)
			assert(tty.stop() == true and tty.stop() == true)`},
		"channel after the start": {map[string]string{"keys": "ab"}, `
			assert(tty.start())
			io.write("<do:keys>")
			local events = tty.events()
			assert(events:receive().type == "start" and events:receive().key == "a" and events:receive().key == "b")`},
		"mouse, focus, paste": {map[string]string{"all": "\x1b[<2;3;4M\x1b[I\x1b[200~a\nb\x1b[201~"}, `
			local events = tty.events()
			assert(tty.start() and tty.mouse(true) == true and tty.mouse(true) == true)
			assert(events:receive().type == "start")
			io.write("<do:all>")
			local e = events:receive()
			assert(e.type == "mouse" and e.action == "press" and e.button == "right" and e.x == 2 and e.y == 3)
			assert(e.alt == false and e.ctrl == false and e.shift == false)
			e = events:receive()
			assert(e.type == "focus" and e.focused == true)
			e = events:receive()
			assert(e.type == "paste" and e.text == "a\nb")
			assert(tty.mouse(false) == true)`},
		"resize": {nil, `
			local events = tty.events()
			assert(tty.start())
			assert(events:receive().type == "start")
			io.write("<do:small>")
			local e = events:receive()
			assert(e.type == "resize" and e.width == 40 and e.height == 10)
			local w, h, err = tty.screen_size()
			assert(w == 40 and h == 10 and err == nil)`},
		"started twice": {nil, `
			assert(tty.start())
			local v, err = tty.start()
			assert(v == nil and err:message() == "input reader already started" and err:kind() == "" and err:retryable() == nil)
			assert(tty.stop() and tty.start() and tty.stop())`},
		"one channel": {map[string]string{"key": "x"}, `
			local events = tty.events()
			local again, err = tty.events()
			assert(again == nil and err:kind() == "AlreadyExists" and err:message() == 'topic "@tty/events" already subscribed')
			events:close()
			events = tty.events()
			assert(tty.start())
			assert(events:receive().type == "start")
			io.write("<do:key>")
			assert(events:receive().key == "x")`},
		"size without start": {nil, `
			local w, h, err = tty.screen_size()
			assert(w == 80 and h == 24 and err == nil)`},
		"lines again after the stop": {map[string]string{"key": "x", "line": "hello\n"}, `
			local events = tty.events()
			assert(tty.start())
			assert(events:receive().type == "start")
			io.write("<do:key>")
			assert(events:receive().key == "x")
			assert(tty.stop())
			io.write("<do:line>")
			assert(io.readline() == "hello")`},
		"other coroutines run": {map[string]string{"key": "x"}, `
			local events, done = tty.events(), channel.new()
			assert(tty.start())
			coroutine.spawn(function()
				assert(events:receive().type == "start")
				done:send(events:receive().key)
			end)
			io.write("<do:key>")
			assert(done:receive() == "x")`},
	} {
		t.Run(name, func(t *testing.T) {
			console := newConsole(t, c.typed)
			console.Check(t, c.body)
			console.checkRestored(t)
		})
	}
}

// TestEndOfTheProcess ends processes that have taken the terminal.
func TestEndOfTheProcess(t *testing.T) {
	for name, end := range map[string]string{
		"return":     `return 1`,
		"error":      `error("oops")`,
		"terminated": `process.terminate(process.pid()) channel.new():receive()`,
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, nil)
			if _, err := c.Run(`assert(tty.start() and tty.mouse(true)) ` + end); (err == nil) != (name == "return") {
				t.Error(err)
			}
			c.checkRestored(t)
			if err := c.input.Start(t, func(keys.Event) {}); err != nil {
				t.Errorf("the input is not free: %v", err)
			}
			if err := c.input.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMouseTracking(t *testing.T) {
	c := newConsole(t, map[string]string{"seen": "x"})
	c.Check(t, `
		local events = tty.events()
		assert(tty.start() and tty.mouse(true) and tty.stop())
		assert(tty.start())
		assert(events:receive().type == "start" and events:receive().type == "start")
		io.write("<do:seen>")
		assert(events:receive().key == "x")`)
	if got := c.written(); !strings.HasPrefix(got, "\x1b[?1003h\x1b[?1006h\x1b[?1006l\x1b[?1003l<do:seen>") {
		t.Errorf("the terminal got %q", got)
	}
}

func TestInputIsNoTerminal(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	raw := terminal.NewRawMode(in)
	for name, input := range map[string]*terminal.Input{
		"a pipe":  terminal.NewInput(terminal.IO{Stdin: in, Stdout: io.Discard}, bufio.NewReader(in), raw, nil),
		"no file": terminal.NewInput(terminal.IO{Stdin: strings.NewReader(""), Stdout: io.Discard}, nil, nil, nil),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.Frame = appctx.NewFrame()
			if err := terminal.Key.Set(s.Frame, &terminal.Context{Stdin: bufio.NewReader(in), Stdout: io.Discard, Input: input}); err != nil {
				t.Fatal(err)
			}
			if input == nil {
				s.Check(t, `
					for name, call in pairs({ start = tty.start, stop = tty.stop, events = tty.events }) do
						local v, err = call()
						assert(v == nil and err:kind() == "Unavailable" and err:message() == "input controller unavailable", name)
					end`)
				return
			}
			s.Check(t, `
				local v, err = tty.start()
				assert(v == nil and err:message() == "stdin is not a terminal" and err:kind() == "")
				local w, h, err = tty.screen_size()
				assert(w == nil and h == nil and err)
				assert(tty.stop() == true)`)
		})
	}
}
