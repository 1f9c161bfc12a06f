// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// ttyApplication shows what happens at the terminal until somebody quits. Its argument says how it ends.
var ttyApplication = map[string]string{
	"src/_index.yaml": `version: "1.0"
namespace: app
entries:
  - {name: terminal, kind: terminal.host, hide_logs: true, lifecycle: {auto_start: true}}
  - {name: screen, kind: process.lua, source: "file://screen.lua", modules: [tty, io]}
`,
	"src/screen.lua": `local tty = require("tty")
local io = require("io")

local quit = tty.bind{ keys = { "q", "ctrl+c" }, help = { key = "q", desc = "quit" } }
local title = tty.style():bold():foreground("#ff8000")

local function describe(e)
    if e.type == "key" then
        return (e.ctrl and "ctrl+" or "") .. (e.alt and "alt+" or "") .. (e.shift and "shift+" or "") .. e.key
    elseif e.type == "start" or e.type == "resize" then
        return e.width .. "x" .. e.height
    elseif e.type == "mouse" then
        return e.action .. " " .. e.button .. " " .. e.x .. "," .. e.y
    end
    return e.text or tostring(e.focused)
end

return { main = function(how)
    local events, control = tty.events(), process.events()
    assert(tty.start())
    assert(tty.mouse(true))
    io.raw()
    io.write("\27[?1049h\27[?25l")
    io.print(title:render("keys"))
    while true do
        local cases = { events:case_receive() }
        if how ~= "deaf" then cases[2] = control:case_receive() end
        local r = channel.select(cases)
        if r.channel == control then
            io.print("asked to end")
            return 0
        end
        local e = r.value
        io.print("[" .. e.type .. " " .. describe(e) .. "]")
        if quit:matches(e) then
            if how == "fail" then error("no way") end
            if how == "stop" then
                tty.stop()
                io.raw(false)
                io.print("what is your name?")
                io.print("hello, " .. io.readline())
            end
            return 7
        end
    end
end }
`,
}

// screen is a program on a pseudo terminal of its own, as the person in front of it sees it.
type screen struct {
	cmd     *exec.Cmd
	person  *os.File
	program *os.File // kept open, to look at the mode of the terminal
	mode    *term.State
	ended   chan struct{} // closed when the program has ended

	mu   sync.Mutex
	text strings.Builder // guarded by mu
	seen int             // guarded by mu; what of the text was expected already
	news chan struct{}
}

func startScreen(t *testing.T, args ...string) *screen {
	t.Helper()
	dir := projectDir(t, ttyApplication)
	person, program, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{person: person, program: program, ended: make(chan struct{}), news: make(chan struct{}, 1)}
	if err := pty.Setsize(person, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	if s.mode, err = term.GetState(int(program.Fd())); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command("wippy", append([]string{"run", "-C", dir, "-x", "app:screen"}, args...)...)
	s.cmd.Env = append(os.Environ(), "GORACE="+raceOptions)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = program, program, program
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reader sync.WaitGroup
	reader.Go(s.read)
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // the exit code says it
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
		program.Close()
		reader.Wait() // the last one has closed the other side
		person.Close()
	})
	return s
}

func (s *screen) read() {
	buf := make([]byte, 4096)
	for {
		n, err := s.person.Read(buf)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.text.Write(buf[:n])
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// expect waits until something is shown that was not expected before.
func (s *screen) expect(t *testing.T, pattern string) {
	t.Helper()
	re, limit := regexp.MustCompile(pattern), time.After(runLimit)
	for {
		s.mu.Lock()
		text := s.text.String()[s.seen:]
		at := re.FindStringIndex(text)
		if at != nil {
			s.seen += at[1]
		}
		s.mu.Unlock()
		if at != nil {
			return
		}
		select {
		case <-s.news:
		case <-limit:
			t.Fatalf("%s is not shown but %q", pattern, text)
		}
	}
}

func (s *screen) press(t *testing.T, input string) {
	t.Helper()
	if _, err := io.WriteString(s.person, input); err != nil {
		t.Fatal(err)
	}
}

func (s *screen) signal(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// expectEnd waits for the end, with that exit code and the terminal as it was before.
func (s *screen) expectEnd(t *testing.T, code int) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(runLimit):
		t.Fatal("the program does not end")
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	mode, err := term.GetState(int(s.program.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if *mode != *s.mode {
		t.Error("the terminal is not restored")
	}
	if _, err := io.WriteString(s.program, "<end>"); err != nil { // what was written before has been read, then
		t.Fatal(err)
	}
	s.expect(t, "<end>")
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.text.String()
	for on, off := range map[string]string{
		"\x1b[?1003h": "\x1b[?1003l", // the mouse is watched
		"\x1b[?1049h": "\x1b[?1049l", // the second screen is shown
		"\x1b[?25l":   "\x1b[?25h",   // the cursor is hidden
	} {
		if strings.Count(text, on) != 1 || strings.Count(text, off) != 1 {
			t.Errorf("the terminal is left with %q: %q", on, text)
		}
	}
}

// TestScreen uses a program on a terminal as a person does.
func TestScreen(t *testing.T) {
	t.Parallel()
	s := startScreen(t)
	s.expect(t, "\x1b\\[\\?1003h\x1b\\[\\?1006h")
	s.expect(t, "\x1b\\[1;38;2;255;128;0mkeys\x1b\\[0m")
	s.expect(t, `\[start 80x24\]`)
	s.press(t, "a")
	s.expect(t, `\[key a\]`)
	s.press(t, "\x1b[1;5A\x1b")
	s.expect(t, `\[key ctrl\+up\]\r\n\[key esc\]`)
	s.press(t, "\x1b[<0;11;6M\x1b[200~two\nlines\x1b[201~")
	s.expect(t, `\[mouse press left 10,5\]\r\n\[paste two\r\nlines\]`)
	if err := pty.Setsize(s.person, &pty.Winsize{Cols: 100, Rows: 30}); err != nil {
		t.Fatal(err)
	}
	s.expect(t, `\[resize 100x30\]`)
	s.press(t, "q")
	s.expect(t, `\[key q\]`)
	s.expectEnd(t, 7)
}

// TestScreenEnds ends the program in other ways.
func TestScreenEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		how  string
		code int
		end  func(*testing.T, *screen)
	}{
		{"control and c is a key", "", 7, func(t *testing.T, s *screen) { s.press(t, "\x03") }},
		{"an error", "fail", 1, func(t *testing.T, s *screen) {
			s.press(t, "q")
			s.expect(t, "\x1b\\[\\?1049l(.|\n)*no way") // where one sees it
		}},
		{"lines after the stop", "stop", 7, func(t *testing.T, s *screen) {
			s.press(t, "q")
			s.expect(t, "what is your name")
			s.press(t, "Ann\n")
			s.expect(t, "hello, Ann")
		}},
		{"a signal", "", 0, func(t *testing.T, s *screen) {
			s.signal(t)
			s.expect(t, "asked to end")
		}},
		{"at once", "deaf", 1, func(t *testing.T, s *screen) {
			s.signal(t)
			s.expect(t, "interrupt again")
			s.signal(t)
			s.expect(t, "force exit")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startScreen(t, c.how)
			s.expect(t, `\[start 80x24\]`)
			c.end(t, s)
			s.expectEnd(t, c.code)
		})
	}
}
