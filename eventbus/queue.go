// SPDX-License-Identifier: Apache-2.0

package eventbus

// queue holds the events that wait for one subscription, as spans in publish order,
// and applies the overflow policy. It has no lock of its own: Subscription.mu
// guards it.
type queue struct {
	policy Policy
	limit  int // capacity in events; 0 for Unbounded

	spans []span // spans[head:] are waiting
	head  int
	size  int // events in spans[head:]
	pins  int // changes of chunk along spans[head:]; at least the number of chunks held
}

// push appends spans, whose references pass to the queue, and returns the number of
// events dropped for them. It reports false, with the queue emptied, when the
// policy says that the subscription has to end.
func (q *queue) push(spans []span) (dropped int, ok bool) {
	for i, s := range spans {
		if q.limit == 0 || q.size+s.len() <= q.limit {
			q.append(s)
			continue
		}
		switch q.policy {
		case DropOldest:
			q.append(s)
			dropped += q.dropFront(q.size - q.limit)
		case DropNewest:
			room := q.limit - q.size
			dropped += s.len() - room
			if room == 0 {
				s.chunk.release()
				continue
			}
			s.to = s.from + uint32(room)
			q.append(s)
		case CancelOnOverflow:
			for _, rest := range spans[i:] {
				dropped += rest.len()
				rest.chunk.release()
			}
			waiting, n := q.clear()
			for i, w := range waiting {
				waiting[i] = span{}
				w.chunk.release()
			}
			return dropped + n, false
		}
	}
	if q.sparse() {
		q.compact()
	}
	return dropped, true
}

func (q *queue) append(s span) {
	if n := len(q.spans); n > q.head && q.spans[n-1].chunk == s.chunk {
		if last := &q.spans[n-1]; last.to == s.from {
			last.to = s.to
			q.size += s.len()
			s.chunk.release()
			return
		}
	} else {
		q.pins++
	}
	if q.head > 0 && len(q.spans) == cap(q.spans) && q.head >= len(q.spans)/2 {
		n := copy(q.spans, q.spans[q.head:])
		clear(q.spans[n:])
		q.spans, q.head = q.spans[:n], 0
	}
	q.spans = append(q.spans, s)
	q.size += s.len()
}

// dropFront removes the n oldest events.
func (q *queue) dropFront(n int) int {
	for left := n; left > 0; {
		s := &q.spans[q.head]
		if s.len() > left {
			s.from += uint32(left)
			break
		}
		left -= s.len()
		s.chunk.release()
		q.popSpan()
	}
	q.size -= n
	return n
}

// popSpan forgets the first span; its reference is the caller's.
func (q *queue) popSpan() {
	first := q.spans[q.head].chunk
	q.spans[q.head] = span{}
	q.head++
	if q.head == len(q.spans) {
		q.spans, q.head, q.pins = q.spans[:0], 0, 0
	} else if q.spans[q.head].chunk != first {
		q.pins--
	}
}

// take moves waiting events to batch, which must be empty, and returns it. With a
// max, at most that many are taken and all of one chunk, so that a subscriber that
// gets stuck on them keeps no other chunk alive; 0 means all, which costs no copying:
// the two slices change places.
func (q *queue) take(batch []span, max int) []span {
	if max == 0 || q.size <= max && q.pins <= 1 && q.head == 0 {
		taken := q.spans[q.head:]
		q.spans, q.head, q.size, q.pins = batch[:0], 0, 0, 0
		return taken
	}
	for first := q.spans[q.head].chunk; max > 0 && q.size > 0; {
		s := q.spans[q.head]
		if s.chunk != first {
			break
		}
		if s.len() > max {
			part := s
			part.to = s.from + uint32(max)
			s.chunk.refs.Add(1)
			q.spans[q.head].from = part.to
			q.size -= max
			return append(batch, part)
		}
		max -= s.len()
		q.size -= s.len()
		q.popSpan()
		batch = append(batch, s)
	}
	return batch
}

// clear removes everything. It returns the spans, whose references pass to the
// caller, and the number of events in them.
func (q *queue) clear() ([]span, int) {
	waiting, n := q.spans[q.head:], q.size
	q.spans, q.head, q.size, q.pins = nil, 0, 0, 0
	return waiting, n
}

// idleSpans is how many spans, of 16 bytes, a slice may keep room for while there
// is nothing to do.
const idleSpans = 32

// sparse reports whether the queue keeps much more memory alive than its events
// need: more than eight chunks, less than an eighth used.
func (q *queue) sparse() bool {
	return q.pins > 8 && q.size < q.pins*chunkSize/8
}

// compact copies the waiting events to chunks of their own and lets the shared ones
// go. A subscriber that is stuck would otherwise keep 128 events of all kinds, and
// their Data, for each one that it waits for. The work is amortised: to become
// sparse again the queue has to grow in proportion to what was copied.
func (q *queue) compact() {
	old := q.spans[q.head:]
	q.spans, q.head, q.size, q.pins = nil, 0, 0, 0
	var c *chunk
	for _, s := range old {
		for _, ev := range s.chunk.events[s.from:s.to] {
			if c == nil || c.n == chunkSize {
				c = newChunk()
				q.append(span{chunk: c})
			}
			c.events[c.n] = ev
			c.n++
			q.spans[len(q.spans)-1].to++
			q.size++
		}
		s.chunk.release()
	}
}
