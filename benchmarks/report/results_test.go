// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestReportSetsPeersBesideOurs(t *testing.T) {
	const in = `goos: linux
pkg: github.com/wippyrun/kit/benchmarks/mailbox
BenchmarkSend/shards=2/ours-2    	 100	  40 ns/op	 0 B/op	 0 allocs/op
BenchmarkSend/shards=2/ours-2    	 100	 400 ns/op	 0 B/op	 0 allocs/op
BenchmarkSend/shards=2/ours-2    	 100	  50 ns/op	 0 B/op	 0 allocs/op
BenchmarkSend/shards=2/channels-2	 100	 125 ns/op	 8 B/op	 1 allocs/op
PASS
pkg: github.com/wippyrun/kit/benchmarks/system
BenchmarkHello/ours-2	 3	 23169886 ns/op	 18.48 peak-MiB
pkg: github.com/wippyrun/kit/benchmarks/process
BenchmarkWakeup/ours-2    	 1	 9000 ns/op	 50000 max-ns	 5000 p50-ns	 40000 p99-ns	 1 a-ns
BenchmarkQuiet/ours-2    	 1	 0.25 idle-cpu-%
erlang is absent: no erl and erlc on PATH
pkg: github.com/wippyrun/kit/benchmarks/process/hollywood
BenchmarkWakeup/hollywood-2    	 1	 9000 ns/op	 50000 max-ns	 10000 p50-ns	 90000 p99-ns
BenchmarkQuiet/hollywood-2    	 1	 0.5 idle-cpu-%
`
	const want = `| measured | who | ns | ratio | B | allocs | other |
|---|---|---:|---:|---:|---:|---|
| mailbox Send/shards=2 | ours | 50 |  | 0 | 0 |  |
|  | channels | 125 | 2.5 | 8 | 1 |  |
| system Hello | ours | 23 169 886 |  |  |  | 18 peak-MiB |
| process Wakeup | ours | 5 000 |  |  |  | 40 000 p99-ns, 50 000 max-ns, 1 a-ns |
|  | hollywood | 10 000 | 2 |  |  | 90 000 p99-ns, 50 000 max-ns |
| process Quiet | ours |  |  |  |  | 0.25 idle-cpu-% |
|  | hollywood |  |  |  |  | 0.5 idle-cpu-% |
`
	var out strings.Builder
	if err := run(strings.NewReader(in), &out, false); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s", &out)
	}
}

func TestReportShowsTheBestWhenAsked(t *testing.T) {
	const in = `pkg: github.com/wippyrun/kit/benchmarks/process
BenchmarkRing/ours-2	 9	 900 ns/op	 20 best-ns	 5 B/op
BenchmarkRing/ours-2	 9	 100 ns/op	 10 best-ns	 7 B/op
BenchmarkRing/ours-2	 9	 800 ns/op	 30 best-ns	 6 B/op
BenchmarkRing/goroutines-2	 9	 50 ns/op	 40 best-ns	 0 B/op
BenchmarkWakeup/ours-2	 1	 9 ns/op	 8 p50-ns	 90 p99-ns
BenchmarkWakeup/ours-2	 1	 9 ns/op	 4 p50-ns	 70 p99-ns
BenchmarkIdle/ours-2	 1	 60 ns/op	 8 B/item
BenchmarkIdle/ours-2	 1	 50 ns/op	 8 B/item
`
	const want = `| measured | who | ns | ratio | B | allocs | other |
|---|---|---:|---:|---:|---:|---|
| process Ring | ours | 10 |  | 6 |  |  |
|  | goroutines | 40 | 4 | 0 |  |  |
| process Wakeup | ours | 4 |  |  |  | 80 p99-ns |
| process Idle | ours | 50 |  | 8 |  |  |
`
	var out strings.Builder
	if err := run(strings.NewReader(in), &out, true); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s", &out)
	}
}

func TestReportRefusesWhatIsNoResult(t *testing.T) {
	for _, in := range []string{"", "--- FAIL: BenchmarkX\nBenchmarkX/ours-2 1 1 ns/op\n", "BenchmarkX/ours-2 1 x ns/op\n"} {
		if err := run(strings.NewReader(in), &strings.Builder{}, false); err == nil {
			t.Errorf("%q: no error", in)
		}
	}
}
