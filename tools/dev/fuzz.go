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
	"time"
)

// target is one fuzz test.
type target struct{ pkg, name string }

// fuzz runs every fuzz target of the repository, one after the other, for a while each. A
// target that fails leaves its input in the testdata of its package, as the go command does.
func fuzz(ctx context.Context, e environment, args []string) error {
	flags := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	flags.SetOutput(e.stderr)
	each := flags.Duration("time", 10*time.Second, "time of each target")
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
	failed := 0
	for i, t := range targets {
		if *list {
			fmt.Fprintf(e.stdout, "%s/%s\n", t.pkg, t.name)
			continue
		}
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", each.String(), "./"+t.pkg)
		cmd.Dir = e.repo.Root
		out, err := cmd.CombinedOutput()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		verdict := executions(out)
		if err != nil {
			failed++
			verdict = "FAILED\n" + string(out)
		}
		fmt.Fprintf(e.stdout, "%d of %d  %s/%s  %s\n", i+1, len(targets), t.pkg, t.name, verdict)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d targets failed", failed, len(targets))
	}
	return nil
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
