package eventbustest_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/eventbus/eventbustest"
)

// naive is the simplest bus: Publish calls the subscribers.
type naive struct {
	mu   sync.Mutex
	subs []*naiveSub
}

type naiveSub struct {
	bus     *naive
	pattern eventbus.Pattern
	handler func(eventbus.Event)
	done    chan struct{}
}

func (b *naive) Publish(ev eventbus.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.subs {
		if s.pattern.System == ev.System && s.pattern.Kind == ev.Kind {
			s.handler(ev)
		}
	}
}

func (b *naive) Subscribe(_ context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &naiveSub{b, p, handler, make(chan struct{})}
	b.subs = append(b.subs, s)
	return s, nil
}

func (s *naiveSub) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	if i := slices.Index(s.bus.subs, s); i >= 0 {
		s.bus.subs = slices.Delete(s.bus.subs, i, i+1)
		close(s.done)
	}
}

func (s *naiveSub) Done() <-chan struct{} { return s.done }

func (b *naive) Stop(context.Context) error { return nil }

func TestNaiveBusKeepsTheBasicContracts(t *testing.T) {
	eventbustest.Run(t, eventbustest.Implementation{
		New:      func() eventbustest.Bus { return &naive{} },
		Features: eventbustest.OneOrder | eventbustest.Serial | eventbustest.StopDelivers,
	})
}
