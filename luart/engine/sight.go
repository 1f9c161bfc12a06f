// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"reflect"

	lua "github.com/yuin/gopher-lua"
)

// sight remembers how to read what suspend asks of a thread. Finding the way through
// the fields of its frames is most of the price of reading them, and a program that waits
// again and again does so in the same few places: a sight of them costs 20 ns instead of
// 100 (BenchmarkInspect).
//
// It is of one frame in the first segment of the call stack of a thread, which stays where
// it is for as long as the thread is used, and of the frames below it, which are the same
// as long as the frame is in that place and their functions have not changed: a tail call
// changes them.
type sight struct {
	thread  *lua.LState
	current reflect.Value // where the thread keeps its running frame
	frame   uintptr       // the frame that this is a sight of
	wanted  reflect.Value // how many results its call must leave
	below   []sightBelow  // the frames below, nearest first
}

// sightBelow is a frame of a Lua function that has called.
type sightBelow struct {
	fn   reflect.Value // where the frame keeps its function
	was  uintptr       // that function
	held reflect.Value // keeps it, so that no other one gets its address
	code reflect.Value
	pc   reflect.Value
}

// sightAfter is how many times the places of a coroutine have to be read in the long way
// before it gets a sight, or another one: most coroutines wait a few times at most, and
// an idle process should not pay.
const sightAfter = 8

// place returns how many results the running call of L must leave, or lua.MultRet, and
// whether L cannot be suspended in it: see layout.nested.
func (c *coroutine) place(L *lua.LState) (wanted int, nested bool) {
	if c.sight != nil {
		if wanted, nested, ok := c.sight.read(L); ok {
			return wanted, nested
		}
	}
	if c.looks++; c.looks%sightAfter == 0 {
		c.sight = vm.sight(L)
	}
	return vm.wanted(L), vm.nested(L)
}

// read is place for a thread that is where it was when the sight was taken.
func (s *sight) read(L *lua.LState) (wanted int, nested, ok bool) {
	if s.thread != L || s.current.Pointer() != s.frame {
		return 0, false, false
	}
	for i := range s.below {
		b := &s.below[i]
		if b.fn.Pointer() != b.was {
			return 0, false, false
		}
		op := int(b.code.Index(int(b.pc.Int())-1).Uint() >> opcodeShift)
		nested = nested || op != lua.OP_CALL && op != lua.OP_TAILCALL
	}
	return int(s.wanted.Int()), nested, true
}

// sight returns a sight of the running frame of L, nil when there can be none: it is
// too deep, or a Go function is below.
func (l *layout) sight(L *lua.LState) *sight {
	s := &sight{thread: L, current: reflect.ValueOf(L).Elem().Field(l.currentFrame)}
	frame := s.current.Elem()
	depth := int(frame.Field(l.idx).Int())
	if depth >= lua.FramesPerSegment {
		return nil
	}
	s.frame, s.wanted = s.current.Pointer(), frame.Field(l.nret)
	s.below = make([]sightBelow, 0, depth)
	for f := frame.Field(l.parent); !f.IsNil(); f = f.Elem().Field(l.parent) {
		below := f.Elem()
		fn := below.Field(l.fn)
		if fn.Elem().Field(l.isG).Bool() {
			return nil
		}
		s.below = append(s.below, sightBelow{
			fn: fn, was: fn.Pointer(), held: fn.Elem(),
			code: fn.Elem().Field(l.proto).Elem().Field(l.code),
			pc:   below.Field(l.pc),
		})
	}
	return s
}
