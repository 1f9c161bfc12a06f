// SPDX-License-Identifier: Apache-2.0

package scheduler

import "sync/atomic"

// deque is a worker's queue of ready processes: the growable circular array of
// Chase and Lev ("Dynamic Circular Work-Stealing Deque", SPAA 2005).
//
// The owner pushes at the bottom. Everybody, the owner included, takes at the
// top. The owner does without the LIFO pop of the paper: run order is then
// first in, first out, so no ready process can be starved by younger ones (the
// worker's LIFO slot keeps the cache benefit for the one process where it
// counts), and because nobody takes at the bottom, claiming several processes
// at the top is a single CAS.
//
// # Memory order
//
// Lê, Pop, Cohen and Zappa Nardelli ("Correct and Efficient Work-Stealing for
// Weak Memory Models", PPoPP 2013) list what C11 needs. Go's atomics are
// sequentially consistent, which is at least as strong at every point; the
// points that matter, and what would break without them:
//
//   - push writes the slot before bottom (their release fence). A thief that
//     reads bottom > i therefore reads slot i as it was written, never an older
//     lap of the ring. What the slot points to is published by the same pair.
//   - Takers read top before bottom (their acquire and sequentially consistent
//     fence). The other way round, bottom could be older than top, and the
//     length would count processes that are gone; here a stale top only makes it
//     too long, and then the CAS fails.
//   - Takers read the ring after bottom (their consume). A ring read before
//     could be one that grow has replaced, too small for the slot meant.
//   - The CAS of top is the only moment at which a process changes hands, and
//     top only grows, so there is no ABA: if top is still t, slots t to t+n
//     were neither taken nor reused. A slot is written again only by a push at
//     b ≥ t+len(ring), which push refuses before top has passed t; or by wipe,
//     when top = bottom.
//   - The fence of their take, between moving bottom and reading top, guards
//     the race of owner and thief for the last item at the bottom. There is no
//     such race here, because the owner takes at the top like everybody else.
//
// Slots are atomics although most values read from them are decided by top:
// a taker that will lose the CAS may read one while the owner writes it, which
// as plain accesses would be a data race.
type deque struct {
	top    atomic.Int64 // next to take; moved by CAS by anybody
	_      [56]byte
	bottom atomic.Int64 // next free; moved by the owner
	ring   atomic.Pointer[ring]
	wiped  int64 // owner only: slots below hold no pointers
	small  int   // size to shrink to
}

type ring struct {
	mask  int64
	slots []atomic.Pointer[Ref]
}

func newRing(size int) *ring {
	return &ring{mask: int64(size - 1), slots: make([]atomic.Pointer[Ref], size)}
}

func (g *ring) slot(i int64) *atomic.Pointer[Ref] { return &g.slots[i&g.mask] }

// init sets the initial capacity, rounded up to a power of two.
func (d *deque) init(size int) {
	n := 8
	for n < size {
		n <<= 1
	}
	d.small = n
	d.ring.Store(newRing(n))
}

// push adds r at the bottom. Owner only.
func (d *deque) push(r *Ref) {
	b, t := d.bottom.Load(), d.top.Load()
	g := d.ring.Load()
	if b-t > g.mask {
		g = d.grow(g, t, b)
	}
	g.slot(b).Store(r)
	d.bottom.Store(b + 1)
}

func (d *deque) grow(old *ring, t, b int64) *ring {
	g := newRing(len(old.slots) * 2)
	for i := t; i < b; i++ {
		g.slot(i).Store(old.slot(i).Load())
	}
	d.wiped = t
	// Thieves that still hold the old ring read the same processes from it; the
	// owner never writes to it again.
	d.ring.Store(g)
	return g
}

// size returns how many processes wait; exact for the owner while nobody steals.
func (d *deque) size() int64 { return d.bottom.Load() - d.top.Load() }

// take removes the oldest process, or returns nil.
func (d *deque) take() *Ref {
	for {
		t := d.top.Load()
		if t >= d.bottom.Load() {
			return nil
		}
		r := d.ring.Load().slot(t).Load()
		if d.top.CompareAndSwap(t, t+1) {
			return r
		}
	}
}

// takeHalf claims half of the processes, rounded up, at most len(buf), in one
// step, and returns how many it put into buf. It gives up on contention.
func (d *deque) takeHalf(buf []*Ref) int {
	t := d.top.Load()
	n := d.bottom.Load() - t
	if n <= 0 {
		return 0
	}
	n = min((n+1)/2, int64(len(buf)))
	// The ring is loaded after bottom, so it holds every process in [t, t+n). A
	// slot of it is reused only after top has passed it, and then the CAS fails.
	g := d.ring.Load()
	for i := range n {
		buf[i] = g.slot(t + i).Load()
	}
	if !d.top.CompareAndSwap(t, t+n) {
		clear(buf[:n])
		return 0
	}
	return int(n)
}

// wipe forgets processes that were taken, so that an idle worker keeps none of
// them alive, and gives a grown ring back. Owner only; does nothing unless the
// deque is empty. Thieves holding an old top cannot succeed any more, so the
// slots are free to be written.
func (d *deque) wipe() {
	b := d.bottom.Load()
	if d.top.Load() != b {
		return
	}
	g := d.ring.Load()
	if len(g.slots) > d.small {
		d.ring.Store(newRing(d.small))
	} else {
		for i := max(d.wiped, b-int64(len(g.slots))); i < b; i++ {
			g.slot(i).Store(nil)
		}
	}
	d.wiped = b
}
