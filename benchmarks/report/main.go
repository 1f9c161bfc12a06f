// SPDX-License-Identifier: Apache-2.0

// Command report turns the output of the benchmarks into a table that sets ours beside
// each peer:
//
//	go test -run '^$' -bench . -count 5 -p 1 ./... | go run ./report
//
// Of several measurements of one thing the median counts. Where single latencies were
// measured, their median (p50-ns) stands for the time. The ratio is the peer's time divided
// by ours: above 1 ours is faster.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	r, err := read(in)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, r.table())
	return err
}
