// SPDX-License-Identifier: Apache-2.0

package sql

import "sync"

// parcel is something on its way to a process: made on one goroutine, closed with the process, whichever comes first,
// and whether or not the process ever gets it.
type parcel[T any] struct {
	discard func(T) // closes it; must not block

	mu    sync.Mutex // guards all below
	value T
	there bool // it was made
	gone  bool // the process has ended
}

// put delivers the content.
func (p *parcel[T]) put(v T) {
	p.mu.Lock()
	p.value, p.there = v, true
	gone := p.gone
	p.mu.Unlock()
	if gone {
		p.discard(v)
	}
}

// drop closes the content, now or when it comes.
func (p *parcel[T]) drop() {
	p.mu.Lock()
	p.gone = true
	v, there := p.value, p.there
	p.mu.Unlock()
	if there {
		p.discard(v)
	}
}
