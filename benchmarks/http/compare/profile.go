// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// groups are what the costs of a request are divided among. A sample belongs to the first
// group that knows a function of its stack, from the innermost call outwards, so that what
// the standard library does for somebody counts as theirs.
var groups = []struct {
	name  string
	known []string // beginnings of names of functions
}{
	{"garbage collection", []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart", "runtime.gcMarkTermination",
		"runtime.gcMarkDone", "runtime.deductSweepCredit", "runtime.wbBufFlush", "runtime.gcWriteBarrier", "runtime.bulkBarrier"}},
	{"memory allocation", []string{"runtime.mallocgc", "runtime.newstack", "runtime.morestack"}},
	{"system calls", []string{"syscall.", "internal/runtime/syscall", "internal/poll."}},
	{"goroutine switches", []string{"runtime.mcall", "runtime.schedule", "runtime.findRunnable", "runtime.goready", "runtime.ready", "runtime.wakep", "runtime.mstart", "runtime.gosched_m",
		"runtime.sysmon", "runtime.chansend", "runtime.chanrecv", "runtime.selectgo", "runtime.gopark", "runtime.netpoll", "runtime.newproc", "runtime.goexit0", "runtime.systemstack"}},
	{"JSON", []string{kit + "luart/modules/json"}},
	{"Lua: interpreter, module functions", []string{"github.com/yuin/gopher-lua", kit + "luart/", kit + "wippy/lua/"}},
	{"our HTTP layer", []string{kit + "wippy/service/http", kit + "wippy/system/exchange", kit + "wippy/system/logs", kit + "wippy/system/metrics"}},
	{"the call: pool, process, scheduler, frames", []string{kit}},
	{"net/http", []string{"net/http.", "net/http/", "net."}},
}

const (
	kit   = "github.com/wippyrun/kit/"
	other = "other"
)

// groupOf finds the group of a stack.
func groupOf(s *profile.Sample) string {
	for _, l := range s.Location {
		for _, line := range l.Line {
			if line.Function == nil {
				continue
			}
			for _, g := range groups {
				for _, known := range g.known {
					if strings.HasPrefix(line.Function.Name, known) {
						return g.name
					}
				}
			}
		}
	}
	return other
}

// share sums one value of the samples by group.
func share(p *profile.Profile, value string) (map[string]int64, int64, error) {
	for i, t := range p.SampleType {
		if t.Type != value {
			continue
		}
		sums, total := map[string]int64{}, int64(0)
		for _, s := range p.Sample {
			sums[groupOf(s)] += s.Value[i]
			total += s.Value[i]
		}
		return sums, total, nil
	}
	return nil, 0, fmt.Errorf("the profile has no %s", value)
}

// costs are those of one server, by group, per request.
type costs struct {
	cpu            time.Duration // per request, as the system counts it
	share          map[string]float64
	objects, bytes map[string]float64
	all            struct{ objects, bytes float64 }
}

// profiled drives a server with wrk, and takes profiles of it meanwhile.
func profiled(ctx context.Context, wrk string, s *server, connections int) (*costs, error) {
	if _, err := measure(ctx, wrk, s, connections); err != nil { // what happens once happens here
		return nil, err
	}
	type outcome struct {
		r   result
		err error
	}
	measured := make(chan outcome, 1)
	go func() {
		r, err := measure(ctx, wrk, s, connections)
		measured <- outcome{r, err}
	}()
	seconds := max(1, int(options.duration/time.Second)-1)
	allocations := make(chan *profile.Profile, 1)
	failures := make(chan error, 2)
	go func() {
		p, err := fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/allocs?seconds=%d", s.profiler, seconds))
		failures <- err
		allocations <- p
	}()
	cpu, err := fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.profiler, seconds))
	failures <- err
	memory, o := <-allocations, <-measured
	for _, err := range []error{<-failures, <-failures, o.err} {
		if err != nil {
			return nil, err
		}
	}
	c := &costs{cpu: o.r.cpu, share: map[string]float64{}, objects: map[string]float64{}, bytes: map[string]float64{}}
	sums, total, err := share(cpu, "cpu")
	if err != nil {
		return nil, err
	}
	for name, sum := range sums {
		c.share[name] = float64(sum) / float64(max(total, 1))
	}
	requests := o.r.Rate * float64(seconds)
	for value, into := range map[string]map[string]float64{"alloc_objects": c.objects, "alloc_space": c.bytes} {
		sums, total, err := share(memory, value)
		if err != nil {
			return nil, err
		}
		for name, sum := range sums {
			into[name] = float64(sum) / requests
		}
		if value == "alloc_space" {
			c.all.bytes = float64(total) / requests
		} else {
			c.all.objects = float64(total) / requests
		}
	}
	return c, nil
}

func fetch(ctx context.Context, url string) (*profile.Profile, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", url, res.Status, bytes.TrimSpace(body))
	}
	return profile.ParseData(body)
}

// split prints what a request costs, by group, beside bare net/http.
func split(ctx context.Context, w io.Writer, wrk string, servers []*server) error {
	for text := range strings.SplitSeq(options.connections, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("connections: %q is no number above 0", text)
		}
		var all []*costs
		for _, s := range servers {
			c, err := profiled(ctx, wrk, s, n)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			all = append(all, c)
		}
		printSplit(w, n, servers, all)
	}
	return nil
}

func printSplit(w io.Writer, connections int, servers []*server, all []*costs) {
	fmt.Fprintf(w, "\n%d connections: processor time, share of it, objects and bytes allocated, for each request\n\n| part |", connections)
	for _, s := range servers {
		fmt.Fprintf(w, " %s µs | %% | objects | bytes |", s.name)
	}
	fmt.Fprintf(w, "\n|---|%s\n", strings.Repeat("---:|---:|---:|---:|", len(servers)))
	row := func(name string, one func(c *costs) (us, share, objects, bytes float64)) {
		fmt.Fprintf(w, "| %s |", name)
		for _, c := range all {
			us, share, objects, bytes := one(c)
			fmt.Fprintf(w, " %.1f | %.0f | %.1f | %.0f |", us, share, objects, bytes)
		}
		fmt.Fprintln(w)
	}
	names := []string{}
	for i := range groups {
		names = append(names, groups[len(groups)-1-i].name)
	}
	for _, name := range append(names, other) {
		row(name, func(c *costs) (float64, float64, float64, float64) {
			return c.share[name] * float64(c.cpu) / 1e3, 100 * c.share[name], c.objects[name], c.bytes[name]
		})
	}
	row("all", func(c *costs) (float64, float64, float64, float64) {
		return float64(c.cpu) / 1e3, 100, c.all.objects, c.all.bytes
	})
}
