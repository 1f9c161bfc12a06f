// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"context"
	"sync"
)

// Window is how many bytes of messages wait for a program that does not receive before its server has to wait. It is
// twice the largest message of a program that does not say otherwise; raising it costs that much for each connection
// of a program that is slow.
const Window = 32 << 20

// window counts bytes that are under way. A message may always go that finds the window not full, so that the
// largest one gets through.
type window struct {
	size int

	mu     sync.Mutex // guards all below
	used   int
	opened bool
	room   chan struct{} // has room for one
}

func newWindow(size int) *window { return &window{size: size, room: make(chan struct{}, 1)} }

// wait waits for room. It returns false when ctx has ended. One goroutine may wait.
func (w *window) wait(ctx context.Context) bool {
	for {
		w.mu.Lock()
		free := w.used < w.size || w.opened
		w.mu.Unlock()
		if free {
			return ctx.Err() == nil
		}
		select {
		case <-w.room:
		case <-ctx.Done():
			return false
		}
	}
}

// take counts bytes that are under way.
func (w *window) take(n int) {
	w.mu.Lock()
	w.used += n
	w.mu.Unlock()
}

// give counts bytes that have arrived.
func (w *window) give(n int) {
	w.mu.Lock()
	w.used -= n
	w.mu.Unlock()
	w.signal()
}

// open ends the bound.
func (w *window) open() {
	w.mu.Lock()
	w.opened = true
	w.mu.Unlock()
	w.signal()
}

func (w *window) signal() {
	select {
	case w.room <- struct{}{}:
	default:
	}
}
