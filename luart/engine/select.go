// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"
)

// selectCase is a case object: an operation to choose from, reusable.
type selectCase struct {
	ch    *Channel
	sends bool
	value lua.LValue
}

// selection is a select that waits: one waiter per case, of which one wins.
type selection struct {
	waiters []waiter
	co      *coroutine
}

// cancel takes all waiters out of their queues.
func (s *selection) cancel() {
	for i := range s.waiters {
		s.waiters[i].unlink()
	}
	s.co.p.waits--
	s.co.pick = nil
}

// result makes the table that select returns for a case.
func (s *selection) result(ch *Channel, v lua.LValue, ok bool) lua.LValue {
	return selected(ch, v, ok)
}

func selected(ch *Channel, v lua.LValue, ok bool) lua.LValue {
	t := newTable(0, 3)
	t.RawSetString("channel", ch.Value())
	t.RawSetString("value", v)
	t.RawSetString("ok", lua.LBool(ok))
	return t
}

// perform does the operation when it is possible now.
func (s *selectCase) perform() (lua.LValue, bool) {
	if s.sends {
		if !s.ch.TrySend(s.value) {
			return nil, false
		}
		return selected(s.ch, s.value, true), true
	}
	v, ok, ready := s.ch.TryReceive()
	if !ready {
		return nil, false
	}
	return selected(s.ch, v, ok), true
}

// channelSelect is channel.select.
func channelSelect(L *lua.LState) int {
	list := Unwrap(L.CheckTable(1))
	var cases []*selectCase
	for i := 1; i <= list.Len(); i++ {
		if ud, ok := list.RawGetInt(i).(*lua.LUserData); ok {
			if sc, ok := ud.Value.(*selectCase); ok {
				cases = append(cases, sc)
			}
		}
	}
	for _, sc := range cases {
		if r, ok := sc.perform(); ok {
			L.Push(r)
			return 1
		}
	}
	if L.Get(2) == lua.LTrue || list.RawGetString("default") == lua.LTrue {
		t := newTable(0, 2)
		t.RawSetString("default", lua.LTrue)
		t.RawSetString("ok", lua.LTrue)
		L.Push(t)
		return 1
	}
	c, p := running(L)
	L.SetTop(0)
	n := suspend(L, c, request{kind: reqWait})
	if len(cases) == 0 {
		return n
	}
	s := &selection{waiters: make([]waiter, len(cases)), co: c}
	for i, sc := range cases {
		w := &s.waiters[i]
		*w = waiter{ch: sc.ch, co: c, pick: s, sends: sc.sends, value: sc.value}
		if sc.sends {
			sc.ch.senders.push(w)
		} else {
			sc.ch.receivers.push(w)
		}
	}
	c.pick = s
	p.waits++
	return n
}
