// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"reflect"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"weak"

	lua "github.com/yuin/gopher-lua"
)

// pressure tells running processes that the heap holds more than one process may
// have. It looks when the garbage collector has been through, because a heap cannot
// grow without it: a program that doubles a string has not executed a hundred
// instructions when it fills the machine. A heap that is at rest costs nothing.
type pressure struct {
	limit uint64        // live bytes above which processes are measured
	live  atomic.Uint64 // found by the last collection above the limit
	epoch atomic.Uint32 // counts these collections
}

// sentinel is garbage from the start.
type sentinel struct {
	_ *sentinel
	_ [24]byte // too large to share a block with what lives longer
}

const liveMetric = "/gc/heap/live:bytes"

// watch looks at the heap after the next garbage collection, and after each one that
// follows until the engine is garbage itself.
func (e *Engine) watch() {
	ref := weak.Make(e)
	runtime.AddCleanup(new(sentinel), func(ref weak.Pointer[Engine]) {
		e := ref.Value()
		if e == nil {
			return
		}
		sample := []metrics.Sample{{Name: liveMetric}}
		metrics.Read(sample)
		if live := sample[0].Value.Uint64(); live > e.pressure.limit {
			e.pressure.live.Store(live)
			e.pressure.epoch.Add(1)
		}
		e.watch()
	}, ref)
}

// smallProcess is the size up to which a process is not to blame for a full heap.
const smallProcess = 1 << 20

// checkMemory measures the process, which runs while the heap is large, and fails it
// when it has more than its share.
func (p *Process) checkMemory(epoch uint32) {
	p.pressed = epoch
	e := p.engine
	live := e.pressure.live.Load()
	if p.rest != nil && live < p.rest.measureAt {
		return // it cannot have grown enough
	}
	most := e.maxProcess
	full := e.maxHeap > 0 && live > e.maxHeap
	if full {
		most = smallProcess
	}
	own := p.MemoryUse(most)
	switch {
	case most > 0 && own > most:
		p.stop = NewError(KindLimitExceeded, "not enough memory")
	case own > smallProcess && !full:
		// Measuring takes as long as collecting what it has, so it is not done
		// again before the heap has grown by what the process may still have.
		p.more().measureAt = live + (most - own)
	}
}

// Measure is a message that asks a process, of this node, for its memory use. The process
// takes it up in turn and its program does not notice.
type Measure struct {
	most uint64
	done func(bytes uint64)
}

// NewMeasure returns a request. done is called with what MemoryUse(most) returns, on a
// worker: it must not block. It is called with 0 when the process ended before.
func NewMeasure(most uint64, done func(bytes uint64)) *Measure {
	return &Measure{most: most, done: done}
}

// Drop answers for a process that ended.
func (m *Measure) Drop() { m.done(0) }

// MemoryUse estimates the bytes that the process keeps alive: its tables, texts,
// functions and coroutines, what waits in its channels, not what other processes
// share. It stops counting above most, 0 for never, and takes about 100 ns per value.
func (p *Process) MemoryUse(most uint64) uint64 {
	m := meter{p: p, most: most, seen: make(map[any]struct{})}
	m.value(p.inst.env)
	m.value(p.inst.value)
	m.coroutine(&p.main)
	m.coroutine(p.current)
	for c := p.head; c != nil; c = c.next {
		m.coroutine(c)
	}
	for _, c := range p.spawned() {
		m.coroutine(c)
	}
	for i := range p.ops {
		m.coroutine(p.ops[i].co)
	}
	m.feed(p.inbox)
	for i := range p.routes {
		m.feed(p.routes[i].feed)
	}
	if p.rest != nil {
		m.parked(p.rest.backlog)
	}
	for len(m.todo) > 0 && !m.enough() {
		last := len(m.todo) - 1
		v := m.todo[last]
		m.todo = m.todo[:last]
		m.open(v)
	}
	return m.bytes
}

// What values cost beyond their content. gopher-lua keeps a key of the hash part in
// a map, once more in a list and in a second map with its place there.
const (
	bytesText      = 16
	bytesTable     = 136
	bytesElement   = 20 // the list has room for more
	bytesNumber    = 8
	bytesPair      = 160
	bytesFunction  = 96
	bytesUpvalue   = 64
	bytesUserData  = 64
	bytesChannel   = 160
	bytesCoroutine = 400
	bytesThread    = 1500
	bytesMessage   = 256
)

// sharedText is the length from which texts are looked up, so that one that is in
// many places counts once.
const sharedText = 256

// meter adds up what is reachable.
type meter struct {
	p     *Process
	most  uint64
	bytes uint64
	seen  map[any]struct{}
	todo  []lua.LValue
}

func (m *meter) enough() bool { return m.most > 0 && m.bytes > m.most }

// first reports whether a thing, a pointer or the address of a text, has not been counted.
func (m *meter) first(thing any) bool {
	if _, ok := m.seen[thing]; ok {
		return false
	}
	m.seen[thing] = struct{}{}
	return true
}

// value counts v, what is in it later.
func (m *meter) value(v lua.LValue) {
	switch v := v.(type) {
	case lua.LString:
		if len(v) >= sharedText && !m.first(reflect.ValueOf(v).Pointer()) {
			return
		}
		m.bytes += bytesText + uint64(len(v))
	case lua.LNumber:
		m.bytes += bytesNumber
	case *lua.LTable:
		if v != nil && m.first(v) {
			m.todo = append(m.todo, v)
		}
	case *lua.LFunction:
		if v != nil && !v.IsG && m.first(v) {
			m.todo = append(m.todo, v)
		}
	case *lua.LUserData:
		if v != nil && m.first(v) {
			m.todo = append(m.todo, v)
		}
	case *lua.LState:
		if v != nil && !v.IsClosed() {
			if c, ok := v.Context().(*coroutine); ok {
				m.coroutine(c)
			}
		}
	}
}

// open counts what v consists of.
func (m *meter) open(v lua.LValue) {
	switch v := v.(type) {
	case *lua.LTable:
		if v.Metatable == m.p.inst.program.env {
			// Its own globals; those of the program are shared.
		} else if mt, ok := v.Metatable.(*lua.LTable); ok {
			m.value(mt)
		}
		m.bytes += bytesTable + bytesElement*uint64(v.Len())
		v.ForEach(func(key, value lua.LValue) {
			if m.enough() {
				return
			}
			if _, number := key.(lua.LNumber); !number {
				m.bytes += bytesPair
				m.value(key)
			}
			m.value(value)
		})
	case *lua.LFunction:
		m.bytes += bytesFunction + bytesUpvalue*uint64(len(v.Upvalues))
		for _, u := range v.Upvalues {
			if u != nil && m.first(u) {
				m.value(u.Value())
			}
		}
		m.value(v.Env)
	case *lua.LUserData:
		m.bytes += bytesUserData
		switch it := v.Value.(type) {
		case *Channel:
			m.channel(it)
		case *coroutine:
			m.coroutine(it)
		}
	}
}

func (m *meter) channel(ch *Channel) {
	if ch == nil || !m.first(ch) {
		return
	}
	m.bytes += bytesChannel + bytesElement*uint64(len(ch.buf))
	for _, v := range ch.buf {
		m.value(v)
	}
	for w := ch.senders.first; w != nil; w = w.next {
		m.value(w.value)
		m.coroutine(w.co)
	}
	for w := ch.receivers.first; w != nil; w = w.next {
		m.coroutine(w.co)
	}
	m.feed(ch.feed)
}

func (m *meter) feed(f *feed) {
	if f != nil && m.first(f) {
		m.channel(f.ch)
		m.parked(f.queue[f.at:])
	}
}

func (m *meter) parked(queue []parked) {
	for _, entry := range queue {
		m.bytes += bytesMessage
		for _, pl := range entry.msg.Payloads {
			switch v := pl.Data.(type) {
			case lua.LValue:
				m.value(v)
			case string:
				m.bytes += uint64(len(v))
			case []byte:
				m.bytes += uint64(len(v))
			}
		}
	}
}

func (m *meter) coroutine(c *coroutine) {
	if c == nil || !m.first(c) {
		return
	}
	m.bytes += bytesCoroutine
	m.thread(c.th)
	for i := range c.frames {
		m.thread(c.frames[i].th)
		m.value(c.frames[i].handler)
	}
	for _, v := range c.few {
		m.value(v)
	}
	for _, v := range c.more {
		m.value(v)
	}
	m.coroutine(c.resumer)
}

// thread counts the registers of a thread, frame by frame.
func (m *meter) thread(th *lua.LState) {
	if th == nil || th.IsClosed() {
		return
	}
	m.bytes += bytesThread
	for level := 0; !m.enough(); level++ {
		frame, ok := th.GetStack(level)
		if !ok {
			return
		}
		if fn, err := th.GetInfo("f", frame, lua.LNil); err == nil {
			m.value(fn)
		}
		for i := 1; ; i++ {
			name, v := th.GetLocal(frame, i)
			if name == "" {
				break
			}
			m.bytes += bytesElement
			m.value(v)
		}
	}
}
