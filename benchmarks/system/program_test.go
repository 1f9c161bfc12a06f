// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// programs are the executables: ours, and the one that measures them.
var programs struct{ wippy, launch string }

func TestMain(m *testing.M) { os.Exit(withPrograms(m)) }

func withPrograms(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wippy-benchmarks-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs.wippy, programs.launch = filepath.Join(dir, "wippy"), filepath.Join(dir, "launch")
	for _, build := range []*exec.Cmd{
		exec.Command("go", "build", "-C", "../../wippy", "-o", programs.wippy, "./cmd/wippy"),
		exec.Command("go", "build", "-o", programs.launch, "./launch"),
	} {
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, build, err)
			return 1
		}
	}
	return m.Run()
}

// BenchmarkHello runs a hello application from exec to exit. The peer is the smallest
// Go program that prints a line: what exec and the Go runtime take by themselves.
func BenchmarkHello(b *testing.B) {
	run := func(b *testing.B, command ...string) {
		var peak, sum int64
		for b.Loop() {
			var stderr strings.Builder
			cmd := exec.Command(programs.launch, command...)
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || !strings.HasPrefix(stderr.String(), "Hello, world!") {
				b.Fatalf("%v %s", err, &stderr)
			}
			var took, kilobytes int64
			if _, err := fmt.Sscan(string(out), &took, &kilobytes); err != nil {
				b.Fatal(err)
			}
			sum += took
			peak = max(peak, kilobytes)
		}
		b.ReportMetric(float64(sum)/float64(b.N), "ns/op")
		b.ReportMetric(float64(peak)/1024, "peak-MiB")
	}
	b.Run("ours", func(b *testing.B) {
		run(b, programs.wippy, "run", "-C", "../../wippy/examples/hello", "-x", "app:main")
	})
	b.Run("smallest-go", func(b *testing.B) { run(b, programs.launch) })
}

// BenchmarkResident spawns 10 000 idle Lua processes in the wippy program and reads from
// the operating system how much its resident memory grew and how much processor time it
// uses while nothing happens.
func BenchmarkResident(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Log("needs /proc")
		return
	}
	const n, quiet = 10_000, 300 * time.Millisecond
	b.Run("ours", func(b *testing.B) {
		var spent, used time.Duration
		var grown int64
		for b.Loop() {
			p := open(b)
			p.spawn(1) // warm
			before := p.resident()
			start := time.Now()
			p.spawn(n)
			spent += time.Since(start)
			grown += p.resident() - before
			cpu := p.processorTime()
			<-time.After(quiet)
			used += p.processorTime() - cpu
			p.close()
		}
		b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*n), "ns/op")
		b.ReportMetric(float64(grown)/float64(b.N*n), "RSS-B/item")
		b.ReportMetric(100*used.Seconds()/(quiet.Seconds()*float64(b.N)), "idle-cpu-%")
	})
}

// program is a wippy running the console of the application.
type program struct {
	b     *testing.B
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Scanner
}

func open(b *testing.B) *program {
	cmd := exec.Command(programs.wippy, "run", "-C", app, "-x", "app:console")
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
	return &program{b, cmd, in, bufio.NewScanner(out)}
}

func (p *program) spawn(n int) {
	if _, err := fmt.Fprintln(p.stdin, n); err != nil {
		p.b.Fatal(err)
	}
	if !p.out.Scan() || p.out.Text() != "ready" {
		p.b.Fatalf("the program said %q %v", p.out.Text(), p.out.Err())
	}
}

func (p *program) close() {
	_ = p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		p.b.Fatal(err)
	}
}

func (p *program) proc(name string) string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), name))
	if err != nil {
		p.b.Fatal(err)
	}
	return string(text)
}

// resident returns the bytes of memory the program occupies.
func (p *program) resident() int64 {
	pages, err := strconv.ParseInt(strings.Fields(p.proc("statm"))[1], 10, 64)
	if err != nil {
		p.b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// processorTime returns how long threads of the program have run.
func (p *program) processorTime() time.Duration {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil {
		p.b.Fatal(err)
	}
	var sum time.Duration
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			p.b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}
