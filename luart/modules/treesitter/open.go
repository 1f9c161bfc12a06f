// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/wippyrun/kit/luart/engine"
)

// maxOpen is how many bytes of sources the trees of a process may have. A tree takes a multiple of its source.
const maxOpen = 64 << 20

// pressure is how many bytes of sources are parsed before the garbage collector is asked to look for trees that nobody
// has any more: it does not know how much hangs on them.
const pressure = 32 << 20

var errOpen = errors.New("too many trees are open: close those that are not needed any more")

// live counts the objects in C, parsed the bytes of sources since the last time that the collector was asked.
var live, parsed atomic.Int64

// openKey is where a process keeps its open.
type openKey struct{}

// open are the objects in C that a process has. The collector's goroutine takes part in it, so it has a lock.
type open struct {
	mu      sync.Mutex // guards what is below
	handles map[*handle]struct{}
	bytes   int
}

// openOf returns the objects of a process. They are released with it.
func openOf(p *engine.Process) *open {
	o, _ := p.Local(openKey{}).(*open)
	if o == nil {
		o = &open{handles: map[*handle]struct{}{}}
		p.SetLocal(openKey{}, o)
		p.Defer(o.close)
	}
	return o
}

// handle releases one object in C, once: by close, with its process, or when the Go value that it was made for cannot
// be reached any more. It knows of the object, and not of that value.
type handle struct {
	open    *open
	cost    int
	release func()
	mu      sync.Mutex // held while the object is released, before that of open
	closed  atomic.Bool
}

// own makes release run when owner, which is about to use the object, cannot be reached any more, or before.
func own[T any](o *open, owner *T, cost int, release func()) *handle {
	h := &handle{open: o, cost: cost, release: release}
	live.Add(1)
	o.mu.Lock()
	o.handles[h] = struct{}{}
	o.bytes += cost
	o.mu.Unlock()
	runtime.AddCleanup(owner, func(h *handle) { h.close() }, h)
	return h
}

// close releases the object. When it returns that has been done, whoever did it.
func (h *handle) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed.Swap(true) {
		return
	}
	h.release()
	live.Add(-1)
	h.open.mu.Lock()
	delete(h.open.handles, h)
	h.open.bytes -= h.cost
	h.open.mu.Unlock()
}

// room fails when a source of that many bytes is too much.
func (o *open) room(bytes int) error {
	if parsed.Add(int64(bytes)) > pressure {
		parsed.Store(0)
		runtime.GC()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bytes+bytes > maxOpen {
		return errOpen
	}
	return nil
}

// close releases all objects.
func (o *open) close() {
	o.mu.Lock()
	var all []*handle
	for h := range o.handles {
		all = append(all, h)
	}
	o.mu.Unlock()
	for _, h := range all {
		h.close()
	}
}
