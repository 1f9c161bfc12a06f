// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// target is one fuzz test.
type target struct{ pkg, name string }

// fuzz runs every fuzz target of the repository for a while each, some of them side by side.
// A target that fails leaves its input in the testdata of its package, as the go command does.
func fuzz(ctx context.Context, e environment, args []string) error {
	flags := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	flags.SetOutput(e.stderr)
	each := flags.Duration("time", 10*time.Second, "time of each target")
	jobs := flags.Int("jobs", 1, "targets that run side by side; more than one have one worker each")
	only := flags.String("only", "", "only targets whose package/Name matches this `regexp`")
	list := flags.Bool("list", false, "list the targets and end")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	targets, err := fuzzTargets(e, pattern)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return fmt.Errorf("no fuzz target matches %q", *only)
	}
	if *list {
		for _, t := range targets {
			fmt.Fprintf(e.stdout, "%s/%s\n", t.pkg, t.name)
		}
		return nil
	}
	if *jobs < 1 {
		return fmt.Errorf("-jobs is %d, want 1 or more", *jobs)
	}

	var mu sync.Mutex // guards the output, done and failed
	done, failed := 0, 0
	var running errgroup.Group
	running.SetLimit(*jobs)
	for _, t := range targets {
		running.Go(func() error {
			verdict, ok := t.run(ctx, e, *each, *jobs > 1)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if !ok {
				failed++
			}
			fmt.Fprintf(e.stdout, "%d of %d  %s/%s  %s\n", done, len(targets), t.pkg, t.name, verdict)
			return nil
		})
	}
	if err := running.Wait(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d targets failed", failed, len(targets))
	}
	return nil
}

// run fuzzes one target and tells what came out and whether that is fine.
func (t target) run(ctx context.Context, e environment, each time.Duration, single bool) (verdict string, ok bool) {
	// What processes of a scheduler cover differs from run to run. An input that is not interesting the second
	// time cannot be made smaller either, and the go command would try that for a minute each time.
	args := []string{"test", "-run", "^$", "-fuzz", "^" + t.name + "$", "-fuzztime", each.String(), "-fuzzminimizetime", "1s"}
	if single {
		args = append(args, "-parallel", "1")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+t.pkg)...)
	cmd.Dir = e.repo.Root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "FAILED\n" + string(out), false
	}
	return executions(out), true
}

// fuzzTargets finds the targets in the sources.
func fuzzTargets(e environment, pattern *regexp.Regexp) ([]target, error) {
	var targets []target
	var errs []error
	for _, f := range e.repo.Files {
		if !f.IsGo() || !f.IsTest() {
			continue
		}
		parsed, err := f.Parse()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, d := range parsed.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") && pattern.MatchString(path.Dir(f.Path)+"/"+fn.Name.Name) {
				targets = append(targets, target{path.Dir(f.Path), fn.Name.Name})
			}
		}
	}
	return targets, errors.Join(errs...)
}

var execs = regexp.MustCompile(`execs: (\d+).*new interesting: (\d+)`)

// executions is what the last line of progress says.
func executions(out []byte) string {
	all := execs.FindAllSubmatch(bytes.TrimSpace(out), -1)
	if len(all) == 0 {
		return "ok"
	}
	last := all[len(all)-1]
	return fmt.Sprintf("ok, %s inputs, %s of them new", last[1], last[2])
}
