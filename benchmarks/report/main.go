// SPDX-License-Identifier: Apache-2.0

// Command report turns the output of the benchmarks into a table that sets ours beside
// each peer:
//
//	go test -run '^$' -bench . -count 5 -p 1 ./... | go run ./report
//
// Of several measurements of one thing the median counts. Where single latencies were
// measured, their median (p50-ns) stands for the time. The ratio is the peer's time divided
// by ours: above 1 ours is faster.
//
// With -best the quickest batch of the quickest measurement stands for the time instead
// (best-ns): what a machine that is busy with other work would measure if it were not. The
// other columns are medians all the same.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/wippyrun/kit/benchmarks/internal/results"
)

func main() {
	best := flag.Bool("best", false, "show the time of the quickest batch instead of the median of the means")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *best); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, best bool) error {
	r, err := results.Read(in)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, r.Table(best))
	return err
}
