// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"
)

// Channel is a first-in first-out queue between the coroutines of one process.
// With size 0 a send waits for a receiver. It belongs to its process: all methods
// may be called only from within it.
type Channel struct {
	ud        lua.LUserData // the Lua value; its Value is the channel
	buf       []lua.LValue  // ring; nil until the first value is kept
	at, n     int32
	size      int32
	receivers waiters
	senders   waiters
	feed      *feed // where more values come from; nil for a plain channel
	closed    bool
}

// waiter is a coroutine in the queue of a channel. A select has one per case,
// tied together by its selection.
type waiter struct {
	prev, next *waiter
	ch         *Channel
	co         *coroutine
	pick       *selection
	value      lua.LValue // to send
	sends      bool
}

// waiters is a doubly linked queue.
type waiters struct{ first, last *waiter }

func (q *waiters) push(w *waiter) {
	w.prev, w.next = q.last, nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
}

func (q *waiters) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
}

// msgClosed is the error of sending on a closed channel.
const msgClosed = "send on closed channel"

// maxBuffer bounds the size of a channel's buffer.
const maxBuffer = 1 << 28

// NewChannel makes a channel with room for size values; negative is 0.
func (p *Process) NewChannel(size int) *Channel {
	ch := &Channel{size: int32(min(max(size, 0), maxBuffer))}
	ch.ud = lua.LUserData{Value: ch, Metatable: channelMeta}
	return ch
}

// Value returns the channel as a Lua value, the same one every time.
func (ch *Channel) Value() lua.LValue { return &ch.ud }

// Len returns the number of values in the buffer.
func (ch *Channel) Len() int { return int(ch.n) }

// Closed reports whether the channel was closed.
func (ch *Channel) Closed() bool { return ch.closed }

// TrySend gives v to a waiting receiver or puts it into the buffer. It returns
// false when neither is possible or the channel is closed.
func (ch *Channel) TrySend(v lua.LValue) bool {
	if ch.closed {
		return false
	}
	if w := ch.receivers.first; w != nil {
		w.received(v, true)
		return true
	}
	if ch.n < ch.size {
		ch.keep(v)
		return true
	}
	return false
}

// TryReceive takes a value if one is there. ok is false when the channel is closed
// and drained; ready is false when a receiver would have to wait.
func (ch *Channel) TryReceive() (v lua.LValue, ok, ready bool) {
	switch {
	case ch.n > 0:
		v = ch.buf[ch.at]
		ch.buf[ch.at] = nil
		ch.at = (ch.at + 1) % int32(len(ch.buf))
		ch.n--
		if w := ch.senders.first; w != nil {
			ch.keep(w.value)
			w.sent()
		} else {
			ch.refill()
		}
		return v, true, true
	case ch.senders.first != nil:
		w := ch.senders.first
		v = w.value
		w.sent()
		return v, true, true
	case ch.feed != nil && ch.feed.waiting():
		f := ch.feed
		v = f.take()
		f.drained()
		return v, true, true
	case ch.closed:
		return lua.LNil, false, true
	}
	return nil, false, false
}

// Close wakes all waiters: receivers with nil, false, senders with an error.
// Values in the buffer can still be received. A channel that is fed from the
// mailbox is taken off it. Closing again has no effect.
func (ch *Channel) Close() {
	if ch.closed {
		return
	}
	ch.closed = true
	if ch.feed != nil {
		ch.feed.p.detach(ch.feed)
	}
	for w := ch.receivers.first; w != nil; w = ch.receivers.first {
		w.received(lua.LNil, false)
	}
	for w := ch.senders.first; w != nil; {
		next := w.next
		if w.pick == nil {
			w.refused()
		}
		w = next
	}
}

// keep puts a value into the buffer, which has room for it.
func (ch *Channel) keep(v lua.LValue) {
	length := int32(len(ch.buf))
	if ch.n == length {
		// The buffer grows to its size on demand: most channels never fill.
		grown := make([]lua.LValue, min(ch.size, max(1, 2*length)))
		for i := range ch.n {
			grown[i] = ch.buf[(ch.at+i)%length]
		}
		ch.buf, ch.at, length = grown, 0, int32(len(grown))
	}
	ch.buf[(ch.at+ch.n)%length] = v
	ch.n++
}

// refill moves values from the mailbox to where there is room for them.
func (ch *Channel) refill() {
	f := ch.feed
	if f == nil {
		return
	}
	for f.waiting() && !ch.closed {
		if w := ch.receivers.first; w != nil {
			w.received(f.take(), true)
		} else if ch.n < ch.size {
			ch.keep(f.take())
		} else {
			return
		}
	}
	f.drained()
}

// leave takes a waiter, and those of the same select, out of their queues.
func (w *waiter) leave() {
	if w.pick != nil {
		w.pick.cancel()
		return
	}
	w.unlink()
	w.co.p.waits--
}

func (w *waiter) unlink() {
	if w.sends {
		w.ch.senders.remove(w)
	} else {
		w.ch.receivers.remove(w)
	}
}

// received wakes a receiver.
func (w *waiter) received(v lua.LValue, ok bool) {
	c := w.co
	w.leave()
	if w.pick != nil {
		c.give1(w.pick.result(w.ch, v, ok))
	} else {
		c.give2(v, lua.LBool(ok))
		w.clear()
	}
	c.p.ready(c)
}

// sent wakes a sender whose value was taken.
func (w *waiter) sent() {
	c := w.co
	w.leave()
	if w.pick != nil {
		c.give1(w.pick.result(w.ch, w.value, true))
	} else {
		c.give1(lua.LTrue)
		w.clear()
	}
	c.p.ready(c)
}

// refused wakes a sender of a closed channel.
func (w *waiter) refused() {
	c := w.co
	w.leave()
	c.give2(lua.LNil, ErrorValue(NewError(KindUnknown, msgClosed)))
	w.clear()
	c.p.ready(c)
}

func (w *waiter) clear() { w.ch, w.value = nil, nil }

// enqueue makes c wait on ch.
func (c *coroutine) enqueue(ch *Channel, sends bool, v lua.LValue) {
	w := &c.wait
	w.ch, w.co, w.sends, w.value = ch, c, sends, v
	if sends {
		ch.senders.push(w)
	} else {
		ch.receivers.push(w)
	}
	c.p.waits++
}

// Receive is the module function body of a receive: it returns the next value and
// true, nil and false when the channel is closed and drained, and suspends the
// caller when it has to wait. Use: return ch.Receive(L).
func (ch *Channel) Receive(L *lua.LState) int {
	if v, ok, ready := ch.TryReceive(); ready {
		L.Push(v)
		L.Push(lua.LBool(ok))
		return 2
	}
	c, _ := running(L)
	L.SetTop(0)
	n := suspend(L, c, request{kind: reqWait})
	c.enqueue(ch, false, nil)
	return n
}

// Send is the module function body of a send: it returns true once v is taken or
// buffered, and suspends the caller when it has to wait. A closed channel raises.
func (ch *Channel) Send(L *lua.LState, v lua.LValue) int {
	if ch.closed {
		L.RaiseError(msgClosed)
	}
	if ch.TrySend(v) {
		L.Push(lua.LTrue)
		return 1
	}
	c, _ := running(L)
	L.SetTop(0)
	n := suspend(L, c, request{kind: reqWait})
	c.enqueue(ch, true, v)
	return n
}
