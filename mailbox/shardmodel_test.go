package mailbox_test

import (
	"slices"
	"strconv"

	"github.com/wippyrun/kit/mailbox"
)

// shardModel is what a shard does, one event after another. The worker takes a batch
// as soon as it has handled the last, and gives its room back as a whole.
type shardModel struct {
	capacity, limit int
	decide          func(call int, result string)

	queue    []int // accepted messages, the batch first
	batch    int   // size of the batch
	position int   // how many of the batch were begun
	handling bool  // the handler is busy
	waiting  []waiterModel
	closed   bool
	aborted  bool

	log       []string
	highWater int
	counters  mailbox.ShardStats // Handled, Discarded and Panics, as they happen
	published mailbox.ShardStats // as of the last batch; the others as they happen
}

type waiterModel struct {
	call   int
	caller *caller
}

func (s *shardModel) send(call int, c *caller) {
	switch {
	case s.closed:
		s.decide(call, mailbox.ErrClosed.Error())
	case s.room():
		s.accept(call)
	case c.ended:
		s.decide(call, c.cause.Error())
	default:
		s.waiting = append(s.waiting, waiterModel{call, c})
		s.published.Waits++
	}
}

func (s *shardModel) try(call int) {
	switch {
	case s.closed:
		s.decide(call, mailbox.ErrClosed.Error())
	case s.room():
		s.accept(call)
	default:
		s.decide(call, mailbox.ErrFull.Error())
		s.published.Refused++
	}
}

// room reports whether a message finds room and nobody is before it.
func (s *shardModel) room() bool { return len(s.queue) < s.capacity && len(s.waiting) == 0 }

func (s *shardModel) accept(call int) {
	s.append(call)
	if s.batch == 0 {
		s.next()
	}
}

func (s *shardModel) append(call int) {
	s.queue = append(s.queue, call)
	s.highWater = max(s.highWater, len(s.queue))
	s.decide(call, "<nil>")
}

// next begins batches until the handler is busy or nothing is left.
func (s *shardModel) next() {
	for len(s.queue) > 0 {
		s.batch, s.position = min(len(s.queue), s.limit), 0
		if s.advance(); s.handling {
			return
		}
		s.endBatch()
	}
}

// advance goes to the message that the handler is busy with.
func (s *shardModel) advance() {
	for s.position < s.batch {
		s.position++
		if !s.aborted {
			s.counters.Handled++
			s.handling = true
			s.note("handle")
			return
		}
		s.counters.Discarded++
		s.note("discard")
	}
}

func (s *shardModel) note(what string) {
	s.log = append(s.log, what+" "+strconv.Itoa(s.queue[s.position-1]))
}

// step ends the call of the handler.
func (s *shardModel) step(how string) {
	s.handling = false
	if how == "panic" {
		s.counters.Panics++
		s.note("panic")
	}
	if s.advance(); !s.handling {
		s.endBatch()
		s.next()
	}
}

func (s *shardModel) endBatch() {
	s.published.Handled, s.published.Discarded, s.published.Panics = s.counters.Handled, s.counters.Discarded, s.counters.Panics
	s.queue = slices.Clone(s.queue[s.batch:])
	s.batch = 0
	for len(s.queue) < s.capacity && len(s.waiting) > 0 {
		s.append(s.waiting[0].call)
		s.waiting = s.waiting[1:]
	}
}

func (s *shardModel) giveUp(c *caller) {
	s.waiting = slices.DeleteFunc(s.waiting, func(w waiterModel) bool {
		if w.caller == c {
			s.decide(w.call, c.cause.Error())
		}
		return w.caller == c
	})
}

func (s *shardModel) close() {
	s.closed = true
	for _, w := range s.waiting {
		s.decide(w.call, mailbox.ErrClosed.Error())
	}
	s.waiting = nil
}

func (s *shardModel) stats() mailbox.ShardStats {
	st := s.published
	st.Depth, st.HighWater, st.Waiting = len(s.queue), s.highWater, len(s.waiting)
	return st
}
