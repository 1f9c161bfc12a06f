// SPDX-License-Identifier: Apache-2.0

// Command check verifies the layout of the repository: what may import what, what
// every module has to carry, and that each module builds and passes its tests
// alone. It prints one line per problem and exits 1 when there are any.
//
//	go run ./tools/check [-fast] [-only rule,rule] [-list] [-C dir]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/check/rules"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as parameters. It returns the exit code: 0
// when all is well, 1 when there are problems, 2 when the check could not run.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "comma-separated `rules` to run instead of all")
	fast := flags.Bool("fast", false, "leave out the tests of the modules")
	list := flags.Bool("list", false, "list the rules and exit")
	dir := flags.String("C", ".", "a `directory` inside the repository")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	selected, err := choose(rules.All(), *only)
	if err != nil {
		fmt.Fprintln(stderr, "check:", err)
		return 2
	}
	if *list {
		for _, r := range selected {
			fmt.Fprintf(stdout, "%-12s %s\n", r.Name, r.About)
		}
		return 0
	}
	root, err := repo.Find(*dir)
	if err != nil {
		fmt.Fprintln(stderr, "check:", err)
		return 2
	}
	rp, err := repo.Load(root)
	if err != nil {
		fmt.Fprintln(stderr, "check:", err)
		return 2
	}
	problems := 0
	for _, r := range selected {
		start := time.Now()
		found, err := r.Check(ctx, rules.Env{Repo: rp, Fast: *fast, Log: stderr})
		if err != nil {
			fmt.Fprintf(stderr, "check: %s: %v\n", r.Name, err)
			return 2
		}
		rules.Sort(found)
		for _, p := range found {
			fmt.Fprintf(stdout, "%s [%s]\n", p, r.Name)
		}
		problems += len(found)
		fmt.Fprintf(stderr, "check: %-12s %8s  %s\n", r.Name, time.Since(start).Round(time.Millisecond), verdict(len(found)))
	}
	if problems > 0 {
		fmt.Fprintf(stderr, "check: %s\n", verdict(problems))
		return 1
	}
	return 0
}

func verdict(n int) string {
	switch n {
	case 0:
		return "ok"
	case 1:
		return "1 problem"
	}
	return fmt.Sprint(n, " problems")
}

// choose picks the named rules, in the order of all.
func choose(all []rules.Rule, names string) ([]rules.Rule, error) {
	if names == "" {
		return all, nil
	}
	var out []rules.Rule
	want := strings.Split(names, ",")
	for _, r := range all {
		if i := slices.Index(want, r.Name); i >= 0 {
			out = append(out, r)
			want = slices.DeleteFunc(want, func(n string) bool { return n == r.Name })
		}
	}
	if len(want) > 0 {
		return nil, fmt.Errorf("no rule named %s; -list shows them", strings.Join(want, ", "))
	}
	return out, nil
}
