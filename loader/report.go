// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Timing is the time one component took. A duration is 0 for a function that the
// component does not have or that was not called yet.
type Timing struct {
	Name  string
	Level int
	Load  time.Duration
	Start time.Duration
	Stop  time.Duration

	// Running is the phase whose call is in progress, empty for none; the duration
	// of that phase is then the time so far. This is how to find the component that
	// an application without time-outs hangs in.
	Running Phase

	_ struct{}
}

// of returns the place of a phase's duration.
func (t *Timing) of(phase Phase) *time.Duration {
	switch phase {
	case PhaseLoad:
		return &t.Load
	case PhaseStart:
		return &t.Start
	default:
		return &t.Stop
	}
}

// Report tells where the time of a run went.
type Report struct {
	Components []Timing        // in the order of the plan
	Levels     []time.Duration // wall time of Load per level, as far as it got
	Load       time.Duration   // wall time of Load, of stopping after a failure too
	Start      time.Duration   // wall time of Start, of stopping after a failure too
	Stop       time.Duration   // wall time of Stop

	// CriticalPath is what Load waited for: the slowest component of every level,
	// lowest level first, levels that took no time left out. A level is a barrier, so
	// nothing else makes Load faster. CriticalTime, the sum of their Load times, is
	// the wall time of Load less the loader's own.
	CriticalPath []string
	CriticalTime time.Duration

	// LongestChain is the chain of dependencies whose Load times have the greatest
	// sum, lowest level first. ChainTime, that sum, is at most CriticalTime: what
	// Load could come down to if dependencies were the only thing to wait for.
	LongestChain []string
	ChainTime    time.Duration

	_ struct{}
}

// Report returns the times measured so far. It may be called at any time, also
// while Load, Start or Stop is in progress.
func (l *Loader) Report() Report {
	l.mu.Lock()
	r := l.report
	r.Components = slices.Clone(r.Components)
	r.Levels = slices.Clone(r.Levels)
	for n := range r.Components {
		if t := &r.Components[n]; t.Running != "" {
			*t.of(t.Running) = time.Since(l.began[n])
		}
	}
	l.mu.Unlock()
	r.CriticalPath, r.CriticalTime = l.graph.criticalPath(r.Components)
	r.LongestChain, r.ChainTime = l.graph.longestChain(r.Components)
	return r
}

// note updates the report.
func (l *Loader) note(update func(*Report)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	update(&l.report)
}

// criticalPath finds the slowest component of every level, of equals the first by
// name.
func (g *graph) criticalPath(timings []Timing) (path []string, sum time.Duration) {
	for _, row := range g.levels {
		slowest := row[0]
		for _, n := range row {
			if timings[n].Load > timings[slowest].Load {
				slowest = n
			}
		}
		if took := timings[slowest].Load; took > 0 {
			path = append(path, timings[slowest].Name)
			sum += took
		}
	}
	return path, sum
}

// longestChain finds the chain. Nodes come after their dependencies, so one pass
// computes the sum of the most expensive chain that ends in each node.
func (g *graph) longestChain(timings []Timing) ([]string, time.Duration) {
	if len(g.nodes) == 0 {
		return nil, 0
	}
	const none = -1
	sum := make([]time.Duration, len(g.nodes))
	before := make([]int, len(g.nodes))
	last := 0
	for i, n := range g.nodes {
		before[i] = none
		for _, d := range n.deps {
			if before[i] == none || sum[d] > sum[before[i]] {
				before[i] = d
			}
		}
		sum[i] = timings[i].Load
		if before[i] != none {
			sum[i] += sum[before[i]]
		}
		if sum[i] > sum[last] {
			last = i
		}
	}
	if sum[last] == 0 {
		return nil, 0
	}
	var path []string
	for i := last; i != none; i = before[i] {
		path = append(path, g.nodes[i].Name)
	}
	slices.Reverse(path)
	return path, sum[last]
}

// String returns the report as a table, one component per line. The time of a call
// in progress is followed by "+".
func (r Report) String() string {
	width := len("component")
	for _, t := range r.Components {
		width = max(width, len(t.Name))
	}
	var b strings.Builder
	line := func(level, name, load, start, stop string) {
		fmt.Fprintf(&b, "%5s  %-*s  %10s  %10s  %10s\n", level, width, name, load, start, stop)
	}
	line("level", "component", "load", "start", "stop")
	for _, t := range r.Components {
		cell := func(phase Phase) string {
			text := short(*t.of(phase))
			if t.Running == phase {
				text += "+"
			}
			return text
		}
		line(strconv.Itoa(t.Level), t.Name, cell(PhaseLoad), cell(PhaseStart), cell(PhaseStop))
	}
	line("", "total", short(r.Load), short(r.Start), short(r.Stop))
	if len(r.CriticalPath) > 0 {
		fmt.Fprintf(&b, "critical path: %s (%s)\n", strings.Join(r.CriticalPath, " → "), short(r.CriticalTime))
	}
	if r.ChainTime < r.CriticalTime {
		fmt.Fprintf(&b, "longest chain: %s (%s)\n", strings.Join(r.LongestChain, " → "), short(r.ChainTime))
	}
	return b.String()
}

func short(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	default:
		return d.Round(10 * time.Microsecond).String()
	}
}
