// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

// TestEventQueueBehavesLikeAList compares the queue and state word of a process with
// a list and a state, through everything a worker and producers do to them.
func TestEventQueueBehavesLikeAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Scheduler{}
		w := newWorker(s)
		r := &Ref{sched: s}
		var queue []Event // for Step
		waiting := 0      // nodes, those not for Step included
		yields := int32(0)
		inHand, closed := true, false
		push := func(n *node) {
			r.queued.Add(1)
			got := r.push(n)
			switch {
			case closed:
				if got != pushClosed {
					t.Fatalf("pushed to a closed queue: %d", got)
				}
				r.queued.Add(-1)
				return
			case inHand && got != pushQueued, !inHand && got != pushReady:
				t.Fatalf("in hand %v, push returned %d", inHand, got)
			}
			inHand = true
			waiting++
			if n.event.Kind == MessageEvent || n.event.Kind == YieldComplete && n.event.gen == 0 {
				queue = append(queue, n.event)
			}
		}
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"message": func(t *rapid.T) {
				for range rapid.IntRange(1, eventBatch+50).Draw(t, "n") {
					next++
					push(&node{event: Event{Kind: MessageEvent, Data: next}})
				}
			},
			"completion": func(t *rapid.T) {
				next++
				yields++
				r.open.Store(r.open.Load() + 1)
				push(&node{event: Event{Kind: YieldComplete, Tag: dispatch.Tag(next)}})
			},
			"late completion": func(*rapid.T) {
				push(&node{event: Event{Kind: YieldComplete, Data: "late", gen: 1}})
			},
			"wake": func(*rapid.T) { push(&node{event: Event{Kind: wakeEvent}}) },
			"collect": func(t *rapid.T) {
				if !inHand || closed {
					return
				}
				for _, ev := range w.collect(r) {
					if len(queue) == 0 || ev != queue[0] {
						t.Fatalf("got %v, want the first of %v", ev, queue)
					}
					if ev.Kind == YieldComplete {
						yields--
					}
					queue = queue[1:]
				}
				waiting = int(r.queued.Load())
				if waiting < len(queue) || r.open.Load() < yields {
					t.Fatalf("%d counted, %d wait; %d yields open, want %d", waiting, len(queue), r.open.Load(), yields)
				}
			},
			"rest": func(t *rapid.T) {
				if !inHand || closed {
					return
				}
				w.rest(r)
				if again := w.deque.take() != nil; again != (waiting > 0) {
					t.Fatalf("queued again %v, %d events wait", again, waiting)
				}
				inHand = waiting > 0
				want := Ready
				switch {
				case !inHand && yields > 0:
					want = Blocked
				case !inHand:
					want = Idle
				}
				if got := r.state(); got != want {
					t.Fatalf("state %v, want %v", got, want)
				}
			},
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") > 0 || !inHand || closed {
					return
				}
				s.closeQueue(r)
				closed = true
				if r.queued.Load() != 0 || r.state() != Complete {
					t.Fatalf("closed with %d events, state %v", r.queued.Load(), r.state())
				}
			},
		})
	})
}

// TestEventQueueConcurrentProducersKeepTheirOrder has producers push while one
// consumer takes and lets go, as a worker does.
func TestEventQueueConcurrentProducersKeepTheirOrder(t *testing.T) {
	const producers, each = 4, 5000
	s := &Scheduler{}
	w := newWorker(s)
	r := &Ref{sched: s}
	r.head.Store(idleMark)
	ready := make(chan struct{}, 1) // whoever makes the process ready
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				r.queued.Add(1)
				if r.push(&node{event: Event{Kind: MessageEvent, Tag: dispatch.Tag(p), Data: i}}) == pushReady {
					ready <- struct{}{} // never blocks: only one can be responsible
				}
			}
		})
	}
	var seen [producers]int
	for total := 0; total < producers*each; {
		<-ready
		for again := true; again; again = w.deque.take() != nil {
			for _, ev := range w.collect(r) {
				if ev.Data != seen[ev.Tag] {
					t.Fatalf("producer %d: got %v, want %d", ev.Tag, ev.Data, seen[ev.Tag])
				}
				seen[ev.Tag]++
				total++
			}
			w.rest(r)
		}
	}
	wg.Wait()
	if len(ready) != 0 || r.head.Load() != idleMark {
		t.Error("made ready without an event")
	}
}
