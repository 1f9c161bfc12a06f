// SPDX-License-Identifier: Apache-2.0

// Command release makes releases, so that no hand does:
//
//	go run ./tools/release check   versions, requirements and changelogs agree; the API fits the version
//	go run ./tools/release api     what changed in the API since the last tags
//	go run ./tools/release build   the wippy program for all platforms, with checksums and bill of materials
//	go run ./tools/release tag     check, then tag every module whose version has no tag
//
// tools/versions.yaml holds the version of every module. What a release would give to users
// is tried by tools/consume.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/wippyrun/kit/tools/check/repo"
)

// environment is what a verb works with.
type environment struct {
	repo           *repo.Repo
	versions       map[string]string // by directory of the module
	stdout, stderr io.Writer
}

type verb struct {
	name, about string
	run         func(ctx context.Context, e environment, args []string) error
}

func verbs() []verb {
	return []verb{
		{"check", "versions, requirements and changelogs agree; the API fits the version", check},
		{"api", "what changed in the API since the last tags", api},
		{"build", "the wippy program for all platforms, with checksums and bill of materials", build},
		{"tag", "check, then tag every module whose version has no tag", tag},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as parameters. It returns the exit code: 0 when all is
// well, 1 when there are problems, 2 when nothing could be done.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	for _, v := range verbs() {
		if len(args) == 0 || v.name != args[0] {
			continue
		}
		e, err := surroundings(stdout, stderr)
		if err != nil {
			fmt.Fprintln(stderr, "release:", err)
			return 2
		}
		switch err := v.run(ctx, e, args[1:]); {
		case err == nil:
			return 0
		case errors.Is(err, flag.ErrHelp):
			return 2
		default:
			fmt.Fprintf(stderr, "release %s: %v\n", v.name, err)
			return 1
		}
	}
	fmt.Fprint(stderr, "usage: go run ./tools/release <verb> [flags]\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(stderr, "  %-6s %s\n", v.name, v.about)
	}
	return 2
}

func surroundings(stdout, stderr io.Writer) (environment, error) {
	root, err := repo.Find(".")
	if err != nil {
		return environment{}, err
	}
	rp, err := repo.Load(root)
	if err != nil {
		return environment{}, err
	}
	versions, err := readVersions(root)
	return environment{rp, versions, stdout, stderr}, err
}

// noFlags parses the arguments of a verb that has none.
func noFlags(e environment, name string, args []string) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(e.stderr)
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return nil
}
