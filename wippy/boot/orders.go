// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"sync"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// orders starts and stops services for whoever publishes `service.start` or `service.stop` of the system `supervisor`
// with the id of a service as its path. The orders for one service are carried out in their order, each when the one
// before it has been: a start when the service runs or has failed for the first time, a stop when it has stopped.
type orders struct {
	supervisor *supervisor.Supervisor
	run        sync.WaitGroup

	mu     sync.Mutex               // guards the fields below, and the growth of run
	last   map[string]chan struct{} // service id → the end of the newest order
	closed bool                     // no order is taken any more
}

// serveOrders lets the event bus start and stop services until ctx ends. Failures are logged.
func (r *Runtime) serveOrders(ctx context.Context) error {
	r.orders = &orders{supervisor: r.supervisor, last: map[string]chan struct{}{}}
	_, err := r.bus.Subscribe(ctx, eventbus.Pattern{System: supervisor.System, Kind: "service.(start|stop)"}, func(e eventbus.Event) {
		r.orders.give(e.Path, func() {
			do, what := r.orders.supervisor.StartSoon, "service not started"
			if e.Kind == supervisor.KindStop {
				do, what = r.orders.supervisor.Stop, "service not stopped"
			}
			if err := do(ctx, e.Path); err != nil && !errors.Is(err, supervisor.ErrStopped) {
				r.log.Error(what, "logger", "supervisor", "service", e.Path, "error", err)
			}
		})
	})
	return err
}

// give carries out an order for a service behind those it has.
func (o *orders) give(id string, order func()) {
	done := make(chan struct{})
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	before := o.last[id]
	o.last[id] = done
	o.run.Go(func() {
		defer func() {
			close(done)
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.last[id] == done {
				delete(o.last, id)
			}
		}()
		if before != nil {
			<-before
		}
		order()
	})
}

// close takes no more orders and waits for those that are carried out; the supervisor has stopped.
func (o *orders) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.run.Wait()
}
