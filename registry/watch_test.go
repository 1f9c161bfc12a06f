// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
)

func wantChange(t *testing.T, w *registry.Watch, version uint64, combined int, ops string) {
	t.Helper()
	c, err := w.Next(t.Context())
	if err != nil || c.Version.ID != version || c.Combined != combined || fmt.Sprint(c.Ops) != ops {
		t.Errorf("change %+v, %v, want v%d, %d, %s", c, err, version, combined, ops)
	}
}

func watch(t *testing.T, r *registry.Registry, selector string, opts ...registry.WatchOption) *registry.Watch {
	t.Helper()
	w, err := r.Watch(selector, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestWatchReportsEveryMatchingChangeOnceAndInOrder(t *testing.T) {
	r, _ := withRecorder(t)
	one, all, none := watch(t, r, "app:a"), watch(t, r, "app.**:*"), watch(t, r, "app:nothing")
	mustApply(t, r, create(entry("app:a", "test.one", "n", 1), entry("app.sub:b", "test.one"), entry("other:c", "test.one")))
	var set registry.Changeset
	set.UpdateEntry(entry("app:a", "test.one", "n", 2))
	set.DeleteEntry(registry.ParseID("app.sub:b"))
	mustApply(t, r, set)
	set = nil
	set.DeleteEntry(registry.ParseID("app:a"))
	set.CreateEntry(entry("app:a", "test.two"))
	mustApply(t, r, set)
	mustApply(t, r, create(entry("other:d", "test.one")))
	if err := r.ApplyVersion(t.Context(), registry.Version{}); err != nil {
		t.Fatal(err)
	}
	wantChange(t, one, 1, 1, "[entry.create app:a]")
	wantChange(t, one, 2, 1, "[entry.update app:a]")
	wantChange(t, one, 3, 1, "[entry.delete app:a entry.create app:a]")
	wantChange(t, one, 0, 1, "[entry.delete app:a]")
	wantChange(t, all, 1, 1, "[entry.create app:a entry.create app.sub:b]")
	wantChange(t, all, 2, 1, "[entry.update app:a entry.delete app.sub:b]")
	wantChange(t, all, 3, 1, "[entry.delete app:a entry.create app:a]")
	wantChange(t, all, 0, 1, "[entry.delete app:a]")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, w := range []*registry.Watch{one, all, none} {
		if c, err := w.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("something was left: %v, %v", c, err)
		}
	}
	for _, bad := range []string{"", "app", "app:"} {
		if _, err := r.Watch(bad); err == nil {
			t.Errorf("selector %q was accepted", bad)
		}
	}
}

func TestWatchThatFallsBehindGetsTheLatestChangesCombined(t *testing.T) {
	r, _ := withRecorder(t)
	w := watch(t, r, "app:*", registry.Backlog(2))
	mustApply(t, r, create(entry("app:a", "test.one")))
	mustApply(t, r, create(entry("app:b", "test.one", "n", 1)))
	var set registry.Changeset
	set.UpdateEntry(entry("app:b", "test.one", "n", 2))
	set.CreateEntry(entry("app:c", "test.one"))
	mustApply(t, r, set)
	set = nil
	set.DeleteEntry(registry.ParseID("app:c"))
	mustApply(t, r, set)
	wantChange(t, w, 1, 1, "[entry.create app:a]")
	c, err := w.Next(t.Context())
	if err != nil || c.Version.ID != 4 || c.Combined != 3 || fmt.Sprint(c.Ops) != "[entry.create app:b]" || !registry.EqualValues(c.Ops[0].Entry.Data, map[string]any{"n": 2.0}) {
		t.Errorf("combined %+v, %v", c, err)
	}
	late := watch(t, r, "app:a", registry.Backlog(0)) // as 1
	for _, change := range []func(*registry.Changeset){
		func(c *registry.Changeset) { c.DeleteEntry(registry.ParseID("app:a")) },
		func(c *registry.Changeset) { c.CreateEntry(entry("app:a", "test.one")) },
		func(c *registry.Changeset) { c.DeleteEntry(registry.ParseID("app:a")) },
	} {
		var set registry.Changeset
		change(&set)
		mustApply(t, r, set)
	}
	wantChange(t, late, 7, 3, "[entry.delete app:a]")
}

func TestClosedWatchGivesWhatStillWaits(t *testing.T) {
	r, _ := withRecorder(t)
	w := watch(t, r, "app:a")
	mustApply(t, r, create(entry("app:a", "test.one", "n", 1)))
	w.Close()
	w.Close()
	var set registry.Changeset
	set.UpdateEntry(entry("app:a", "test.one", "n", 2))
	mustApply(t, r, set)
	wantChange(t, w, 1, 1, "[entry.create app:a]")
	for range 2 {
		if _, err := w.Next(t.Context()); !errors.Is(err, registry.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// Whatever happens, a watch reports every change that touched its entries once, in order,
// and what it reports leads from the state it started at to the present one.
func TestWatchAddsUpToTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := registry.New(registry.WithLogger(quiet), registry.WithInternalKinds("**"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		type follower struct {
			w       *registry.Watch
			id      registry.ID // zero: all
			m       model
			due     [][]uint64 // versions not yet reported, those to be combined together
			backlog int
		}
		var followers []*follower
		read := func(f *follower) {
			c, err := f.w.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			want := f.due[0]
			f.due = f.due[1:]
			if c.Combined != len(want) || c.Version.ID != want[len(want)-1] {
				t.Fatalf("change to %v combines %d, want %v", c.Version, c.Combined, want)
			}
			f.m = f.m.apply(c.Ops)
		}
		m, versions := model{}, []registry.Version{{}}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			touched := map[registry.ID]bool{}
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				f := &follower{m: model{}, backlog: rapid.IntRange(1, 4).Draw(t, "backlog")}
				selector := "app:*"
				if rapid.Bool().Draw(t, "one entry") {
					f.id = drawEntry(t).ID
					selector = f.id.String()
				}
				for id, e := range m {
					if f.id.IsZero() || id == f.id {
						f.m[id] = e
					}
				}
				if f.w, err = r.Watch(selector, registry.Backlog(f.backlog)); err != nil {
					t.Fatal(err)
				}
				followers = append(followers, f)
				continue
			case 1:
				if len(followers) > 0 {
					f := rapid.SampledFrom(followers).Draw(t, "reader")
					if len(f.due) > 0 {
						read(f)
					}
				}
				continue
			case 2:
				err = r.ApplyVersion(context.Background(), rapid.SampledFrom(versions).Draw(t, "to"))
				touched = differing(m, modelOf(r.Snapshot()))
			default:
				c := drawChange(t, m, 4)
				for _, op := range c {
					touched[op.Entry.ID] = true
				}
				var v registry.Version
				v, err = r.Apply(context.Background(), c)
				versions = append(versions, v)
			}
			if err != nil {
				t.Fatal(err)
			}
			next := modelOf(r.Snapshot())
			for _, f := range followers {
				for id := range touched {
					if f.id.IsZero() || id == f.id {
						v := r.Current().ID
						if n := len(f.due); n < f.backlog {
							f.due = append(f.due, []uint64{v})
						} else {
							f.due[n-1] = append(f.due[n-1], v)
						}
						break
					}
				}
			}
			m = next
		}
		for _, f := range followers {
			for len(f.due) > 0 {
				read(f)
			}
			want := model{}
			for id, e := range m {
				if f.id.IsZero() || id == f.id {
					want[id] = e
				}
			}
			if !f.m.equal(want) {
				t.Fatalf("the changes add up to %v, want %v", f.m, want)
			}
			f.w.Close()
			if c, err := f.w.Next(context.Background()); !errors.Is(err, registry.ErrClosed) {
				t.Fatalf("one more: %v, %v", c, err)
			}
		}
	})
}

// differing returns the IDs whose entries two states do not have in common.
func differing(a, b model) map[registry.ID]bool {
	out := map[registry.ID]bool{}
	for id, e := range a {
		if o, ok := b[id]; !ok || !o.Equal(e) {
			out[id] = true
		}
	}
	for id := range b {
		if _, ok := a[id]; !ok {
			out[id] = true
		}
	}
	return out
}

func TestCloseEndsWatchesAndChanges(t *testing.T) {
	r, err := registry.New(registry.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Watch("**:*")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := w.Next(context.Background()); !errors.Is(err, registry.ErrClosed) {
			t.Errorf("watch: %v", err)
		}
	})
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := r.Apply(t.Context(), create(entry("app:a", "registry.entry"))); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("apply: %v", err)
	}
	if _, err := r.Watch("a:b"); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("watch after Close: %v", err)
	}
}
