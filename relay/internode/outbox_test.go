// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// put adds a message whose frame is its number and a value, eight bytes each.
func put(o *outbox, value uint64) uint64 {
	number, f := o.next()
	f = binary.BigEndian.AppendUint64(f, number)
	o.add(binary.BigEndian.AppendUint64(f, value))
	return number
}

// TestMessagesArriveOnceInOrderProperty lets connections break at any byte, acks get lost
// and the receiving node start anew. Each of its runs gets every message that was first
// sent to it, once and in order, up to when the last connection to it broke.
func TestMessagesArriveOnceInOrderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := outbox{maxMessages: 8, maxBytes: 100}
		self := session{1}
		var (
			in    inbox
			wire  []byte   // written and not read yet
			acks  []uint64 // written and not read yet
			added []uint64 // for the run of the receiver that the sender knows
			got   []uint64 // of the run there is
			value uint64
			known = true // the sender knows of the run there is
		)
		in.meet(self)
		connect := func() {
			wire, acks = nil, nil // those of the connection before are lost
			if !known {
				waited := o.len()
				lost := o.restart()
				if waited != lost+o.len() || o.unsent() != (o.len() > 0) {
					t.Fatalf("of %d that waited %d are lost and %d kept", waited, lost, o.len())
				}
				in.meet(self)
				added, known = added[len(added)-o.len():], true
				return
			}
			if err := o.resume(in.last); err != nil {
				t.Fatal(err)
			}
		}
		read := func(n int) {
			for ; n > 0 && len(wire) >= 16; n-- {
				isNew, err := in.arrive(binary.BigEndian.Uint64(wire))
				if err != nil {
					t.Fatal(err)
				}
				if isNew {
					got = append(got, binary.BigEndian.Uint64(wire[8:]))
				}
				wire = wire[16:]
			}
			acks = append(acks, in.last)
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n, size := o.len(), o.bytes
				if full := n >= 8 || size >= 100; o.full() != full {
					t.Fatalf("full is %v with %d messages of %d bytes", o.full(), n, size)
				}
				if o.full() {
					return
				}
				value++
				put(&o, value)
				added = append(added, value)
			},
			"write": func(t *rapid.T) {
				if known {
					wire = o.take(wire, rapid.IntRange(0, 100).Draw(t, "size"))
				}
			},
			"read": func(t *rapid.T) {
				if known {
					read(rapid.IntRange(0, 5).Draw(t, "messages"))
				}
			},
			"ack": func(t *rapid.T) {
				if known && len(acks) > 0 {
					if err := o.ack(acks[0]); err != nil {
						t.Fatal(err)
					}
					acks = acks[1:]
				}
			},
			"break": func(t *rapid.T) {
				if !known {
					connect()
					return
				}
				if len(wire) > 0 {
					wire = wire[:rapid.IntRange(0, len(wire)).Draw(t, "bytes")]
				}
				read(len(wire)) // what was on the way may still arrive
				connect()
			},
			"restart the receiver": func(*rapid.T) {
				self = session{self[0] + 1}
				got, known = nil, false
			},
			"": func(t *rapid.T) {
				if known && !slices.Equal(got, added[:min(len(got), len(added))]) {
					t.Fatalf("got %v of %v", got, added)
				}
			},
		})
		connect()
		for o.unsent() {
			wire = o.take(wire, 50)
		}
		read(len(wire))
		if !slices.Equal(got, added) {
			t.Fatalf("in the end got %v of %v", got, added)
		}
		if err := o.ack(in.last); err != nil || o.len() != 0 || o.bytes != 0 {
			t.Fatalf("after the last ack %d messages of %d bytes wait, %v", o.len(), o.bytes, err)
		}
	})
}

func TestFalseAcksAreRefused(t *testing.T) {
	o := outbox{maxMessages: 10, maxBytes: 1000}
	for i := range uint64(3) {
		put(&o, i)
	}
	if err := o.ack(1); !errors.Is(err, ErrMalformed) {
		t.Errorf("ack of what was not sent: %v, want %v", err, ErrMalformed)
	}
	if err := o.resume(1); !errors.Is(err, ErrMalformed) {
		t.Errorf("resume behind what was never sent: %v, want %v", err, ErrMalformed)
	}
	if got := len(o.take(nil, 32)); got != 32 {
		t.Fatalf("took %d bytes, want two messages", got)
	}
	if err := o.ack(2); err != nil {
		t.Error(err)
	}
	if err := o.ack(1); err != nil {
		t.Errorf("an old ack: %v", err)
	}
	if err := o.resume(1); !errors.Is(err, ErrMalformed) {
		t.Errorf("resume before what has arrived: %v, want %v", err, ErrMalformed)
	}
	if o.len() != 1 {
		t.Errorf("%d messages wait, want 1", o.len())
	}
}

func TestGapInNumbersIsRefused(t *testing.T) {
	var in inbox
	for _, c := range []struct {
		number uint64
		isNew  bool
		err    error
	}{{0, false, ErrMalformed}, {7, true, nil}, {7, false, nil}, {8, true, nil}, {10, false, ErrMalformed}, {1, false, nil}} {
		if isNew, err := in.arrive(c.number); isNew != c.isNew || !errors.Is(err, c.err) {
			t.Errorf("message %d: %v, %v; want %v, %v", c.number, isNew, err, c.isNew, c.err)
		}
	}
}

func TestOutboxTakesALongMessageAlone(t *testing.T) {
	o := outbox{maxMessages: 10, maxBytes: 100}
	long := make(frame, 2*keepFrame)
	o.add(long)
	if !o.full() {
		t.Error("there is room behind a message that takes more than all")
	}
	if got := len(o.take(nil, 10)); got != len(long) {
		t.Errorf("took %d bytes, want %d", got, len(long))
	}
	if err := o.ack(1); err != nil || o.full() {
		t.Errorf("full %v, %v", o.full(), err)
	}
	if len(o.free) > 0 {
		t.Error("keeps the memory of a long message")
	}
}

func TestOutboxDoesNotAllocateInTheLongRun(t *testing.T) {
	o := outbox{maxMessages: 100, maxBytes: 1 << 20}
	batch := make([]byte, 0, 1<<10)
	round := func() {
		var last uint64
		for i := range uint64(20) {
			last = put(&o, i)
		}
		for o.unsent() {
			batch = o.take(batch[:0], 1<<10)
		}
		if err := o.ack(last - 1); err != nil { // one is left, so that the slice moves
			t.Fatal(err)
		}
	}
	round()
	round()
	round()
	if allocs := testing.AllocsPerRun(100, round); allocs > 0 {
		t.Errorf("%v allocations in 20 messages", allocs)
	}
}
