// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/process"
)

//go:embed testdata/contest.erl
var contest []byte

// erlang has a fresh virtual machine with its usual settings, but for the number of
// processes it may have, for each workload.
var erlang = process.Contestant{
	Name:        "erlang",
	Foreign:     true,
	PingPong:    erlangBatch("ping_pong", process.Rounds),
	Ring:        erlangBatch("ring", process.RingSize, process.Laps),
	FanIn:       erlangBatch("fan_in", process.Senders, process.Each),
	FanOut:      erlangBatch("fan_out", process.Receivers, process.Deliveries),
	SpawnDone:   erlangBatch("spawn_done", process.Spawns),
	SpawnInTurn: erlangBatch("spawn_in_turn", process.Spawns),
	Tree:        erlangBatch("tree", process.Leaves, process.Branches),
	Timers:      erlangBatch("timers", process.TimerProcesses, process.Firings, int(process.TimerPeriod.Milliseconds())),
	Crowd:       erlangCrowd,
	Endless:     erlangEndless,
}

// beamDir is where compile puts its result, "" before. TestMain removes it.
var beamDir string

// compile compiles the Erlang source.
var compile = sync.OnceValue(func() (err error) {
	if beamDir, err = os.MkdirTemp("", "benchmarks-erlang-"); err != nil {
		return err
	}
	src := filepath.Join(beamDir, "contest.erl")
	if err := os.WriteFile(src, contest, 0o600); err != nil {
		return err
	}
	if out, err := exec.Command("erlc", "-o", beamDir, src).CombinedOutput(); err != nil {
		return fmt.Errorf("erlc: %w\n%s", err, out)
	}
	return nil
})

// haveErlang reports whether Erlang is installed.
func haveErlang() bool {
	for _, name := range []string{"erl", "erlc"} {
		if _, err := exec.LookPath(name); err != nil {
			return false
		}
	}
	return true
}

// machine is a running Erlang virtual machine.
type machine struct {
	b   *testing.B
	in  io.Writer
	out *bufio.Scanner
}

func newMachine(b *testing.B) *machine {
	if err := compile(); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("erl", "+P", "2000000", "-noshell", "-pa", beamDir, "-s", "contest", "main")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	return &machine{b, in, bufio.NewScanner(out)}
}

// call runs a function of the Erlang source and returns the numbers it answers with.
func (m *machine) call(name string, args ...int) []int64 {
	line := name
	for _, n := range args {
		line += " " + strconv.Itoa(n)
	}
	if _, err := fmt.Fprintln(m.in, line); err != nil {
		m.b.Fatal(err)
	}
	if !m.out.Scan() {
		m.b.Fatalf("erl gave no answer to %q: %v", line, m.out.Err())
	}
	var numbers []int64
	for _, word := range strings.Fields(m.out.Text()) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			m.b.Fatalf("erl answered %q with %q", line, m.out.Text())
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// erlangBatch is a workload that is one call; the first number of the answer is how many
// nanoseconds it took.
func erlangBatch(name string, args ...int) process.Setup {
	return func(b *testing.B) process.Batch {
		m := newMachine(b)
		return func() time.Duration { return time.Duration(m.call(name, args...)[0]) }
	}
}

func erlangCrowd(b *testing.B) process.Crowd {
	m := newMachine(b)
	return process.Crowd{
		Create:    func(n int) { m.call("create", n) },
		Ask:       func() { m.call("ask") },
		End:       func() { m.call("finish") },
		Memory:    func() int64 { return m.call("memory")[0] },
		Processor: func() time.Duration { return time.Duration(m.call("processor")[0]) },
	}
}

func erlangEndless(b *testing.B) process.Endless {
	m := newMachine(b)
	return process.Endless{
		Loop: func(processes int) { m.call("loop", processes) },
		Probe: func(messages int) []time.Duration {
			var out []time.Duration
			for _, n := range m.call("probe", messages) {
				out = append(out, time.Duration(n))
			}
			return out
		},
		Terminate: func() time.Duration { return time.Duration(m.call("terminate")[0]) },
	}
}
