// SPDX-License-Identifier: Apache-2.0

// Package bars holds what the kit wants to reach: one row for each bar, with the benchmarks
// that measure it and the verdict on what they measured.
package bars

import (
	"fmt"

	"github.com/wippyrun/kit/benchmarks/internal/results"
)

// Row is one bar.
type Row struct {
	ID   string
	What string
	Bar  string // in words
	Unit string // of the value
	Runs []Run  // what measures it
	// judge finds the value among the results.
	judge func(m measured) Outcome
}

// Run is a benchmark of one package.
type Run struct {
	Package string // below the repository's module path
	Bench   string // regular expression for -bench
	Args    []string
	Long    bool // takes minutes: one pass, left out of quick reports
}

// Outcome is what was measured for a row.
type Outcome struct {
	Value float64
	Peers []Peer
	OK    bool
	Note  string // what else counts, or what is missing
}

// Peer is the value of somebody else in the same run.
type Peer struct {
	Name  string
	Value float64
}

// Judge finds the outcome of the row; known is false when nothing of it was measured.
func (r Row) Judge(s *results.Set, best bool) (o Outcome, known bool) {
	defer func() {
		if v := recover(); v != nil {
			missing, ok := v.(notMeasured)
			if !ok {
				panic(v)
			}
			o, known = Outcome{Note: string(missing)}, false
		}
	}()
	return r.judge(measured{s, best}), true
}

// notMeasured ends a judgement that lacks a measurement.
type notMeasured string

// measured looks results up. A lookup that must succeed ends the judgement when it does not.
type measured struct {
	set  *results.Set
	best bool
}

// time is the time of a contestant in nanoseconds.
func (m measured) time(thing, who string) float64 {
	v, ok := m.set.Time(thing, who, m.best)
	if !ok {
		panic(notMeasured(thing + " of " + who + " was not measured"))
	}
	return v
}

// value is a measurement in a unit.
func (m measured) value(thing, who, unit string) float64 {
	v, ok := m.set.Value(thing, who, unit)
	if !ok {
		panic(notMeasured(thing + " of " + who + " has no " + unit))
	}
	return v
}

// peers are the times of everybody else, divided by per.
func (m measured) peers(thing string, per float64) []Peer {
	var list []Peer
	for _, who := range m.set.Who(thing) {
		if v, ok := m.set.Time(thing, who, m.best); ok && who != ours {
			list = append(list, Peer{who, v / per})
		}
	}
	return list
}

// peersIn are the measurements of everybody else in a unit.
func (m measured) peersIn(thing, unit string, per float64) []Peer {
	var list []Peer
	for _, who := range m.set.Who(thing) {
		if v, ok := m.set.Value(thing, who, unit); ok && who != ours {
			list = append(list, Peer{who, v / per})
		}
	}
	return list
}

const ours = "ours"

// allocations are those of ours per operation.
func (m measured) allocations(thing string) float64 { return m.value(thing, ours, "allocs/op") }

// atMost is the judgement of a row whose time must not exceed limit, in the unit that per
// nanoseconds make.
func atMost(thing string, limit, per float64) func(measured) Outcome {
	return func(m measured) Outcome {
		v := m.time(thing, ours) / per
		return Outcome{Value: v, Peers: m.peers(thing, per), OK: v <= limit}
	}
}

// withoutAllocations also wants no allocations.
func withoutAllocations(thing string, judge func(measured) Outcome) func(measured) Outcome {
	return withAllocations(thing, 0, judge)
}

// withAllocations also bounds the allocations. What the runtime and the test framework do
// besides, less than one in a hundred operations, does not count.
func withAllocations(thing string, most float64, judge func(measured) Outcome) func(measured) Outcome {
	return func(m measured) Outcome {
		o := judge(m)
		n := m.allocations(thing)
		o.OK = o.OK && n < most+0.01
		o.Note = fmt.Sprintf("%.2g allocations", n)
		return o
	}
}

func run(pkg, bench string, args ...string) []Run {
	return []Run{{Package: "benchmarks/" + pkg, Bench: "^(" + bench + ")$", Args: args}}
}
