// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/wippyrun/kit/tools/dev/outcome"
)

// test takes packages in front of other arguments; all are meant when there are none.
func test(ctx context.Context, e environment, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		args = append([]string{"work"}, args...)
	}
	return e.tests(ctx, args...)
}

// race leaves nothing out but the modules whose tests measure.
func race(ctx context.Context, e environment, args []string) error {
	command := []string{"-race", "-shuffle=on"}
	for _, m := range e.repo.Modules {
		if m.Dir != "benchmarks" {
			command = append(command, "./"+m.Dir+"/...")
		}
	}
	return e.tests(ctx, append(command, args...)...)
}

// tests runs go test and says what the tests have left out.
func (e environment) tests(ctx context.Context, args ...string) error {
	r := &outcome.Reader{Out: e.stdout}
	for _, arg := range args {
		if arg == "-args" || arg == "--args" {
			break
		}
		switch name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); {
		case !strings.HasPrefix(arg, "-"):
		case slices.Contains([]string{"json", "c", "h", "help"}, name):
			return e.command(ctx, append([]string{"test"}, args...)...)
		case slices.Contains([]string{"v", "bench", "fuzz", "test.v", "test.bench", "test.fuzz"}, name):
			r.Verbose = true
		}
	}
	fmt.Fprintln(e.stderr, "+ go test", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir, cmd.Stderr = e.repo.Root, e.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = r.Read(events)
	err = errors.Join(err, cmd.Wait())
	if left := r.Left(); len(left) > 0 {
		fmt.Fprintln(e.stdout, "\nleft out on this machine:\n  "+strings.Join(left, "\n  "))
		if os.Getenv("CI") == "" {
			fmt.Fprintln(e.stdout, "With CI=true tests fail when something is not installed; .ci/run installs all of it on Debian.")
		}
	}
	return err
}
