package eventbustest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/eventbus/eventbustest"
)

// faulty is our bus with something in between that does what a bus must not do.
type faulty struct {
	own
	publish   func(b own, ev eventbus.Event)
	subscribe func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error)
	bounded   func(capacity int, policy eventbus.Policy) (int, eventbus.Policy)
	stop      func(b own, ctx context.Context) error
}

func (f *faulty) Publish(ev eventbus.Event) {
	if f.publish != nil {
		f.publish(f.own, ev)
		return
	}
	f.own.Publish(ev)
}

func (f *faulty) Subscribe(ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
	if f.subscribe != nil {
		return f.subscribe(f.own, ctx, p, handler)
	}
	return f.own.Subscribe(ctx, p, handler)
}

func (f *faulty) SubscribeBounded(ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event),
	capacity int, policy eventbus.Policy) (eventbustest.BoundedSubscription, error) {
	if f.bounded != nil {
		capacity, policy = f.bounded(capacity, policy)
	}
	return f.own.SubscribeBounded(ctx, p, handler, capacity, policy)
}

func (f *faulty) Stop(ctx context.Context) error {
	if f.stop != nil {
		return f.stop(f.own, ctx)
	}
	return f.own.Stop(ctx)
}

// handlers makes a subscribe that wraps every handler in turn.
func handlers(wrap func(i int, handler func(eventbus.Event)) func(eventbus.Event)) *faulty {
	i := -1
	return &faulty{subscribe: func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		i++
		return b.Subscribe(ctx, p, wrap(i, handler))
	}}
}

// deafSub cannot be closed.
type deafSub struct{ eventbustest.Subscription }

func (deafSub) Close() {}

// everySecond passes on one event in two.
func everySecond(_ int, handler func(eventbus.Event)) func(eventbus.Event) {
	n := 0
	return func(ev eventbus.Event) {
		if n++; n%2 == 0 || ev.Path == "last" {
			handler(ev)
		}
	}
}

// swapped passes events on in pairs, the second first.
func swapped(i int, handler func(eventbus.Event)) func(eventbus.Event) {
	var held *eventbus.Event
	return func(ev eventbus.Event) {
		switch {
		case i != 1 || ev.Path == "last":
			handler(ev)
		case held == nil:
			held = &ev
		default:
			handler(ev)
			handler(*held)
			held = nil
		}
	}
}

// faults are buses that break a contract, by its name.
func faults() map[string]*faulty {
	everything := &faulty{subscribe: func(b own, ctx context.Context, _ eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		return b.Subscribe(ctx, eventbus.Pattern{}, handler)
	}}
	exactly := &faulty{subscribe: func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		return b.Subscribe(ctx, eventbus.Pattern{}, func(ev eventbus.Event) {
			if ev.System == p.System && ev.Kind == p.Kind {
				handler(ev)
			}
		})
	}}
	late := &faulty{subscribe: func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		first := true
		return b.Subscribe(ctx, p, func(ev eventbus.Event) {
			if !first {
				handler(ev)
			}
			first = false
		})
	}}
	unclosable := &faulty{subscribe: func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		s, err := b.Subscribe(ctx, p, handler)
		return deafSub{s}, err
	}}
	closesAll := &faulty{}
	var all []eventbustest.Subscription
	closesAll.subscribe = func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		s, err := b.Subscribe(ctx, p, handler)
		all = append(all, s)
		return closer{s, &all}, err
	}
	parallel := handlers(func(_ int, handler func(eventbus.Event)) func(eventbus.Event) {
		return func(ev eventbus.Event) {
			if ev.Path == "last" {
				handler(ev)
				return
			}
			concurrent(func() { handler(ev) }, func() { handler(ev) })
		}
	})
	only := make(chan struct{}, 1) // room for one callback; a mutex would keep the bubble from going on
	oneByOne := handlers(func(_ int, handler func(eventbus.Event)) func(eventbus.Event) {
		return func(ev eventbus.Event) {
			only <- struct{}{}
			defer func() { <-only }()
			handler(ev)
		}
	})
	var mu sync.Mutex
	busy := make(map[string]bool) // guarded by mu; systems whose callback is running
	refusing := handlers(func(_ int, handler func(eventbus.Event)) func(eventbus.Event) {
		return func(ev eventbus.Event) {
			mu.Lock()
			busy[ev.System] = true
			mu.Unlock()
			handler(ev)
			mu.Lock()
			busy[ev.System] = false
			mu.Unlock()
		}
	})
	inside := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return busy["ask"]
	}
	refusing.publish = func(b own, ev eventbus.Event) {
		if !inside() {
			b.Publish(ev)
		}
	}
	wrapped := refusing.subscribe
	refusingSubscribe := &faulty{subscribe: func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		if inside() {
			return nil, errors.New("busy")
		}
		return wrapped(b, ctx, p, handler)
	}}
	rootless := &faulty{subscribe: func(b own, _ context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		return b.Subscribe(context.Background(), p, handler)
	}}
	ended := handlers(func(_ int, handler func(eventbus.Event)) func(eventbus.Event) {
		var over bool
		return func(ev eventbus.Event) {
			if over {
				return
			}
			defer func() { over = recover() != nil }()
			handler(ev)
		}
	})
	hasty := &faulty{}
	stopping := make(chan struct{})
	var open []eventbustest.Subscription
	hasty.subscribe = func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
		s, err := b.Subscribe(ctx, p, func(ev eventbus.Event) {
			<-stopping
			handler(ev)
		})
		open = append(open, s)
		return s, err
	}
	hasty.stop = func(b own, ctx context.Context) error {
		for _, s := range open {
			s.Close()
		}
		if open != nil {
			close(stopping)
			open = nil
		}
		return b.Stop(ctx)
	}
	untyped := &faulty{
		subscribe: func(b own, ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
			s, err := b.Subscribe(ctx, p, handler)
			if errors.Is(err, eventbus.ErrClosed) {
				err = errors.New("something is wrong")
			}
			return s, err
		},
	}
	policy := func(p eventbus.Policy) *faulty {
		return &faulty{bounded: func(capacity int, _ eventbus.Policy) (int, eventbus.Policy) { return capacity, p }}
	}
	return map[string]*faulty{
		"DeliversWhatMatches":          everything,
		"DeliversToEverySubscriber":    handlers(everySecond),
		"KeepsTheOrderOfAPublisher":    handlers(swapped),
		"SubscribesAtOnce":             late,
		"CloseEndsDelivery":            unclosable,
		"CloseLeavesOthersAlone":       closesAll,
		"MatchesWildcards":             exactly,
		"ShowsAllSubscribersOneOrder":  handlers(swapped),
		"CallsBackOneAtATime":          parallel,
		"StuckSubscriberDelaysNobody":  oneByOne,
		"ClosesFromACallback":          unclosable,
		"PublishesFromACallback":       refusing,
		"SubscribesFromACallback":      refusingSubscribe,
		"EndsWithTheContext":           rootless,
		"RefusesAnEndedContext":        rootless,
		"ContainsPanics":               ended,
		"StopDeliversWhatWasPublished": hasty,
		"RefusesAfterStop":             untyped,
		"DropsTheOldest":               policy(eventbus.DropNewest),
		"DropsTheNewest":               policy(eventbus.DropOldest),
		"CancelsOnOverflow":            policy(eventbus.Unbounded),
	}
}

// closer closes everybody's subscription.
type closer struct {
	eventbustest.Subscription
	all *[]eventbustest.Subscription
}

func (c closer) Close() {
	for _, s := range *c.all {
		s.Close()
	}
}

func concurrent(fs ...func()) {
	var wg sync.WaitGroup
	for _, f := range fs {
		wg.Go(f)
	}
	wg.Wait()
}

// TestEveryContractFindsAFault puts faulty buses to the contract they break. In a bubble
// nobody has to wait for what never happens.
func TestEveryContractFindsAFault(t *testing.T) {
	for _, c := range eventbustest.Contracts(eventbustest.All) {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := faults()[c.Name]
				if f == nil {
					t.Fatal("nothing shows that this contract can fail")
				}
				f.own = newOwn().(own)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := c.Check(ctx, f)
				if err == nil {
					t.Error("the fault was not found")
				}
				synctest.Wait()
				if e := f.own.Stop(context.Background()); e != nil {
					t.Error(fmt.Errorf("stopping afterwards: %w", e))
				}
			})
		})
	}
}
