// SPDX-License-Identifier: Apache-2.0

// Package owned closes what a process or a call still has open when it ends: workbooks, archives, streams,
// subscriptions, handles. What a set holds belongs to its process and is touched only while that runs; adding
// and taking back cost one map access.
package owned

import (
	"maps"
	"slices"

	"github.com/wippyrun/kit/luart/engine"
)

// key is where a process keeps its set.
type key struct{}

// set holds what a process has open, by the order of opening. It is only touched while the process runs.
type set struct {
	last uint64
	open map[uint64]func()
}

// Add makes p call close when it ends, those added last first. The function returned takes it back: it reports
// true the first time, and then close is the caller's to call. Like close, it runs only within the process.
func Add(p *engine.Process, close func()) (release func() bool) {
	s, _ := p.Local(key{}).(*set)
	if s == nil {
		s = &set{open: map[uint64]func(){}}
		p.SetLocal(key{}, s)
		p.Defer(s.close)
	}
	s.last++
	id := s.last
	s.open[id] = close
	return func() bool {
		_, ok := s.open[id]
		delete(s.open, id)
		return ok
	}
}

func (s *set) close() {
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(s.open))) {
		if closeIt, ok := s.open[id]; ok { // closing one may have closed another
			delete(s.open, id)
			closeIt()
		}
	}
}
