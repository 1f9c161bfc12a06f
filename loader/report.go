// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"fmt"
	"slices"
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

	_ struct{}
}

// Report tells where the time of a run went.
type Report struct {
	Components []Timing        // in the order of the plan
	Levels     []time.Duration // wall time of Load per level, as far as it got
	Load       time.Duration   // wall time of Load
	Start      time.Duration   // wall time of Start
	Stop       time.Duration   // wall time of Stop

	// CriticalPath is the chain of dependencies whose Load times have the greatest
	// sum, lowest level first. No amount of parallelism makes Load faster than
	// CriticalTime, that sum.
	CriticalPath []string
	CriticalTime time.Duration

	_ struct{}
}

// criticalPath finds the chain. Nodes come after their dependencies, so one pass
// computes the sum of the most expensive chain that ends in each node.
func (g *graph) criticalPath(timings []Timing) ([]string, time.Duration) {
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
	var path []string
	for i := last; i != none; i = before[i] {
		path = append(path, g.nodes[i].Name)
	}
	slices.Reverse(path)
	return path, sum[last]
}

// String returns the report as a table, one component per line.
func (r Report) String() string {
	width := len("component")
	for _, t := range r.Components {
		width = max(width, len(t.Name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "level  %-*s  %10s  %10s  %10s\n", width, "component", "load", "start", "stop")
	for _, t := range r.Components {
		fmt.Fprintf(&b, "%5d  %-*s  %10s  %10s  %10s\n", t.Level, width, t.Name, short(t.Load), short(t.Start), short(t.Stop))
	}
	fmt.Fprintf(&b, "%5s  %-*s  %10s  %10s  %10s\n", "", width, "total", short(r.Load), short(r.Start), short(r.Stop))
	if len(r.CriticalPath) > 0 {
		fmt.Fprintf(&b, "critical path: %s (%s)\n", strings.Join(r.CriticalPath, " → "), short(r.CriticalTime))
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
