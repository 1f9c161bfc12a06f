// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the wippy program of the scripts: started under that name it runs Main, so
// scripts see real processes, streams, signals and exit codes, with the checks the tests were built with.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wippy": main})
}

// TestApplications runs the applications in testdata/script. Each is a complete project as its author would
// write it; the commands around it are what a person would type, and see.
func TestApplications(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"until": until, "project": writeProject, "atport": atPort, "promtext": promText,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", raceOptions)
			return nil
		},
	})
}

// raceOptions spare every program of a script the second that the race detector waits before it ends a program.
const raceOptions = "atexit_sleep_ms=20"

// runLimit bounds the life of a program, and how long a test waits for one. A machine may stand still for some seconds;
// who waits that long waits in vain.
const runLimit = 2 * time.Minute

// program is a program that a script runs.
func program(ctx context.Context, ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "HOME="+ts.Getenv("HOME"), "GORACE="+raceOptions)
	return cmd
}

// until REGEXP PROGRAM ARG... runs a program until what it wrote matches, presses Ctrl-C and waits for its end.
// Its output can be checked afterwards like that of exec; "! until" expects it to fail.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until regexp program [arg...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	cmd := program(ctx, ts, args[1:])
	seen := &trigger{pattern: pattern, fire: func() { _ = cmd.Process.Signal(os.Interrupt) }}
	cmd.Stdout = &tee{to: ts.Stdout(), trigger: seen}
	cmd.Stderr = &tee{to: ts.Stderr(), trigger: seen}
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		ts.Fatalf("%q was not seen, or the program did not end:\n%s", args[0], seen.text.String())
	case !seen.fired:
		ts.Fatalf("ended (%v) without %q:\n%s", err, args[0], seen.text.String())
	case err != nil && !neg:
		ts.Fatalf("ended: %v\n%s", err, seen.text.String())
	case err == nil && neg:
		ts.Fatalf("unexpected success")
	}
}

// trigger fires once, when the text of all streams together matches.
type trigger struct {
	pattern *regexp.Regexp
	fire    func()

	mu    sync.Mutex
	text  bytes.Buffer // guarded by mu
	fired bool         // guarded by mu
}

func (t *trigger) see(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(p)
	if !t.fired && t.pattern.Match(t.text.Bytes()) {
		t.fired = true
		t.fire()
	}
}

// tee is one output stream of a program.
type tee struct {
	to      interface{ Write([]byte) (int, error) }
	trigger *trigger
}

func (t *tee) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	t.trigger.see(p)
	return n, err
}
