// SPDX-License-Identifier: Apache-2.0

// Command bench measures everything the kit promises beside its peers and writes a report:
//
//	go run ./benchmarks/cmd/bench                 # everything: half an hour
//	go run ./benchmarks/cmd/bench -quick          # does it still run? a few minutes
//	go run ./benchmarks/cmd/bench -only S1,U3     # some rows, on the terminal
//	go run ./benchmarks/cmd/bench -json           # one JSON object for each row
//
// Every row is measured in the same run of one program as its peers, in passes that alternate
// with all others; the median of the passes counts. A report says on what machine it was
// made and how busy that was: only ratios say something elsewhere.
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
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/bars"
	"github.com/wippyrun/kit/benchmarks/internal/machine"
	"github.com/wippyrun/kit/benchmarks/internal/runner"
)

// options are those of the command line.
type options struct {
	quick, json, best, list bool
	only, out               string
	passes                  int
	time                    string
}

func main() {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "one short pass, small numbers: shows that everything runs, not how fast")
	flag.BoolVar(&o.json, "json", false, "print one JSON object for each row instead of a table")
	flag.BoolVar(&o.best, "best", false, "let the quickest batch count instead of the median, where there is one")
	flag.BoolVar(&o.list, "list", false, "list the rows and end")
	flag.StringVar(&o.only, "only", "", "measure these rows only, `ids` separated by commas")
	flag.StringVar(&o.out, "o", "", "write the report, with charts beside it, to this `file` (default benchmarks/REPORT.md without -quick, -only and -json)")
	flag.IntVar(&o.passes, "passes", 0, "passes (default 5, with -quick 1)")
	flag.StringVar(&o.time, "time", "", "`time` of each benchmark in a pass (default 100ms, with -quick 10ms)")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: bench [flags]\n\nMeasures the kit beside its peers.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := o.run(ctx, flag.Args(), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	rows, err := choose(o.only)
	if err != nil {
		return err
	}
	if o.list {
		for _, r := range rows {
			fmt.Fprintf(stdout, "%-3s  %s: %s\n", r.ID, r.What, r.Bar)
		}
		return nil
	}
	root, err := findRoot(ctx)
	if err != nil {
		return err
	}
	o.defaults(root)
	began := time.Now()
	rep := report{machine: machine.Describe(), programs: machine.Programs(ctx), began: began, passes: o.passes, time: o.time, best: o.best}

	var runs []bars.Run
	for _, r := range rows {
		runs = append(runs, r.Runs...)
	}
	if o.only == "" {
		runs = append(runs, curveRuns(o.quick)...)
	}
	if o.quick {
		runs = slices.DeleteFunc(runs, func(r bars.Run) bool { return r.Long })
	}
	r := runner.Runner{Root: root, Passes: o.passes, Time: o.time, Progress: stderr}
	if len(runs) == 0 {
		return errors.New("nothing to measure: the rows take minutes and -quick leaves them out")
	}
	if rep.set, _, err = r.Run(ctx, runner.Merge(runs)); err != nil {
		return err
	}
	rep.took = time.Since(began)
	for _, row := range rows {
		rep.add(row)
	}
	switch {
	case o.out != "":
		err = rep.write(o.out, stderr)
	case o.json:
		err = rep.json(stdout)
	default:
		_, err = io.WriteString(stdout, rep.bars())
	}
	if o.quick { // a smoke run: what cannot be measured any more is a defect
		err = errors.Join(err, rep.missing())
	}
	return err
}

// defaults fills in what was not said.
func (o *options) defaults(root string) {
	if o.passes <= 0 {
		o.passes = 5
		if o.quick {
			o.passes = 1
		}
	}
	if o.time == "" {
		o.time = "100ms"
		if o.quick {
			o.time = "10ms"
		}
	}
	if o.out == "" && !o.quick && !o.json && o.only == "" {
		o.out = filepath.Join(root, "benchmarks", "REPORT.md")
	}
}

// choose returns the rows of a list of ids, all for an empty one.
func choose(ids string) ([]bars.Row, error) {
	all := bars.Rows()
	if ids == "" {
		return all, nil
	}
	var rows []bars.Row
	for id := range strings.SplitSeq(ids, ",") {
		id = strings.ToUpper(strings.TrimSpace(id))
		i := slices.IndexFunc(all, func(r bars.Row) bool { return r.ID == id })
		if i < 0 {
			var known []string
			for _, r := range all {
				known = append(known, r.ID)
			}
			return nil, fmt.Errorf("there is no row %q, but %s", id, strings.Join(known, ", "))
		}
		rows = append(rows, all[i])
	}
	return rows, nil
}

// findRoot is where the workspace is.
func findRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	work := strings.TrimSpace(string(out))
	if work == "" || work == "off" {
		return "", errors.New("run it inside the repository, with its go.work in force")
	}
	return filepath.Dir(work), nil
}
