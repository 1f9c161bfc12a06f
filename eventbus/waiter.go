// SPDX-License-Identifier: Apache-2.0

package eventbus

import (
	"context"
	"strings"
	"sync"
	"time"
)

// DefaultAwaitTimeout bounds [Reply.Wait] when it is given no time-out.
const DefaultAwaitTimeout = 30 * time.Second

// Waiter is the asking side of request and response over the bus: it holds one
// subscription and gives each reply to whoever waits for its path. Make it with
// [Bus.NewWaiter]; its methods may be called concurrently.
type Waiter struct {
	sub *Subscription

	mu      sync.Mutex
	pending map[string]*Reply // guarded by mu; by path
}

// NewWaiter subscribes to the replies that match pattern, which must not match the
// requests as well. It fails like [Bus.Subscribe]; the subscription ends with ctx or with
// [Waiter.Close].
func (b *Bus) NewWaiter(ctx context.Context, pattern Pattern, opts ...SubscribeOption) (*Waiter, error) {
	w := &Waiter{pending: make(map[string]*Reply)}
	sub, err := b.Subscribe(ctx, pattern, w.receive, opts...)
	if err != nil {
		return nil, err
	}
	w.sub = sub
	return w, nil
}

// Close ends the subscription. Replies that are being waited for fail with
// [ErrUnsubscribed].
func (w *Waiter) Close() { w.sub.Close() }

// Prepare registers interest in the reply about path. Call it before publishing the
// request, so that the reply cannot come too early, then call [Reply.Wait] or
// [Reply.Cancel]. There is one waiting place per path: a newer Prepare takes it
// over, and the older one will time out.
func (w *Waiter) Prepare(path string) *Reply {
	r := &Reply{waiter: w, path: path, event: make(chan Event, 1)}
	w.mu.Lock()
	w.pending[path] = r
	w.mu.Unlock()
	return r
}

// Await publishes a request and waits for the reply about its path: [Waiter.Prepare],
// [Bus.Publish] and [Reply.Wait] in one.
func (w *Waiter) Await(ctx context.Context, request Event, timeout time.Duration) (ev Event, accepted bool, err error) {
	r := w.Prepare(request.Path)
	w.sub.bus.Publish(request)
	return r.Wait(ctx, timeout)
}

// receive hands an event to the one who waits for it.
func (w *Waiter) receive(ev Event) {
	w.mu.Lock()
	r := w.pending[ev.Path]
	delete(w.pending, ev.Path)
	w.mu.Unlock()
	if r != nil {
		r.event <- ev // never blocks: r was in the map, so it gets one event
	}
}

// Reply is one expected event; see [Waiter.Prepare].
type Reply struct {
	waiter *Waiter
	path   string
	event  chan Event // capacity 1
}

// Wait returns the reply when it comes, or at once if it already came. accepted
// reports whether its kind is "accept", "*.accept" or "*.accepted". A reply of
// another kind whose Data is an error gives that error; other Data is left in the
// event, and err is nil.
//
// Without a reply the event is zero and the error is [ErrAwaitTimeout] after
// timeout (DefaultAwaitTimeout when it is not positive), the cause of the end of
// ctx, or why the subscription ended. Wait is called once per Reply.
func (r *Reply) Wait(ctx context.Context, timeout time.Duration) (ev Event, accepted bool, err error) {
	if timeout <= 0 {
		timeout = DefaultAwaitTimeout
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case ev := <-r.event:
		return judge(ev)
	case <-timer.C:
		err = ErrAwaitTimeout
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-r.waiter.sub.Done():
		err = r.waiter.sub.Err()
	}
	r.Cancel()
	select { // the reply may have come as well
	case ev := <-r.event:
		return judge(ev)
	default:
		return Event{}, false, err
	}
}

// Cancel gives up waiting. It is needed only when Wait is not called.
func (r *Reply) Cancel() {
	r.waiter.mu.Lock()
	if r.waiter.pending[r.path] == r {
		delete(r.waiter.pending, r.path)
	}
	r.waiter.mu.Unlock()
}

func judge(ev Event) (Event, bool, error) {
	if ev.Kind == "accept" || strings.HasSuffix(ev.Kind, ".accept") || strings.HasSuffix(ev.Kind, ".accepted") {
		return ev, true, nil
	}
	err, _ := ev.Data.(error)
	return ev, false, err
}
