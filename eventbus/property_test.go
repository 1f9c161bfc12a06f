package eventbus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wippyrun/kit/eventbus"
	"pgregory.net/rapid"
)

// modelSub is what a subscription should do.
type modelSub struct {
	sub     *eventbus.Subscription
	pattern eventbus.Pattern
	got     *sink
	want    []string
	closed  bool
}

// TestBusAgreesWithItsModel makes random subscriptions, publishes random topics and
// closes subscriptions in between. What a subscriber got must be the events whose
// topic matches by definition; for one that was closed early, a prefix of them.
func TestBusAgreesWithItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bus := eventbus.New()
		var subs []*modelSub
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"subscribe": func(t *rapid.T) {
				m := &modelSub{got: new(sink), pattern: eventbus.Pattern{
					System: patternGen.Draw(t, "system pattern"), Kind: patternGen.Draw(t, "kind pattern"),
				}}
				s, err := bus.Subscribe(context.Background(), m.pattern, m.got.add)
				if err != nil {
					t.Fatal(err)
				}
				m.sub = s
				subs = append(subs, m)
			},
			"publish": func(t *rapid.T) {
				ev := eventbus.Event{System: subjectGen.Draw(t, "system"), Kind: subjectGen.Draw(t, "kind")}
				for range rapid.IntRange(1, 40).Draw(t, "times") {
					ev.Path = fmt.Sprint(n)
					n++
					bus.Publish(ev)
					for _, m := range subs {
						system := m.pattern.System == "" || oracle(m.pattern.System, ev.System)
						kind := m.pattern.Kind == "" || oracle(m.pattern.Kind, ev.Kind)
						if system && kind && !m.closed {
							m.want = append(m.want, ev.Path)
						}
					}
				}
			},
			"close": func(t *rapid.T) {
				if len(subs) > 0 {
					m := subs[rapid.IntRange(0, len(subs)-1).Draw(t, "sub")]
					m.sub.Close()
					m.closed = true
				}
			},
		})
		if err := bus.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, m := range subs {
			got := m.got.paths()
			want := m.want
			if m.closed && len(got) <= len(want) {
				want = want[:len(got)]
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%v (closed %v): got %v, want %v", m.pattern, m.closed, got, m.want)
			}
			if wantErr := eventbus.ErrClosed; !m.closed && !errors.Is(m.sub.Err(), wantErr) {
				t.Fatalf("%v: error %v", m.pattern, m.sub.Err())
			}
		}
	})
}

// TestBoundedQueueAgreesWithItsModel holds a subscriber at a gate while random bursts
// fill its queue, and compares what it then gets with the policy applied event by
// event to a list.
func TestBoundedQueueAgreesWithItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 300).Draw(t, "capacity")
		policy := rapid.SampledFrom([]eventbus.Policy{eventbus.DropOldest, eventbus.DropNewest}).Draw(t, "policy")
		bus := eventbus.New()
		gate, entered := make(chan struct{}), make(chan struct{}, 1)
		var got []string
		s, err := bus.Subscribe(context.Background(), eventbus.Pattern{System: "wanted"}, func(ev eventbus.Event) {
			if len(got) == 0 {
				entered <- struct{}{}
				<-gate
			}
			got = append(got, ev.Path)
		}, eventbus.Bounded(capacity, policy))
		if err != nil {
			t.Fatal(err)
		}
		bus.Publish(eventbus.Event{System: "wanted", Path: "first"})
		<-entered

		var queue []string
		dropped, n := 0, 0
		for range rapid.IntRange(0, 30).Draw(t, "bursts") {
			// Foreign events between make the queue sparse, so that it is compacted.
			for range rapid.SampledFrom([]int{0, 0, 1, 130}).Draw(t, "foreign") {
				bus.Publish(eventbus.Event{System: "foreign"})
			}
			for range rapid.IntRange(1, 60).Draw(t, "wanted") {
				path := fmt.Sprint(n)
				n++
				bus.Publish(eventbus.Event{System: "wanted", Path: path})
				queue = append(queue, path)
				if len(queue) > capacity {
					dropped++
					if policy == eventbus.DropOldest {
						queue = queue[1:]
					} else {
						queue = queue[:capacity]
					}
				}
			}
		}
		settle(t, bus)
		if s.Pending() != len(queue) || int(s.Dropped()) != dropped {
			t.Fatalf("pending %d, dropped %d; want %d, %d", s.Pending(), s.Dropped(), len(queue), dropped)
		}
		close(gate)
		if err := bus.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if want := append([]string{"first"}, queue...); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// settle waits until everything published so far is dispatched.
func settle(t interface{ Fatal(...any) }, bus *eventbus.Bus) {
	done := make(chan struct{})
	s, err := bus.Subscribe(context.Background(), eventbus.Pattern{System: "settle"}, func(eventbus.Event) { close(done) })
	if err != nil {
		t.Fatal(err)
	}
	bus.Publish(eventbus.Event{System: "settle"})
	<-done
	s.Close()
}
