// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"math/bits"
	"sync"
	"time"
)

// Resolution is the width of one tick: deadlines are rounded up to it. A sleep of 1 ms ends at most 13 %
// late, and wake-ups that are closer together share one.
const Resolution = time.Duration(1 << 17) // 131 µs

const (
	slotBits = 6
	slots    = 1 << slotBits
	// levels is chosen to cover every duration worth waiting for: 64^7 ticks are 18 years. Timers beyond that are
	// visited once per round of the top level and put back.
	levels = 7

	// batch bounds how many timers fire between two looks at the lock.
	batch = 64
)

// wheel is a hierarchical timing wheel. A slot of level l holds timers due within a range of 64^l ticks; when
// that range begins, they move down. A timer's level is given by the highest bit in which its deadline
// differs from the present, so a slot never mixes rounds.
type wheel struct {
	start   time.Time // tick 0
	onPanic func(value any, stack []byte)

	mu       sync.Mutex
	now      int64 // last tick that was processed
	occupied [levels]uint64
	slot     [levels][slots]list
	due      list        // timers to fire, in order
	firing   bool        // some goroutine fires
	waker    *time.Timer // runs advance; nil until first needed
	wake     int64       // tick the waker is set to, 0 when it is not
}

// list is a doubly linked list of timers through their next and prev.
type list struct{ head, tail *Timer }

func (l *list) push(t *Timer) {
	t.prev, t.next, t.in = l.tail, nil, l
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.next = t
	}
	l.tail = t
}

func (l *list) remove(t *Timer) {
	if t.prev == nil {
		l.head = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.tail = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.next, t.prev, t.in = nil, nil, nil
}

// ticks returns the tick that contains the time at, counted from the start of the wheel.
func ticks(at time.Duration) int64 { return int64(at / Resolution) }

// deadline returns the first tick not before at + d.
func deadline(at, d time.Duration) int64 {
	const end = 1 << 62 // in nanoseconds: 146 years
	if d > end-at {
		return end / int64(Resolution)
	}
	return int64((max(at+d, 0) + Resolution - 1) / Resolution)
}

// since returns the time now, counted from the start of the wheel.
func (w *wheel) since() time.Duration { return time.Since(w.start) }

// insert puts t where its deadline belongs. mu is held.
func (w *wheel) insert(t *Timer) {
	when := max(t.when, w.now+1)
	level := (63 - bits.LeadingZeros64(uint64(when^w.now)|(slots-1))) / slotBits
	level = min(level, levels-1)
	i := when >> (slotBits * level) & (slots - 1)
	w.slot[level][i].push(t)
	w.occupied[level] |= 1 << i
	t.level, t.slot = uint8(level), uint8(i)
}

// remove takes t out of its slot or the due list. mu is held.
func (w *wheel) remove(t *Timer) {
	l := t.in
	l.remove(t)
	if l != &w.due && l.head == nil {
		w.occupied[t.level] &^= 1 << t.slot
	}
}

// next returns the tick at which the first occupied slot begins, and the slot. mu is held.
func (w *wheel) next() (at int64, level, i int, ok bool) {
	for level := range levels {
		if w.occupied[level] == 0 {
			continue
		}
		shift := slotBits * level
		// From the slot after the present one once round to the present one: at the top level that one holds what is
		// a full round away.
		here := int(w.now >> shift & (slots - 1))
		ahead := bits.TrailingZeros64(bits.RotateLeft64(w.occupied[level], -here-1)) + 1
		i := (here + ahead) & (slots - 1)
		at := (w.now>>shift + int64(ahead)) << shift
		return at, level, i, true
	}
	return 0, 0, 0, false
}

// turn moves the wheel to tick to and collects what is due. mu is held.
func (w *wheel) turn(to int64) {
	for {
		at, level, i, ok := w.next()
		if !ok || at > to {
			w.now = max(w.now, to)
			return
		}
		w.now = at
		l := w.slot[level][i]
		w.slot[level][i] = list{}
		w.occupied[level] &^= 1 << i
		for t := l.head; t != nil; {
			following := t.next
			if t.when <= at {
				w.due.push(t)
			} else {
				w.insert(t)
			}
			t = following
		}
	}
}

// schedule makes sure that the waker runs in time for the first deadline. mu is held.
func (w *wheel) schedule() {
	at, _, _, ok := w.next()
	if !ok || w.firing || w.wake != 0 && w.wake <= at {
		return
	}
	w.wake = at
	d := time.Duration(at)*Resolution - w.since()
	if w.waker == nil {
		w.waker = time.AfterFunc(d, w.advance)
	} else {
		w.waker.Reset(d)
	}
}

// advance fires what is due and sets the waker for the rest. At most one goroutine is in it past the check.
func (w *wheel) advance() {
	w.mu.Lock()
	if w.firing {
		w.mu.Unlock()
		return
	}
	w.firing, w.wake = true, 0
	var fired [batch]shot
	for {
		now := time.Now()
		since := now.Sub(w.start)
		w.turn(ticks(since))
		n := 0
		for ; n < batch && w.due.head != nil; n++ {
			t := w.due.head
			w.due.remove(t)
			fired[n] = t.fired()
		}
		if n == 0 {
			break
		}
		w.mu.Unlock()
		for i := range n {
			w.deliver(&fired[i], now)
		}
		w.mu.Lock()
		for i := range n {
			fired[i].rearm(w, since)
			fired[i] = shot{}
		}
	}
	w.firing = false
	w.schedule()
	w.mu.Unlock()
}
