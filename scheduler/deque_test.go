// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

func TestDequeBehavesLikeAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d deque
		d.init(rapid.IntRange(1, 16).Draw(t, "size"))
		var model []*Ref
		buf := make([]*Ref, stealBatch)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "n") {
					r := new(Ref)
					d.push(r)
					model = append(model, r)
				}
			},
			"take": func(t *rapid.T) {
				r := d.take()
				if len(model) == 0 {
					if r != nil {
						t.Fatal("took from an empty deque")
					}
					return
				}
				if r != model[0] {
					t.Fatal("not the oldest")
				}
				model = model[1:]
			},
			"takeHalf": func(t *rapid.T) {
				n := d.takeHalf(buf)
				if want := min((len(model)+1)/2, len(buf)); n != want {
					t.Fatalf("took %d of %d", n, len(model))
				}
				if !slices.Equal(buf[:n], model[:n]) {
					t.Fatal("not the oldest")
				}
				model = model[n:]
			},
			"wipe": func(t *rapid.T) {
				d.wipe()
				if len(model) > 0 {
					return
				}
				g := d.ring.Load()
				if len(g.slots) != d.small {
					t.Fatal("not shrunk")
				}
				for i := range g.slots {
					if g.slots[i].Load() != nil {
						t.Fatal("a process is kept alive")
					}
				}
			},
			"": func(t *rapid.T) {
				if d.size() != int64(len(model)) {
					t.Fatalf("size is %d, want %d", d.size(), len(model))
				}
			},
		})
	})
}

func TestGlobalQueueBehavesLikeAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q globalQueue
		q.init(rapid.IntRange(1, 16).Draw(t, "size"))
		var model []*Ref
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				r := new(Ref)
				q.push(r)
				model = append(model, r)
			},
			"pushList": func(t *rapid.T) {
				var list *Ref
				for range rapid.IntRange(0, 20).Draw(t, "n") {
					list = &Ref{link: list}
				}
				for r := list; r != nil; r = r.link {
					model = append(model, r)
				}
				q.pushList(list)
			},
			"take": func(t *rapid.T) {
				buf := make([]*Ref, rapid.IntRange(1, 20).Draw(t, "n"))
				n := q.take(buf)
				if n != min(len(buf), len(model)) || !slices.Equal(buf[:n], model[:n]) {
					t.Fatalf("took %d of %d", n, len(model))
				}
				model = model[n:]
			},
		})
	})
}

// TestDequeConcurrentThievesTakeEveryProcessOnce has an owner push, take and
// wipe while thieves take batches.
func TestDequeConcurrentThievesTakeEveryProcessOnce(t *testing.T) {
	const n, thieves = 20_000, 3
	var d deque
	d.init(8)
	refs := make([]Ref, n)
	var taken atomic.Int64
	mark := func(r *Ref) {
		if r.steps.Add(1) != 1 {
			t.Error("taken twice")
		}
		taken.Add(1)
	}
	var wg sync.WaitGroup
	for range thieves {
		wg.Go(func() {
			var buf [stealBatch]*Ref
			for taken.Load() < n {
				k := d.takeHalf(buf[:])
				for _, r := range buf[:k] {
					mark(r)
				}
			}
		})
	}
	for i := range refs {
		d.push(&refs[i])
		if i%3 == 0 {
			if r := d.take(); r != nil {
				mark(r)
			}
		}
		if i%7 == 0 {
			d.wipe()
		}
	}
	wg.Wait()
	d.wipe()
	if d.size() != 0 || taken.Load() != n {
		t.Errorf("size %d, taken %d", d.size(), taken.Load())
	}
}

func TestInjectConcurrentProducersKeepTheirOrder(t *testing.T) {
	const n, producers = 10_000, 3
	var q injectQueue
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range n {
				q.push(&Ref{id: uint64(p), started: int64(i)})
			}
		})
	}
	var next [producers]int64
	for got := 0; got < n*producers; {
		for r := q.takeAll(); r != nil; r = r.link {
			if r.started != next[r.id] {
				t.Fatalf("producer %d: got %d, want %d", r.id, r.started, next[r.id])
			}
			next[r.id]++
			got++
		}
	}
	wg.Wait()
	if !q.empty() {
		t.Error("not empty")
	}
}
