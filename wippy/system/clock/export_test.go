// SPDX-License-Identifier: Apache-2.0

package clock

// Keyed returns how many timers are found by a key.
func (c *Clock) Keyed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.keyed)
}

// Wheel is a wheel without a clock: a test turns it by hand.
type Wheel struct{ w wheel }

// Insert adds a timer due at that tick and returns it.
func (w *Wheel) Insert(when int64) *Timer {
	t := &Timer{when: when, state: armed}
	w.w.insert(t)
	return t
}

// Remove takes a timer off that has not been collected.
func (w *Wheel) Remove(t *Timer) { w.w.remove(t) }

// Now returns the tick the wheel is at.
func (w *Wheel) Now() int64 { return w.w.now }

// Next returns a tick at which the wheel wants to be turned; ok is false when it is empty.
func (w *Wheel) Next() (at int64, ok bool) {
	at, _, _, ok = w.w.next()
	return at, ok
}

// Turn moves to that tick and returns the timers due, in order.
func (w *Wheel) Turn(to int64) []*Timer {
	w.w.turn(to)
	var due []*Timer
	for w.w.due.head != nil {
		t := w.w.due.head
		w.w.due.remove(t)
		due = append(due, t)
	}
	return due
}
