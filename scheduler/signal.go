// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"sync"
	"sync/atomic"
)

// lazySignal is a broadcast whose channel is made only when somebody asks for
// it. Whoever fires it must have published, before calling fire, the fact that
// the callers of channel and afterFunc pass in as fired.
type lazySignal struct {
	state atomic.Pointer[signalState]
}

type signalState struct {
	ch chan struct{}

	mu    sync.Mutex // guards the fields below
	fired bool
	funcs []*signalFunc
}

type signalFunc struct{ f func() }

func (s *lazySignal) get() *signalState {
	if st := s.state.Load(); st != nil {
		return st
	}
	s.state.CompareAndSwap(nil, &signalState{ch: make(chan struct{})})
	return s.state.Load()
}

// channel returns the channel that fire closes. fired tells whether fire was or
// is about to be called; it is asked after the channel became visible, so that
// either fire finds the channel or the caller of channel closes it.
func (s *lazySignal) channel(fired func() bool) <-chan struct{} {
	st := s.get()
	if fired() {
		st.fire()
	}
	return st.ch
}

// fire closes the channel, if there is one, and calls the functions.
func (s *lazySignal) fire() {
	if st := s.state.Load(); st != nil {
		st.fire()
	}
}

// afterFunc has f called when the signal fires; stop undoes that and reports
// whether it came in time.
func (s *lazySignal) afterFunc(f func(), fired func() bool) (stop func() bool) {
	st := s.get()
	sf := &signalFunc{f: f}
	st.mu.Lock()
	done := st.fired
	if !done {
		st.funcs = append(st.funcs, sf)
	}
	st.mu.Unlock()
	if done {
		f()
	} else if fired() {
		st.fire()
	}
	return func() bool {
		st.mu.Lock()
		defer st.mu.Unlock()
		i := slices.Index(st.funcs, sf)
		if i < 0 {
			return false
		}
		st.funcs = slices.Delete(st.funcs, i, i+1)
		return true
	}
}

func (st *signalState) fire() {
	st.mu.Lock()
	if st.fired {
		st.mu.Unlock()
		return
	}
	st.fired = true
	funcs := st.funcs
	st.funcs = nil
	close(st.ch)
	st.mu.Unlock()
	for _, sf := range funcs {
		sf.f()
	}
}
