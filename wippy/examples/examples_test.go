// SPDX-License-Identifier: Apache-2.0

// Package examples_test runs the example applications the way a person does, with the wippy program, and checks
// what that person sees: output, errors, exit codes, Ctrl-C.
package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// bin is the directory of the program under test.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wippy-examples-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir, "../cmd/wippy")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building wippy:", err)
		return 1
	}
	bin = dir
	return m.Run()
}

func TestScripts(t *testing.T) {
	examples, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("EXAMPLES", examples)
			env.Values[sessionsKey{}] = map[string]*session{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":     start,
			"see":       see,
			"interrupt": interrupt,
			"insist":    insist,
			"ends":      ends,
		},
	})
}

type sessionsKey struct{}

// session is a program running in the background of a script.
type session struct {
	cmd    *exec.Cmd
	output output
	ended  chan struct{} // closed when it has ended, after all its output was read
	err    error         // how it ended
}

// output keeps what was written and tells waiters about it.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer  // guarded by mu
	changed chan struct{} // guarded by mu; closed and replaced by each write
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) state() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

// patience is how long a test waits for something that should come soon. A machine may stand still for some seconds; who
// waits that long waits in vain.
const patience = 2 * time.Minute

// start NAME PROGRAM ARG... runs a program in the background; both its streams are kept together.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start name program [arg...]")
	}
	s := &session{cmd: exec.Command(filepath.Join(bin, args[1]), args[2:]...), ended: make(chan struct{})}
	s.output.changed = make(chan struct{})
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.Dir = ts.Getenv("WORK")
	s.cmd.Env = append(os.Environ(), "PINGPONG_REPORT_EVERY="+ts.Getenv("PINGPONG_REPORT_EVERY"))
	ts.Check(s.cmd.Start())
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	ts.Defer(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
	})
	sessions(ts)[args[0]] = s
}

// see NAME REGEXP [COUNT] waits until the output matches, COUNT times.
func see(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: see name regexp [count]")
	}
	s := sessionOf(ts, args[0])
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	count := 1
	if len(args) == 3 {
		count, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		text, changed := s.output.state()
		if len(pattern.FindAllStringIndex(text, count)) >= count {
			return
		}
		select {
		case <-changed:
		case <-s.ended:
			if now, _ := s.output.state(); now == text {
				ts.Fatalf("%s ended (%v) without %q:\n%s", args[0], s.err, args[1], text)
			}
		case <-limit.C:
			ts.Fatalf("%s does not show %q:\n%s", args[0], args[1], text)
		}
	}
}

// interrupt NAME presses Ctrl-C.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: interrupt name")
	}
	ts.Check(sessionOf(ts, args[0]).cmd.Process.Signal(os.Interrupt))
}

// insist NAME CODE presses Ctrl-C again and again until the program ends.
func insist(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: insist name code")
	}
	s := sessionOf(ts, args[0])
	press := time.NewTicker(100 * time.Millisecond)
	defer press.Stop()
	go func() {
		for {
			select {
			case <-press.C:
				_ = s.cmd.Process.Signal(os.Interrupt) // an error says that it has ended
			case <-s.ended:
				return
			}
		}
	}()
	ends(ts, neg, args)
}

// ends NAME CODE waits for the end of a program and checks its exit code.
func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ends name code")
	}
	s := sessionOf(ts, args[0])
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-s.ended:
	case <-limit.C:
		text, _ := s.output.state()
		ts.Fatalf("%s still runs:\n%s", args[0], text)
	}
	if code := strconv.Itoa(s.cmd.ProcessState.ExitCode()); code != args[1] {
		text, _ := s.output.state()
		ts.Fatalf("%s ended with code %s (%v), want %s:\n%s", args[0], code, s.err, args[1], text)
	}
}

func sessions(ts *testscript.TestScript) map[string]*session {
	return ts.Value(sessionsKey{}).(map[string]*session)
}

func sessionOf(ts *testscript.TestScript, name string) *session {
	s := sessions(ts)[name]
	if s == nil {
		ts.Fatalf("no program was started as %s", name)
	}
	return s
}
