// SPDX-License-Identifier: Apache-2.0

// Command dev is the daily work on the repository, one verb each:
//
//	go run ./tools/dev check    what a compiler cannot see: tools/check
//	go run ./tools/dev test     all tests, and what they leave out on this machine
//	go run ./tools/dev race     all tests under the race detector, in random order
//	go run ./tools/dev fuzz     every fuzz target for a while
//	go run ./tools/dev bench    the bars beside their peers: benchmarks/cmd/bench
//	go run ./tools/dev cover    coverage of each module
//	go run ./tools/dev soak     a busy application for half an hour, crashed, changed and killed
//
// What stands behind a verb is passed on; "dev <verb> -h" tells the flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/dev/soak"
)

// environment is what a verb works with.
type environment struct {
	repo           *repo.Repo
	stdout, stderr io.Writer
}

// verb is one thing to do.
type verb struct {
	name, about string
	run         func(ctx context.Context, e environment, args []string) error
}

func verbs() []verb {
	return []verb{
		{"check", "layout, imports, documents, formatting, tests of each module alone", passOn("run", "./tools/check")},
		{"test", "all tests, and what they leave out on this machine; arguments go to go test", test},
		{"race", "all tests under the race detector, in random order", race},
		{"fuzz", "every fuzz target for a while", fuzz},
		{"bench", "the bars beside their peers", passOn("run", "./benchmarks/cmd/bench")},
		{"cover", "coverage of each module", cover},
		{"soak", "a busy application for half an hour, crashed, changed and killed", soakVerb},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as parameters. It returns the exit code: 0 when all is
// well, 1 when something was found, 2 when nothing could be done.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		usage(stderr)
		return 2
	}
	for _, v := range verbs() {
		if v.name != args[0] {
			continue
		}
		root, err := repo.Find(".")
		var rp *repo.Repo
		if err == nil {
			rp, err = repo.Load(root)
		}
		if err != nil {
			fmt.Fprintln(stderr, "dev:", err)
			return 2
		}
		err = v.run(ctx, environment{rp, stdout, stderr}, args[1:])
		switch {
		case err == nil:
			return 0
		case errors.Is(err, flag.ErrHelp):
			return 2
		}
		fmt.Fprintf(stderr, "dev %s: %v\n", v.name, err)
		return 1
	}
	fmt.Fprintf(stderr, "dev: there is no verb %q\n", args[0])
	usage(stderr)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: go run ./tools/dev <verb> [arguments]\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-6s  %s\n", v.name, v.about)
	}
}

// command runs a program of the toolchain in the root of the repository.
func (e environment) command(ctx context.Context, args ...string) error {
	fmt.Fprintln(e.stderr, "+ go", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = e.repo.Root, e.stdout, e.stderr
	return cmd.Run()
}

// passOn is a verb that is a program of its own.
func passOn(args ...string) func(context.Context, environment, []string) error {
	return func(ctx context.Context, e environment, more []string) error {
		return e.command(ctx, append(args[:len(args):len(args)], more...)...)
	}
}

func soakVerb(ctx context.Context, e environment, args []string) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(e.stderr)
	o := soak.Options{Root: e.repo.Root, Progress: e.stderr}
	flags.DurationVar(&o.For, "for", soak.Standard, "how long")
	flags.DurationVar(&o.Life, "life", soak.StandardLife, "time from start to kill of one life of the program")
	flags.Uint64Var(&o.Seed, "seed", 0, "seed of the random load (default: a new one, which is printed)")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	report, err := soak.Run(ctx, o)
	if report != "" {
		fmt.Fprint(e.stdout, report)
	}
	return err
}
