package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/wippyrun/kit/mailbox"
	"pgregory.net/rapid"
)

// TestNothingIsLostOrReordered sends from several goroutines in a mixture of Send,
// TrySend and Send with a context that may end, to a mailbox that panics now and
// then and is closed at some moment. What was accepted is handled or discarded, once,
// in the order of its sender; what was refused is neither.
func TestNothingIsLostOrReordered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := mailbox.Options{
			Workers:  rapid.IntRange(1, 4).Draw(t, "workers"),
			Capacity: rapid.IntRange(1, 20).Draw(t, "capacity"),
			Batch:    rapid.IntRange(0, 8).Draw(t, "batch"),
		}
		senders := rapid.IntRange(1, 4).Draw(t, "senders")
		plans := make([][]int, senders)
		for i := range plans {
			plans[i] = rapid.SliceOfN(rapid.IntRange(0, 3), 0, 60).Draw(t, "plan")
		}
		panicAt := rapid.IntRange(0, 60).Draw(t, "panicAt")
		closeEarly := rapid.Bool().Draw(t, "closeEarly")
		patient := rapid.Bool().Draw(t, "patient")

		var seen sink
		o.OnDiscard = func(msg any) { seen.add(msg.(item)) }
		o.OnPanic = func(mailbox.PanicReport) {}
		m := mailbox.New(func(it item) {
			seen.add(it)
			if it.n == panicAt {
				panic("boom")
			}
		}, o)

		accepted := make([][]int, senders)
		var wg sync.WaitGroup
		for s, plan := range plans {
			wg.Go(func() {
				name := fmt.Sprint("sender-", s)
				ended, cancel := context.WithCancel(context.Background())
				cancel()
				for n, how := range plan {
					var err error
					switch how {
					case 0:
						err = m.TrySend(name, item{name, n})
					case 1:
						err = m.Send(ended, name, item{name, n})
					default:
						err = m.Send(context.Background(), name, item{name, n})
					}
					if err == nil {
						accepted[s] = append(accepted[s], n)
					} else if how > 1 && !errors.Is(err, mailbox.ErrClosed) {
						t.Errorf("Send: %v", err)
					}
				}
			})
		}
		if !closeEarly {
			wg.Wait()
		}
		if !patient {
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			if err := m.Close(ended); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("Close: %v", err)
			}
		}
		if err := m.Close(context.Background()); err != nil {
			t.Fatalf("Close: %v", err)
		}
		wg.Wait()

		got := map[string][]int{}
		for _, it := range seen.items {
			got[it.sender] = append(got[it.sender], it.n)
		}
		total := 0
		for s, want := range accepted {
			total += len(want)
			if fmt.Sprint(got[fmt.Sprint("sender-", s)]) != fmt.Sprint(want) {
				t.Fatalf("sender %d: accepted %v, seen %v", s, want, got[fmt.Sprint("sender-", s)])
			}
		}
		if st := m.Stats(); st.Depth != 0 || st.Waiting != 0 || int(st.Handled+st.Discarded) != total || st.HighWater > o.Capacity {
			t.Fatalf("accepted %d, stats %+v", total, st.ShardStats)
		}
	})
}
