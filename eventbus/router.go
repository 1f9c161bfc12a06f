// SPDX-License-Identifier: Apache-2.0

package eventbus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Handler is one route of a [Router].
type Handler struct {
	Pattern Pattern
	Handle  func(Event)
	Options []SubscribeOption

	_ struct{}
}

// Router gives several handlers one life. Each handler has a subscription of its
// own, so a slow one does not delay the rest. Make it with [NewRouter]; its methods
// may be called concurrently.
type Router struct {
	bus      *Bus
	handlers []Handler

	mu   sync.Mutex
	subs []*Subscription // guarded by mu; nil while stopped
}

// NewRouter returns a stopped router.
func NewRouter(bus *Bus, handlers ...Handler) *Router {
	return &Router{bus: bus, handlers: slices.Clone(handlers)}
}

// Start subscribes all handlers, or none and an error that names the pattern that
// failed. The subscriptions end with ctx at the latest. Starting a started router
// gives [ErrRouterStarted]; a stopped one may be started again.
func (r *Router) Start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.subs != nil {
		return ErrRouterStarted
	}
	subs := make([]*Subscription, 0, len(r.handlers))
	for _, h := range r.handlers {
		s, err := r.bus.Subscribe(ctx, h.Pattern, h.Handle, h.Options...)
		if err != nil {
			for _, s := range subs {
				s.Close()
			}
			return fmt.Errorf("subscribe %v: %w", h.Pattern, err)
		}
		subs = append(subs, s)
	}
	r.subs = subs
	return nil
}

// Stop ends all subscriptions and waits until no handler runs any more, or until
// ctx ends, whose cause it then returns joined with the patterns still busy.
// Stopping a stopped router does nothing. Called from one of the handlers it waits for
// that handler, hence until ctx ends.
func (r *Router) Stop(ctx context.Context) error {
	r.mu.Lock()
	subs := r.subs
	r.subs = nil
	r.mu.Unlock()
	for _, s := range subs {
		s.Close()
	}
	var errs []error
	for _, s := range subs {
		select {
		case <-s.Done():
			continue
		default:
		}
		select {
		case <-s.Done():
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("handler of %v is still running: %w", s.Pattern(), context.Cause(ctx)))
		}
	}
	return errors.Join(errs...)
}
