package eventbus_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/eventbus"
	"pgregory.net/rapid"
)

// stamp is the Data of events in tests of order: who published it and as which of his.
type stamp struct{ publisher, number int }

// witness is a subscription that writes down what it sees. Its callback is never called
// by two goroutines at once, which the race detector watches over.
type witness struct {
	sub   *eventbus.Subscription
	seen  []stamp
	leave bool // close the subscription from its callback
	made  chan struct{}
	ended atomic.Bool // Done was closed
	late  int         // callbacks after that, or after leaving
}

func (w *witness) see(ev eventbus.Event) {
	if w.ended.Load() || w.leave && len(w.seen) > 0 {
		w.late++
	}
	w.seen = append(w.seen, ev.Data.(stamp))
	if w.leave {
		<-w.made
		w.sub.Close()
	}
}

func (w *witness) subscribe(ctx context.Context, bus *eventbus.Bus, p eventbus.Pattern, opts ...eventbus.SubscribeOption) {
	w.made = make(chan struct{})
	defer close(w.made)
	s, err := bus.Subscribe(ctx, p, w.see, opts...)
	if err != nil {
		panic(err) // of a test, and it fails with a stack
	}
	w.sub = s
}

// checkOrder checks that what was seen of each publisher comes in his order and, unless
// gaps are allowed, lacks nothing in between.
func (w *witness) checkOrder(t *rapid.T, what string, gaps bool) {
	last := map[int]int{}
	for _, s := range w.seen {
		before, any := last[s.publisher]
		if any && (s.number <= before || s.number > before+1 && !gaps) {
			t.Errorf("%s: publisher %d: event %d after %d", what, s.publisher, s.number, before)
		}
		last[s.publisher] = s.number
	}
	if w.late > 0 {
		t.Errorf("%s: %d callbacks after Done", what, w.late)
	}
}

// checkPart checks that what w saw is a part of what other saw, in the same order.
func (w *witness) checkPart(t *rapid.T, what string, other *witness) {
	rest := other.seen
	for _, s := range w.seen {
		for len(rest) > 0 && rest[0] != s {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			t.Errorf("%s: %v is out of order, or was seen by nobody else", what, s)
			return
		}
		rest = rest[1:]
	}
}

// trio are three subscriptions of one pattern, made one after the other. The middle one
// has a policy; since the first sees all that matched it, and the last nothing that did not,
// what it has lost can be told to within what was published while they were made.
type trio struct {
	all, some, rest witness
}

// TestConcurrentChurnLosesNothingUncounted publishes from several goroutines while others
// subscribe and unsubscribe, some of them patterns that nobody had before. Everybody must
// see the events of each publisher in his order and either all of them or all but those
// that were counted as dropped.
func TestConcurrentChurnLosesNothingUncounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			publishers = rapid.IntRange(1, 3).Draw(t, "publishers")
			each       = rapid.IntRange(1, 2000).Draw(t, "events each")
			churners   = rapid.IntRange(1, 3).Draw(t, "churners")
			rounds     = rapid.IntRange(1, 20).Draw(t, "rounds")
			capacity   = rapid.IntRange(1, 300).Draw(t, "capacity")
			policy     = rapid.SampledFrom([]eventbus.Policy{
				eventbus.DropOldest, eventbus.DropNewest, eventbus.CancelOnOverflow, eventbus.Unbounded,
			}).Draw(t, "policy")
		)
		bus := eventbus.New()
		var begin, publishing, churning sync.WaitGroup
		begin.Add(1)
		for p := range publishers {
			publishing.Go(func() {
				begin.Wait()
				for i := range each {
					bus.Publish(eventbus.Event{System: "s", Kind: fmt.Sprintf("k%d.x", p), Data: stamp{p, i}})
				}
			})
		}
		kept := make([]trio, churners)
		passing := make([][]witness, churners)
		for c := range churners {
			passing[c] = make([]witness, rounds)
			churning.Go(func() {
				begin.Wait()
				k := &kept[c]
				everything := eventbus.Pattern{System: "s", Kind: "*.x"}
				k.all.subscribe(context.Background(), bus, everything)
				k.some.subscribe(context.Background(), bus, everything, eventbus.Bounded(capacity, policy))
				k.rest.subscribe(context.Background(), bus, everything)
				for r := range passing[c] {
					w := &passing[c][r]
					w.leave = r%3 == 0
					ctx, cancel := context.WithCancel(context.Background())
					w.subscribe(ctx, bus, eventbus.Pattern{System: fmt.Sprintf("(s|%d-%d)", c, r), Kind: "**"})
					bus.Publish(eventbus.Event{System: "s", Kind: "own.x", Data: stamp{publishers + c, r}})
					switch r % 3 {
					case 0: // leaves by itself
					case 1:
						w.sub.Close()
					case 2:
						cancel()
					}
					<-w.sub.Done()
					w.ended.Store(true) // from here on nothing may be seen
					cancel()
				}
			})
		}
		begin.Done()
		publishing.Wait()
		churning.Wait()
		if err := bus.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}

		for c := range kept {
			k := &kept[c]
			k.all.checkOrder(t, "kept", false)
			k.rest.checkOrder(t, "kept", false)
			k.rest.checkPart(t, "kept", &k.all)
			k.some.checkOrder(t, policy.String(), policy != eventbus.Unbounded)
			k.some.checkPart(t, policy.String(), &k.all)
			matched := len(k.some.seen) + int(k.some.sub.Dropped())
			canceled := k.some.sub.Err() == eventbus.ErrOverflow
			if !canceled && (matched < len(k.rest.seen) || matched > len(k.all.seen)) {
				t.Errorf("%v: saw %d and dropped %d, want between %d and %d",
					policy, len(k.some.seen), k.some.sub.Dropped(), len(k.rest.seen), len(k.all.seen))
			}
			for i := range passing[c] {
				passing[c][i].checkOrder(t, "passing", false)
			}
		}
		stats := bus.Stats()
		if stats.Published != uint64(publishers*each+churners*rounds) || stats.Dropped != 0 || stats.Subscriptions != 0 {
			t.Errorf("%+v", stats)
		}
	})
}
