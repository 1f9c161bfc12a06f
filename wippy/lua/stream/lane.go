// SPDX-License-Identifier: Apache-2.0

package stream

import "sync"

// lane runs operations one after the other, in the order they come. Its goroutine exists while there are any.
type lane struct {
	turn sync.Mutex // held by the operation that runs

	mu      sync.Mutex // guards all below; taken within turn, never around it
	waiting []func()
	active  bool
}

// submit queues an operation.
func (l *lane) submit(op func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, op)
	if !l.active {
		l.active = true
		go l.run()
	}
}

func (l *lane) run() {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.active, l.waiting = false, nil
			l.mu.Unlock()
			return
		}
		op := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
		l.do(op)
	}
}

// do runs an operation on the caller's goroutine, between those that are queued.
func (l *lane) do(op func()) {
	l.turn.Lock()
	defer l.turn.Unlock()
	op()
}

// busy reports whether an operation runs or waits.
func (l *lane) busy() bool {
	if !l.turn.TryLock() {
		return true
	}
	l.turn.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active
}
