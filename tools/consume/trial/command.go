// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Failure tells which step of a trial did not succeed.
type Failure struct {
	// Module is the directory of the module on trial.
	Module string
	// Step is what was tried: download, readme, get, build, run, …
	Step string
	// Command is the command line, "" when the step is not a command.
	Command string
	// Output is what the command printed, its standard output first.
	Output string
	// Err is what is wrong.
	Err error
}

// Error returns all but the output in one line.
func (f *Failure) Error() string {
	if f.Command == "" {
		return fmt.Sprintf("%s: %s: %v", f.Module, f.Step, f.Err)
	}
	return fmt.Sprintf("%s: %s: %s: %v", f.Module, f.Step, f.Command, f.Err)
}

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// command is where and for what a command runs.
type command struct {
	module, step string
	dir          string
	env          []string
}

// run runs a command and returns what it printed on standard output. The error is
// a *Failure.
func (s *Site) run(ctx context.Context, c command, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	// For grandchildren that keep the pipes open. It also runs while the last output of a
	// program that has ended is read, for which a busy machine may take its time.
	cmd.WaitDelay = 30 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return "", &Failure{Module: c.module, Step: c.step, Command: strings.Join(cmd.Args, " "),
			Output: stdout.String() + stderr.String(), Err: err}
	}
	return stdout.String(), nil
}

// runInTime is run for a program that must end before patience does.
func (s *Site) runInTime(ctx context.Context, c command, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.patience, fmt.Errorf("still running after %s", s.patience))
	defer cancel()
	return s.run(ctx, c, name, args...)
}
