// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wippyrun/kit/registry"
)

// gate stops whoever passes it once it is shut.
type gate struct {
	shut           bool
	entered, leave chan struct{}
}

func (g *gate) pass() {
	if g.shut {
		close(g.entered)
		<-g.leave
		g.shut = false
	}
}

// gated stops at one stage of a change.
type gated struct {
	nop
	registry.History
	begin, op, commit, store, committed, observe gate
}

func (x *gated) Begin(context.Context) error                         { x.begin.pass(); return nil }
func (x *gated) Update(_ context.Context, _, _ registry.Entry) error { x.op.pass(); return nil }
func (x *gated) Commit(context.Context) error                        { x.commit.pass(); return nil }
func (x *gated) Discard(context.Context) error                       { return nil }
func (x *gated) Committed(context.Context)                           { x.committed.pass() }

func (x *gated) Append(ctx context.Context, r registry.Record, c registry.Changeset) error {
	x.store.pass()
	return x.History.Append(ctx, r, c)
}

// readEverything calls all that reads and checks that it sees version v, in which app:a
// has the number n.
func readEverything(t *testing.T, r *registry.Registry, v uint64, n float64) {
	t.Helper()
	id := registry.ParseID("app:a")
	got, err := r.Get(id)
	if err != nil || got.Data.(map[string]any)["n"] != n {
		t.Errorf("Get: %v, %v, want %v", got, err, n)
	}
	s := r.Snapshot()
	if r.Current().ID != v || s.Version().ID != v || s.Len() != 2 {
		t.Errorf("at %v, %v with %d entries, want v%d", r.Current(), s.Version(), s.Len(), v)
	}
	seen := 0
	for e := range s.All() {
		seen += len(s.Dependencies(e)) + 1
	}
	for range s.Namespace("app") {
		seen++
	}
	if got := len(r.Find(map[string]any{".kind": "test.*"})) + len(r.Dependencies(registry.ParseID("app:user"))); seen != 5 || got != 3 {
		t.Errorf("saw %d and found %d", seen, got)
	}
	if vs, err := r.Versions(); err != nil || len(vs) < 2 || len(r.Children(registry.Version{})) != 1 {
		t.Errorf("versions %v, %v", vs, err)
	}
	if d, err := r.Diff(registry.Version{}, registry.Version{ID: 1}); err != nil || len(d.Entries) != 2 {
		t.Errorf("difference %v, %v", d, err)
	}
	if rs, err := r.Log(t.Context()); err != nil || len(rs) < 2 {
		t.Errorf("log %v, %v", rs, err)
	}
	if _, err := r.Version(1); err != nil || !r.HasListener("test.one") || len(r.KindSuggestions("test.oen")) == 0 {
		t.Errorf("version 1: %v", err)
	}
	w, err := r.Watch("app:*")
	if err != nil {
		t.Error(err)
	}
	w.Close()
}

// At every stage of a change readers see the state before it, or after it once it is
// stored, and another change can be given up.
func TestReadersNeverWaitForAChange(t *testing.T) {
	for stage, c := range map[string]struct {
		gate  func(*gated) *gate
		after bool
	}{
		"begin":     {func(x *gated) *gate { return &x.begin }, false},
		"operation": {func(x *gated) *gate { return &x.op }, false},
		"commit":    {func(x *gated) *gate { return &x.commit }, false},
		"store":     {func(x *gated) *gate { return &x.store }, false},
		"committed": {func(x *gated) *gate { return &x.committed }, true},
		"observe":   {func(x *gated) *gate { return &x.observe }, true},
	} {
		t.Run(stage, func(t *testing.T) {
			x := &gated{History: registry.NewMemoryHistory()}
			r := newRegistry(t, registry.WithHistory(x))
			err := errors.Join(
				r.Listen("test.*", x, registry.Kinds("test.one")),
				r.Observe("test.*", func(registry.Op) { x.observe.pass() }))
			if err != nil {
				t.Fatal(err)
			}
			mustApply(t, r, create(entry("app:a", "test.one", "n", 1), entry("app:user", "test.one", "func", "a")))
			g := c.gate(x)
			*g = gate{shut: true, entered: make(chan struct{}), leave: make(chan struct{})}
			done := make(chan error)
			go func() {
				var c registry.Changeset
				c.UpdateEntry(entry("app:a", "test.one", "n", 2))
				_, err := r.Apply(context.Background(), c)
				done <- err
			}()
			<-g.entered
			if c.after {
				readEverything(t, r, 2, 2)
			} else {
				readEverything(t, r, 1, 1)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := r.Apply(ctx, create(entry("app:b", "test.one"))); !errors.Is(err, context.Canceled) {
				t.Errorf("waiting writer: %v", err)
			}
			close(g.leave)
			if err := <-done; err != nil {
				t.Error(err)
			}
			readEverything(t, r, 2, 2)
		})
	}
}
