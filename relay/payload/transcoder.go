// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v3"
)

// conversion turns data of one format into data of another. It is called
// concurrently and must not change or keep its argument.
type conversion = func(data any) (any, error)

// Transcoder converts payloads between formats, chaining registered conversions
// along the cheapest path. Paths are computed once and kept until the next
// Register. All methods may be called concurrently. The zero Transcoder has no
// conversions and is ready for use.
type Transcoder struct {
	mu    sync.Mutex            // serialises Register
	graph atomic.Pointer[graph] // never nil after the first Register
}

// graph is one immutable set of conversions with the paths found in it.
type graph struct {
	edges map[Format]map[Format]edge
	// paths holds what route answered for pairs of known formats, so it is
	// bounded by their number squared. Unknown names, which can come from a
	// program, are never stored.
	paths *xsync.MapOf[pair, []conversion]
}

type pair struct{ from, to Format }

type edge struct {
	cost    int
	convert conversion
}

// NewTranscoder makes a transcoder without conversions.
func NewTranscoder() *Transcoder { return new(Transcoder) }

// Register adds a conversion with its cost, a positive number. Registering a pair
// again replaces it. It copies the graph, so it is for setting up; a Transcode
// under way uses the conversions it started with. It panics when the cost is not
// positive, convert is nil or the formats are the same.
func (t *Transcoder) Register(from, to Format, cost int, convert func(data any) (any, error)) {
	switch {
	case cost <= 0:
		panic(fmt.Sprintf("payload: conversion %s to %s with cost %d", from, to, cost))
	case convert == nil:
		panic(fmt.Sprintf("payload: conversion %s to %s is nil", from, to))
	case from == to:
		panic(fmt.Sprintf("payload: conversion of %s to itself", from))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := &graph{edges: make(map[Format]map[Format]edge), paths: xsync.NewMapOf[pair, []conversion]()}
	if old := t.graph.Load(); old != nil {
		for f, out := range old.edges {
			next.edges[f] = maps.Clone(out)
		}
	}
	for _, f := range []Format{from, to} {
		if next.edges[f] == nil {
			next.edges[f] = make(map[Format]edge)
		}
	}
	next.edges[from][to] = edge{cost, convert}
	t.graph.Store(next)
}

// Formats returns all formats that a conversion reads or writes, sorted.
func (t *Transcoder) Formats() []Format {
	g := t.graph.Load()
	if g == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(g.edges))
}

// Transcode converts p to a format. A payload that has the format already is
// returned as it is. Of several ways the cheapest is taken, of equally cheap ones
// the one with fewer conversions. The error is a *TranscodeError; a conversion
// that panics is an error too.
func (t *Transcoder) Transcode(p Payload, to Format) (Payload, error) {
	if p.Format == to {
		return p, nil
	}
	steps := t.route(p.Format, to)
	if len(steps) == 0 {
		return Payload{}, &TranscodeError{From: p.Format, To: to, Cause: ErrNoPath}
	}
	data, err := run(steps, p.Data)
	if err != nil {
		return Payload{}, &TranscodeError{From: p.Format, To: to, Cause: err}
	}
	return Payload{Format: to, Data: data}, nil
}

func run(steps []conversion, data any) (out any, err error) {
	defer func() {
		if v := recover(); v != nil {
			out, err = nil, fmt.Errorf("payload: conversion panicked: %v", v)
		}
	}()
	for _, convert := range steps {
		if data, err = convert(data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// route returns the conversions that lead from one format to another, nil when
// nothing does.
func (t *Transcoder) route(from, to Format) []conversion {
	g := t.graph.Load()
	if g == nil {
		return nil
	}
	key := pair{from, to}
	if steps, ok := g.paths.Load(key); ok {
		return steps
	}
	if g.edges[from] == nil || g.edges[to] == nil {
		return nil
	}
	steps := g.search(from, to)
	g.paths.Store(key, steps)
	return steps
}

// search is Dijkstra's algorithm over (cost, hops). Graphs have about ten nodes,
// so the next node is found by looking at all of them.
func (g *graph) search(from, to Format) []conversion {
	type label struct {
		cost, hops int
		prev       Format
		done       bool
	}
	labels := map[Format]*label{from: {}}
	order := []Format{from}
	for {
		var at Format
		var best *label
		for _, f := range order {
			l := labels[f]
			if !l.done && (best == nil || l.cost < best.cost || l.cost == best.cost && l.hops < best.hops) {
				at, best = f, l
			}
		}
		if best == nil {
			return nil
		}
		if at == to {
			break
		}
		best.done = true
		// Sorted, so that a tie in cost and hops has the same winner every time.
		for _, f := range slices.Sorted(maps.Keys(g.edges[at])) {
			cost, hops := best.cost+g.edges[at][f].cost, best.hops+1
			l := labels[f]
			if l == nil {
				labels[f] = &label{cost: cost, hops: hops, prev: at}
				order = append(order, f)
			} else if cost < l.cost || cost == l.cost && hops < l.hops {
				l.cost, l.hops, l.prev = cost, hops, at
			}
		}
	}
	steps := make([]conversion, labels[to].hops)
	for f, i := to, len(steps)-1; i >= 0; i-- {
		prev := labels[f].prev
		steps[i] = g.edges[prev][f].convert
		f = prev
	}
	return steps
}
