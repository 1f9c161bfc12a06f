package eventbustest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/eventbus/eventbustest"
)

// own adapts our bus, which only needs its results turned into interfaces.
type own struct{ *eventbus.Bus }

func newOwn() eventbustest.Bus {
	return own{eventbus.New(eventbus.WithPanicHandler(func(eventbus.PanicReport) {}))}
}

func (b own) Subscribe(ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event)) (eventbustest.Subscription, error) {
	s, err := b.Bus.Subscribe(ctx, p, handler)
	if err != nil {
		return nil, err // and no interface around a nil pointer
	}
	return s, nil
}

func (b own) SubscribeBounded(ctx context.Context, p eventbus.Pattern, handler func(eventbus.Event),
	capacity int, policy eventbus.Policy) (eventbustest.BoundedSubscription, error) {
	s, err := b.Bus.Subscribe(ctx, p, handler, eventbus.Bounded(capacity, policy))
	if err != nil {
		return nil, err
	}
	return s, nil
}

func TestOwnBusKeepsEveryContract(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		eventbustest.Run(t, eventbustest.Implementation{New: newOwn, Features: eventbustest.All})
	})
	t.Run("in a bubble", func(t *testing.T) {
		for _, c := range eventbustest.Contracts(eventbustest.All) {
			t.Run(c.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					if err := c.Check(ctx, newOwn()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	})
	t.Run("with metrics", func(t *testing.T) {
		eventbustest.Run(t, eventbustest.Implementation{
			New: func() eventbustest.Bus {
				return own{eventbus.New(eventbus.WithMetrics(deaf{}), eventbus.WithPanicHandler(func(eventbus.PanicReport) {}))}
			},
			Features: eventbustest.All,
		})
	})
}

type deaf struct{}

func (deaf) Dispatched(string, string, int, int)    {}
func (deaf) Overflowed(*eventbus.Subscription, int) {}

func TestFeaturesDecideWhichContractsAreChecked(t *testing.T) {
	basic := eventbustest.Contracts(0)
	for _, c := range basic {
		if c.Needs != 0 {
			t.Errorf("%s needs %v", c.Name, c.Needs)
		}
	}
	all := eventbustest.Contracts(eventbustest.All)
	if len(basic) == 0 || len(all) <= len(basic) {
		t.Errorf("%d contracts for no feature, %d for all", len(basic), len(all))
	}
	var covered eventbustest.Feature
	for _, c := range all {
		covered |= c.Needs
	}
	if covered != eventbustest.All {
		t.Errorf("contracts are about %v only", covered)
	}
	if s := (eventbustest.Wildcards | eventbustest.Policies).String(); s != "Wildcards|Policies" {
		t.Errorf("String() = %q", s)
	}
}
