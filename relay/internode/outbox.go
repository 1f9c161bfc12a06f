// SPDX-License-Identifier: Apache-2.0

package internode

import "fmt"

// outbox holds the messages for one other node, encoded as frames, from when they are given
// to it until that node says that they have arrived. A connection takes from it what is
// still to be sent; the next one begins behind what has arrived. It knows no clock, lock or
// connection: whoever has it guards it.
//
// The zero outbox with limits is ready for use.
type outbox struct {
	maxMessages int
	maxBytes    int // of all frames; a single message may exceed it when nothing else waits

	waiting []frame // waiting[head:], with numbers acked+1, acked+2 and so on
	head    int
	sent    int    // of waiting[head:], how many were handed to the connection there is now
	bytes   int    // of waiting[head:]
	acked   uint64 // number of the last message that has arrived or is lost
	tried   uint64 // number of the last message that was ever handed to a connection
	free    []frame
}

// frame is a message frame with its header.
type frame []byte

// Memory of frames is kept for later ones, a megabyte at most. BenchmarkOneWay chose the
// numbers: 256 frames that start with nothing take twice the allocations.
const (
	keepFrames = 1024    // how many frames
	keepFrame  = 1 << 10 // bytes of the longest
	firstRoom  = 256     // bytes of a new frame
)

// next returns the number that the next message has to have, and memory to encode it in.
func (o *outbox) next() (uint64, frame) {
	number := o.acked + uint64(o.len()) + 1
	if last := len(o.free) - 1; last >= 0 {
		f := o.free[last]
		o.free = o.free[:last]
		return number, f[:0]
	}
	return number, make(frame, 0, firstRoom)
}

// len returns how many messages have not arrived, as far as one knows.
func (o *outbox) len() int { return len(o.waiting) - o.head }

// full reports whether there is no room for another message.
func (o *outbox) full() bool {
	n := o.len()
	return n > 0 && (n >= o.maxMessages || o.bytes >= o.maxBytes)
}

// add takes over the frame of a message with the number that next gave.
func (o *outbox) add(f frame) {
	if o.head > 0 && len(o.waiting) == cap(o.waiting) && o.head >= len(o.waiting)/2 {
		n := copy(o.waiting, o.waiting[o.head:])
		clear(o.waiting[n:])
		o.waiting, o.head = o.waiting[:n], 0
	}
	o.waiting = append(o.waiting, f)
	o.bytes += len(f)
}

// unsent reports whether there is something to send.
func (o *outbox) unsent() bool { return o.sent < o.len() }

// take appends what is to be sent to batch, up to about size bytes and at least one
// message. It copies, so that what arrives meanwhile can be forgotten.
func (o *outbox) take(batch []byte, size int) []byte {
	for end := len(batch) + size; o.unsent(); o.sent++ {
		f := o.waiting[o.head+o.sent]
		if len(batch) > 0 && len(batch)+len(f) > end {
			break
		}
		batch = append(batch, f...)
	}
	o.tried = max(o.tried, o.acked+uint64(o.sent))
	return batch
}

// ack forgets the messages up to a number: they have arrived. An old number says nothing
// new; one that was never sent is an error.
func (o *outbox) ack(number uint64) error {
	if number > o.acked+uint64(o.sent) {
		return fmt.Errorf("%w: ack of %d, sent up to %d", ErrMalformed, number, o.acked+uint64(o.sent))
	}
	o.forget(number)
	return nil
}

// forget is ack without a doubt.
func (o *outbox) forget(number uint64) {
	for o.acked < number {
		f := o.waiting[o.head]
		o.waiting[o.head] = nil
		o.head++
		o.sent = max(o.sent-1, 0)
		o.bytes -= len(f)
		o.acked++
		o.recycle(f)
	}
	if o.head == len(o.waiting) {
		o.waiting, o.head = o.waiting[:0], 0
	}
}

// recycle keeps the memory of a frame that is not needed any more.
func (o *outbox) recycle(f frame) {
	if cap(f) > 0 && len(o.free) < keepFrames && cap(f) <= keepFrame {
		o.free = append(o.free, f)
	}
}

// resume begins a new connection to the same run of the other node, which has received
// everything up to a number, 0 for nothing. What is behind that is to be sent again.
func (o *outbox) resume(received uint64) error {
	if received == 0 {
		received = o.acked // what was before was not for this run
	}
	if received < o.acked || received > o.tried {
		return fmt.Errorf("%w: received up to %d, which is not between %d and %d", ErrMalformed, received, o.acked, o.tried)
	}
	o.forget(received)
	o.sent = 0
	return nil
}

// restart begins with a new run of the other node. What was sent to the run before is gone
// with it; restart returns how many messages that are, of which the run may have got some.
// What was never sent is for the new run.
func (o *outbox) restart() (lost int) {
	lost = int(o.tried - o.acked)
	o.forget(o.tried)
	o.sent = 0
	return lost
}

// inbox keeps count of what has arrived from one other node.
type inbox struct {
	from session // the run of the other node that last belongs to
	last uint64  // number of the last message that has arrived; 0 before the first
}

// meet says which run of the other node the messages to come are from.
func (i *inbox) meet(s session) {
	if i.from != s {
		*i = inbox{from: s}
	}
}

// arrive reports whether the message with a number is new. One that is not has been sent
// again and must not be delivered again. A gap is an error, but for the one in front of the
// first: the other side may have sent messages to the run before.
func (i *inbox) arrive(number uint64) (bool, error) {
	switch {
	case number == 0:
		return false, fmt.Errorf("%w: message without a number", ErrMalformed)
	case i.last == 0:
	case number <= i.last:
		return false, nil
	case number > i.last+1:
		return false, fmt.Errorf("%w: message %d after %d", ErrMalformed, number, i.last)
	}
	i.last = number
	return true, nil
}
