// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/wippyrun/kit/registry"
)

var linearRounds = flag.Int("linear.rounds", 20, "how many concurrent runs are checked")

// The operations of a run.
const (
	opGet = iota
	opSnapshot
	opCreate
	opUpdateBoth
	opDelete
	opMove
	opLook
	ops
)

// call is an operation with its arguments.
type call struct {
	op      int
	name    string  // get, create, delete
	number  float64 // create, update
	version uint64  // move, look
}

// answer is what an operation returned; the version of a change, the version and the
// entries of a read.
type answer struct {
	failed  bool
	version uint64
	entries map[string]float64
}

// made is a version with its entries, and the versions made before it.
type made struct {
	id      uint64
	entries map[string]float64
	before  *made
}

func (m *made) find(id uint64) *made {
	for m != nil && m.id != id {
		m = m.before
	}
	return m
}

func (m *made) equal(o *made) bool {
	for ; m != o; m, o = m.before, o.before { // mostly they have their beginnings in common
		if m == nil || o == nil || m.id != o.id || !maps.Equal(m.entries, o.entries) {
			return false
		}
	}
	return true
}

// system is the registry as it should be: where it is, and all versions.
type system struct{ head, last *made }

// step tells whether the answer is right in this state, and the state after it.
func (s system) step(c call, a answer) (bool, system) {
	now := s.head.entries
	_, exists := now[c.name]
	next := maps.Clone(now)
	switch c.op {
	case opGet:
		return a.failed != exists && (a.failed || a.entries[c.name] == now[c.name]), s
	case opSnapshot:
		return a.version == s.head.id && maps.Equal(a.entries, now), s
	case opLook:
		at := s.last.find(c.version)
		return a.failed == (at == nil) && (a.failed || maps.Equal(a.entries, at.entries)), s
	case opMove:
		to := s.last.find(c.version)
		if to == nil {
			return a.failed, s
		}
		return !a.failed, system{head: to, last: s.last}
	case opCreate:
		if exists {
			return a.failed, s
		}
		next[c.name] = c.number
	case opUpdateBoth:
		for _, name := range pair {
			next[name] = c.number
		}
	case opDelete:
		if !exists {
			return a.failed, s
		}
		delete(next, c.name)
	}
	v := &made{id: s.last.id + 1, entries: next, before: s.last}
	return !a.failed && a.version == v.id, system{head: v, last: v}
}

// pair are entries that every version has and that are only changed together.
var pair = []string{"left", "right"}

func model() porcupine.Model {
	return porcupine.Model{
		Init: func() any {
			root := &made{entries: map[string]float64{"left": 0, "right": 0}}
			return system{head: root, last: root}
		},
		Step: func(state, input, output any) (bool, any) {
			return state.(system).step(input.(call), output.(answer))
		},
		Equal: func(a, b any) bool {
			x, y := a.(system), b.(system)
			return x.head.id == y.head.id && x.last.equal(y.last)
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
}

func id(name string) registry.ID { return registry.NewID("app", name) }

func numbered(name string, n float64) registry.Entry {
	return registry.Entry{ID: id(name), Kind: "test.kind", Data: map[string]any{"n": n}}
}

func numberOf(e registry.Entry) float64 { return e.Data.(map[string]any)["n"].(float64) }

func seen(s registry.Snapshot) answer {
	a := answer{version: s.Version().ID, entries: map[string]float64{}}
	for e := range s.All() {
		a.entries[e.ID.Name] = numberOf(e)
	}
	return a
}

func perform(r *registry.Registry, c call) (answer, error) {
	ctx := context.Background()
	var set registry.Changeset
	switch c.op {
	case opGet:
		e, err := r.Get(id(c.name))
		if errors.Is(err, registry.ErrNotFound) {
			return answer{failed: true}, nil
		}
		return answer{entries: map[string]float64{c.name: numberOf(e)}}, err
	case opSnapshot:
		return seen(r.Snapshot()), nil
	case opLook:
		s, err := r.SnapshotAt(registry.Version{ID: c.version})
		if errors.Is(err, registry.ErrVersionNotFound) {
			return answer{failed: true}, nil
		}
		if err != nil {
			return answer{}, err
		}
		return seen(s), nil
	case opMove:
		err := r.ApplyVersion(ctx, registry.Version{ID: c.version})
		if errors.Is(err, registry.ErrVersionNotFound) {
			return answer{failed: true}, nil
		}
		return answer{}, err
	case opCreate:
		set.CreateEntry(numbered(c.name, c.number))
	case opUpdateBoth:
		for _, name := range pair {
			set.UpdateEntry(numbered(name, c.number))
		}
	case opDelete:
		set.DeleteEntry(id(c.name))
	}
	v, err := r.Apply(ctx, set)
	if err != nil && c.op == opUpdateBoth {
		return answer{}, err
	}
	return answer{failed: err != nil, version: v.ID}, nil
}

// TestConcurrentChangesAreLinearizable has several goroutines change, move and read one
// registry and checks that some order of the operations explains every answer. After a few
// operations each they meet, and everything is read: otherwise a wrong guess of the
// checker about the order may show only much later, and finding another order then takes
// it for ever.
func TestConcurrentChangesAreLinearizable(t *testing.T) {
	for round := range *linearRounds {
		r, err := registry.New()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Listen("test.*", accept{}); err != nil {
			t.Fatal(err)
		}
		if err := r.LoadState(context.Background(), []registry.Entry{numbered("left", 0), numbered("right", 0)}); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(uint64(round), 1))
		start := time.Now()
		var all []porcupine.Operation
		for range 8 {
			all = append(all, together(t, r, rng, start)...)
		}
		if result := porcupine.CheckOperationsTimeout(model(), all, time.Minute); result != porcupine.Ok {
			t.Fatalf("round %d: the answers are %s", round, result)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// together has the clients do some operations each at the same time.
func together(t *testing.T, r *registry.Registry, rng *rand.Rand, start time.Time) []porcupine.Operation {
	const clients, each = 5, 4
	out := make([]porcupine.Operation, clients*each)
	for i := range out {
		out[i].ClientId = i / each
		out[i].Input = call{
			op: rng.IntN(ops), name: string(rune('a' + rng.IntN(2))),
			number: float64(rng.IntN(1000)), version: uint64(rng.IntN(20)),
		}
	}
	do := func(o *porcupine.Operation) {
		o.Call = time.Since(start).Nanoseconds()
		a, err := perform(r, o.Input.(call))
		o.Return = time.Since(start).Nanoseconds()
		if err != nil {
			t.Errorf("%+v: %v", o.Input, err)
		}
		o.Output = a
	}
	var wg sync.WaitGroup
	for mine := range slices.Chunk(out, each) {
		wg.Go(func() {
			for i := range mine {
				do(&mine[i])
			}
		})
	}
	wg.Wait()
	versions, err := r.Versions()
	if err != nil {
		t.Fatal(err)
	}
	reads := []porcupine.Operation{{Input: call{op: opSnapshot}}}
	for _, v := range versions {
		reads = append(reads, porcupine.Operation{Input: call{op: opLook, version: v.ID}})
	}
	for i := range reads {
		do(&reads[i])
	}
	return append(out, reads...)
}

// A checker that accepts everything would prove nothing.
func TestModelNoticesWhatCannotHappen(t *testing.T) {
	at := func(from, to int64, c call, a answer) porcupine.Operation {
		return porcupine.Operation{Input: c, Output: a, Call: from, Return: to}
	}
	first := at(0, 1, call{op: opUpdateBoth, number: 1}, answer{version: 1})
	for name, second := range map[string]porcupine.Operation{
		"stale read":     at(2, 3, call{op: opGet, name: "left"}, answer{entries: map[string]float64{"left": 0}}),
		"half a change":  at(0, 3, call{op: opSnapshot}, answer{version: 1, entries: map[string]float64{"left": 1, "right": 0}}),
		"number twice":   at(2, 3, call{op: opCreate, name: "a"}, answer{version: 1}),
		"lost entry":     at(2, 3, call{op: opGet, name: "right"}, answer{failed: true}),
		"unknown target": at(2, 3, call{op: opMove, version: 9}, answer{}),
	} {
		second.ClientId = 1
		if porcupine.CheckOperations(model(), []porcupine.Operation{first, second}) {
			t.Errorf("%s was accepted", name)
		}
	}
	second := at(2, 3, call{op: opSnapshot}, answer{version: 1, entries: map[string]float64{"left": 1, "right": 1}})
	if !porcupine.CheckOperations(model(), []porcupine.Operation{first, second}) {
		t.Error("what did happen was rejected")
	}
}
