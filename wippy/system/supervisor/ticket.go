// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"sync"
)

// ticket is somebody waiting for a service to start or stop.
type ticket struct {
	done  chan error    // receives the outcome, once
	tried chan struct{} // closed when an attempt has failed and another one is planned
	once  sync.Once
}

func newTicket() *ticket { return &ticket{done: make(chan error, 1), tried: make(chan struct{})} }

// resolve is called at most once. A nil ticket is nobody waiting.
func (t *ticket) resolve(err error) {
	if t != nil {
		t.done <- err
	}
}

func (t *ticket) markTried() {
	if t != nil {
		t.once.Do(func() { close(t.tried) })
	}
}

func (t *ticket) wait(ctx context.Context) error {
	select {
	case err := <-t.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
