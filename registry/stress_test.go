// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/wippyrun/kit/registry"
)

func TestGetDoesNotAllocate(t *testing.T) {
	r := filled(t, 1000)
	id, s := benchEntry(7).ID, r.Snapshot()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := r.Get(id); err != nil {
			t.Error(err)
		}
		if _, ok := s.Get(id); !ok {
			t.Error("not in the snapshot")
		}
		if r.Snapshot().Len() != 1000 {
			t.Error("length")
		}
	}); n != 0 {
		t.Errorf("Get allocates %v times", n)
	}
}

// Writers move a pair of entries together; readers must never see one without the other.
func TestConcurrentReadersSeeWholeChanges(t *testing.T) {
	r := newRegistry(t, registry.WithInternalKinds("**"))
	pair := func(n int, op registry.OpKind) registry.Changeset {
		var c registry.Changeset
		for _, name := range []string{"app:a", "app:b"} {
			e := entry(name, "k", "n", n)
			e.Meta = map[string]any{"n": n}
			c = append(c, registry.Op{Kind: op, Entry: e})
		}
		return c
	}
	mustApply(t, r, pair(0, registry.Create))
	w, err := r.Watch("app:*")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const writers, changes = 4, 50
	done := make(chan struct{})
	var readers, writing sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			last := uint64(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				s := r.Snapshot()
				if s.Version().ID < last {
					t.Error("versions went backwards")
					return
				}
				last = s.Version().ID
				a, _ := s.Get(registry.ParseID("app:a"))
				b, _ := s.Get(registry.ParseID("app:b"))
				if !registry.EqualValues(a.Data, b.Data) {
					t.Errorf("half a change: %v and %v", a.Data, b.Data)
					return
				}
				if got := len(s.Find(map[string]any{"meta.n": a.Meta["n"]})); got != 2 {
					t.Errorf("found %d of 2 in %v", got, s.Version())
					return
				}
			}
		})
	}
	for i := range writers {
		writing.Go(func() {
			for j := range changes {
				if _, err := r.Apply(context.Background(), pair(i*changes+j+1, registry.Update)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	readers.Wait()
	if got := r.Current().ID; got != writers*changes+1 {
		t.Errorf("at v%d", got)
	}
	for last := uint64(1); last < r.Current().ID; last++ {
		if c, err := w.Next(t.Context()); err != nil || len(c.Ops) != 2 || c.Version.ID != last+1 || c.Combined != 1 {
			t.Fatalf("watch: %v, %v after v%d", c, err, last)
		}
	}
}

func TestListenAndObserveWhileChanging(t *testing.T) {
	r := newRegistry(t, registry.WithInternalKinds("**"))
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 50 {
			mustApply(t, r, create(entry(fmt.Sprint("app:", i), "k")))
		}
	})
	for i := range 20 {
		wg.Go(func() {
			if err := r.Listen(fmt.Sprint("kind", i), nop{}); err != nil {
				t.Error(err)
			}
			if err := r.Observe(fmt.Sprint("kind", i), func(registry.Op) {}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range 20 {
		if !r.HasListener(fmt.Sprint("kind", i)) {
			t.Errorf("listener %d was lost", i)
		}
	}
}
