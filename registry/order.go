// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// plan is a changeset in an order that respects dependencies.
type plan struct {
	ops    Changeset
	cycles [][]ID // direct reference cycles that had to be broken; first ID repeated at the end
	// users[i] lists the operations that create or update something that needs what
	// operation i creates or updates.
	users [][]int32
}

type edge struct {
	to   int32
	soft bool // reference to a whole group or namespace: given up first in a cycle
	use  bool // dependency, as opposed to mere sequence
}

// orderer sorts one changeset: a graph over its operations, then Kahn's algorithm
// with a heap, so that among the possible operations the first by namespace, name
// and kind comes first.
type orderer struct {
	ops   Changeset
	succ  [][]edge
	pred  [][]int32
	indeg []int32
	done  []bool
	ready intHeap

	byID   map[ID]int32 // index of the first operation on an entry; the others follow it
	groups map[string][]ID
	spaces map[string][]ID
	vars   map[string]ID
}

// order sorts ops. exists tells which entries exist now: several operations on one
// entry that exists are put in the order delete, create; on a new one they keep the
// caller's order.
func (x *Extractor) order(ops Changeset, exists func(ID) bool) plan {
	if len(ops) < 2 {
		return plan{ops: ops, users: make([][]int32, len(ops))}
	}
	ops = arranged(ops, exists)
	o := &orderer{
		ops: ops, succ: make([][]edge, len(ops)), pred: make([][]int32, len(ops)),
		indeg: make([]int32, len(ops)), done: make([]bool, len(ops)),
		byID: make(map[ID]int32, len(ops)),
	}
	o.index()
	o.connect(x)
	return o.sort()
}

// arranged returns the operations by ID and, for one ID that exists, by kind.
func arranged(ops Changeset, exists func(ID) bool) Changeset {
	at := make([]*Op, len(ops)) // an Op is large: sorting pointers takes half the time
	for i := range ops {
		at[i] = &ops[i]
	}
	slices.SortStableFunc(at, func(a, b *Op) int {
		if c := a.Entry.ID.Compare(b.Entry.ID); c != 0 || !exists(a.Entry.ID) {
			return c
		}
		return cmp.Compare(rankInID(a.Kind), rankInID(b.Kind))
	})
	out := make(Changeset, len(ops))
	for i, op := range at {
		out[i] = *op
	}
	return out
}

func rankInID(k OpKind) int {
	switch k {
	case Delete:
		return 0
	case Create:
		return 1
	}
	return 2
}

func (o *orderer) index() {
	for i := len(o.ops) - 1; i >= 0; i-- {
		o.byID[o.ops[i].Entry.ID] = int32(i)
	}
}

// on returns the operations on an entry, from the first to before the last index.
func (o *orderer) on(id ID) (from, to int32) {
	from, ok := o.byID[id]
	if !ok {
		return 0, 0
	}
	for to = from + 1; int(to) < len(o.ops) && o.ops[to].Entry.ID == id; to++ {
	}
	return from, to
}

// has, inGroup, inNamespace and variable make the changeset itself the universe: only
// references between its own operations order anything.
func (o *orderer) has(id ID) bool {
	_, ok := o.byID[id]
	return ok
}

func (o *orderer) inGroup(group string) []ID {
	if o.groups == nil {
		o.groups = map[string][]ID{}
		for _, op := range o.ops {
			for _, g := range groupsOf(op.value()) {
				o.groups[g] = append(o.groups[g], op.Entry.ID)
			}
		}
	}
	return o.groups[group]
}

func (o *orderer) inNamespace(ns string) []ID {
	if o.spaces == nil {
		o.spaces = map[string][]ID{}
		for _, op := range o.ops {
			o.spaces[op.Entry.ID.Namespace] = append(o.spaces[op.Entry.ID.Namespace], op.Entry.ID)
		}
	}
	return o.spaces[ns]
}

func (o *orderer) variable(name string) (ID, bool) {
	if o.vars == nil {
		o.vars = map[string]ID{}
		for _, op := range o.ops {
			if v := variableName(op.value()); v != "" {
				o.vars[v] = op.Entry.ID
			}
		}
	}
	id, ok := o.vars[name]
	return id, ok
}

// value is the entry the operation leaves behind or, for a delete, takes away.
func (op Op) value() Entry {
	if op.Kind == Delete && op.Original != nil {
		return *op.Original
	}
	return op.Entry
}

func (o *orderer) connect(x *Extractor) {
	for i, op := range o.ops {
		i := int32(i)
		if i > 0 && o.ops[i-1].Entry.ID == op.Entry.ID {
			o.link(i-1, i, false, false)
		}
		if op.Kind != Delete {
			x.resolve(op.Entry, o, func(id ID, soft bool) {
				for j, end := o.on(id); j < end; j++ {
					if o.ops[j].Kind != Delete {
						o.link(j, i, soft, true)
					}
				}
			})
		}
		if op.Kind != Create && op.Original != nil {
			x.resolve(*op.Original, o, func(id ID, soft bool) {
				j, end := o.on(id)
				if op.Kind == Update && end-j > 1 {
					return // replaced, not gone: the update may follow
				}
				for ; j < end; j++ {
					if o.ops[j].Kind == Delete {
						o.link(i, j, soft, false)
					}
				}
			})
		}
	}
}

func (o *orderer) link(from, to int32, soft, use bool) {
	o.succ[from] = append(o.succ[from], edge{to, soft, use})
	o.pred[to] = append(o.pred[to], from)
	o.indeg[to]++
}

func (o *orderer) sort() plan {
	p := plan{ops: make(Changeset, 0, len(o.ops))}
	for i := range o.ops {
		if o.indeg[i] == 0 {
			o.ready = append(o.ready, int32(i))
		}
	}
	heap.Init(&o.ready)
	place := make([]int32, len(o.ops))
	low := int32(0)
	for len(p.ops) < len(o.ops) {
		if o.ready.Len() == 0 {
			for o.done[low] {
				low++
			}
			o.breakCycle(low, &p)
			continue
		}
		i := heap.Pop(&o.ready).(int32)
		if o.done[i] {
			continue
		}
		o.done[i] = true
		place[i] = int32(len(p.ops))
		p.ops = append(p.ops, o.ops[i])
		for _, e := range o.succ[i] {
			o.release(e.to)
		}
	}
	p.users = make([][]int32, len(o.ops))
	for i, es := range o.succ {
		for _, e := range es {
			if e.use {
				p.users[place[i]] = append(p.users[place[i]], place[e.to])
			}
		}
	}
	return p
}

func (o *orderer) release(i int32) {
	if o.indeg[i]--; o.indeg[i] == 0 && !o.done[i] {
		heap.Push(&o.ready, i)
	}
}

// breakCycle finds a cycle by walking backwards from the stuck operation i. Every
// operation left has an unfinished predecessor, so the walk must meet itself.
func (o *orderer) breakCycle(i int32, p *plan) {
	at := map[int32]int{}
	var path []int32
	for {
		if k, ok := at[i]; ok {
			path = path[k:]
			break
		}
		at[i] = len(path)
		path = append(path, i)
		for _, j := range o.pred[i] {
			if !o.done[j] {
				i = j
				break
			}
		}
	}
	slices.Reverse(path) // now path[k] comes before path[k+1]
	// The walk takes any of several edges between the same two operations, so all of
	// them have to be soft for the pair to be given up.
	for k, from := range path {
		to := path[(k+1)%len(path)]
		if o.soft(from, to) {
			o.drop(from, to)
			return
		}
	}
	first := 0
	for k := range path {
		if path[k] < path[first] {
			first = k
		}
	}
	cycle := make([]ID, 0, len(path)+1)
	for k := range path {
		cycle = append(cycle, o.ops[path[(first+k)%len(path)]].Entry.ID)
	}
	// Read as "needs": a reference points against the order.
	slices.Reverse(cycle[1:])
	p.cycles = append(p.cycles, append(cycle, cycle[0]))
	start := path[first]
	prev := path[(first+len(path)-1)%len(path)]
	o.drop(prev, start)
}

func (o *orderer) soft(from, to int32) bool {
	for _, e := range o.succ[from] {
		if e.to == to && !e.soft {
			return false
		}
	}
	return true
}

func (o *orderer) drop(from, to int32) {
	kept := o.succ[from][:0]
	for _, e := range o.succ[from] {
		if e.to != to {
			kept = append(kept, e)
		}
	}
	dropped := len(o.succ[from]) - len(kept)
	o.succ[from] = kept
	o.pred[to] = slices.DeleteFunc(o.pred[to], func(j int32) bool { return j == from })
	for range dropped {
		o.release(to)
	}
}

// cycleText renders a cycle as "a:x -> a:y -> a:x".
func cycleText(cycle []ID) string {
	parts := make([]string, len(cycle))
	for i, id := range cycle {
		parts[i] = id.String()
	}
	return strings.Join(parts, " -> ")
}

type intHeap []int32

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int32)) }
func (h *intHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
