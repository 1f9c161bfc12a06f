// SPDX-License-Identifier: Apache-2.0

// Package runner runs benchmarks pass by pass, so that a busy moment of the machine does not
// hit all measurements of one thing.
package runner

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/bars"
	"github.com/wippyrun/kit/benchmarks/internal/results"
)

// Runner runs benchmarks of the repository at Root.
type Runner struct {
	Root     string
	Passes   int
	Time     string    // of one benchmark, as -benchtime takes it
	Progress io.Writer // what happens, for people
}

// Run builds the test programs of runs and runs them, Passes times each; long ones once. The
// output of all is returned besides what it says.
func (r *Runner) Run(ctx context.Context, runs []bars.Run) (*results.Set, []byte, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	programs := map[string]string{}
	for _, run := range runs {
		if programs[run.Package] != "" {
			continue
		}
		program := filepath.Join(dir, strings.ReplaceAll(run.Package, "/", "-")+".test")
		fmt.Fprintf(r.Progress, "building %s\n", run.Package)
		build := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, "./"+run.Package)
		build.Dir = r.Root
		if out, err := build.CombinedOutput(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w\n%s", run.Package, err, out)
		}
		programs[run.Package] = program
	}
	var all bytes.Buffer
	for pass := 1; pass <= r.Passes; pass++ {
		for i, run := range runs {
			if run.Long && pass > 1 {
				continue
			}
			began := time.Now()
			out, err := r.one(ctx, programs[run.Package], run)
			all.Write(out)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w\n%s", run.Package, err, out)
			}
			fmt.Fprintf(r.Progress, "pass %d of %d, %d of %d: %s %s: %s\n", pass, r.Passes, i+1, len(runs), run.Package, run.Bench,
				time.Since(began).Round(100*time.Millisecond))
		}
	}
	set, err := results.Read(bytes.NewReader(all.Bytes()))
	return set, all.Bytes(), err
}

func (r *Runner) one(ctx context.Context, program string, run bars.Run) ([]byte, error) {
	args := []string{"-test.run", "^$", "-test.bench", run.Bench, "-test.timeout", "30m"}
	if !slices.Contains(run.Args, "-test.benchtime") {
		args = append(args, "-test.benchtime", r.Time)
	}
	cmd := exec.CommandContext(ctx, program, append(args, run.Args...)...)
	cmd.Dir = filepath.Join(r.Root, run.Package)
	return cmd.CombinedOutput()
}

// Merge makes one run of those that share package, arguments and length, so that a benchmark
// that several rows need is run once.
func Merge(runs []bars.Run) []bars.Run {
	var out []bars.Run
	for _, run := range runs {
		i := slices.IndexFunc(out, func(o bars.Run) bool {
			return o.Package == run.Package && o.Long == run.Long && slices.Equal(o.Args, run.Args)
		})
		if i < 0 {
			out = append(out, run)
			continue
		}
		have := strings.Split(out[i].Bench, "|")
		for _, part := range strings.Split(run.Bench, "|") {
			if part = bare(part); !slices.ContainsFunc(have, func(h string) bool { return bare(h) == part }) {
				have = append(have, part)
			}
		}
		for j := range have {
			have[j] = bare(have[j])
		}
		out[i].Bench = "^(" + strings.Join(have, "|") + ")$"
	}
	return out
}

// bare takes the anchors off one name of a pattern.
func bare(part string) string { return strings.TrimRight(strings.TrimLeft(part, "^("), ")$") }
