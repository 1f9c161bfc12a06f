// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
)

// state is the model of a registry: what is in it, by ID.
type model map[registry.ID]registry.Entry

func (m model) apply(c registry.Changeset) model {
	out := maps.Clone(m)
	for _, op := range c {
		if op.Kind == registry.Delete {
			delete(out, op.Entry.ID)
		} else {
			out[op.Entry.ID] = op.Entry
		}
	}
	return out
}

func (m model) equal(o model) bool {
	return maps.EqualFunc(m, o, registry.Entry.Equal)
}

func modelOf(s registry.Snapshot) model {
	m := model{}
	for e := range s.All() {
		m[e.ID] = e
	}
	return m
}

// mirror is a listener that keeps what it was told and rejects when asked to.
type mirror struct {
	t        *rapid.T
	m        model
	rejectAt int // how many more operations are accepted; negative: all
	undoing  bool
}

var errRejected = errors.New("rejected")

func (m *mirror) next() error {
	if m.undoing || m.rejectAt < 0 {
		return nil
	}
	if m.rejectAt == 0 {
		m.undoing = true // what follows is the roll-back
		return errRejected
	}
	m.rejectAt--
	return nil
}

func (m *mirror) Create(_ context.Context, e registry.Entry) error {
	if err := m.next(); err != nil {
		return err
	}
	if _, ok := m.m[e.ID]; ok {
		m.t.Errorf("created %v, which exists", e.ID)
	}
	m.m[e.ID] = e
	return nil
}

func (m *mirror) Update(_ context.Context, old, e registry.Entry) error {
	if err := m.next(); err != nil {
		return err
	}
	if have, ok := m.m[e.ID]; !ok || !have.Equal(old) {
		m.t.Errorf("updated %v from %v, had %v", e.ID, old, have)
	}
	m.m[e.ID] = e
	return nil
}

func (m *mirror) Delete(_ context.Context, e registry.Entry) error {
	if err := m.next(); err != nil {
		return err
	}
	if have, ok := m.m[e.ID]; !ok || !have.Equal(e) {
		m.t.Errorf("deleted %v, had %v", e, have)
	}
	delete(m.m, e.ID)
	return nil
}

// drawEntry draws an entry out of few IDs, so that operations meet, which refers to
// another one now and then.
func drawEntry(t *rapid.T) registry.Entry {
	e := registry.Entry{
		ID:   registry.NewID("app", string(rune('a'+rapid.IntRange(0, 7).Draw(t, "name")))),
		Kind: rapid.SampledFrom([]string{"test.one", "test.two", "registry.entry"}).Draw(t, "kind"),
		Data: map[string]any{"n": float64(rapid.IntRange(0, 5).Draw(t, "n"))},
	}
	if rapid.IntRange(0, 2).Draw(t, "refers") == 0 {
		e.Data.(map[string]any)["func"] = string(rune('a' + rapid.IntRange(0, 7).Draw(t, "to")))
	}
	return e
}

// drawChange draws operations that are valid one after the other on m.
func drawChange(t *rapid.T, m model, max int) registry.Changeset {
	m = maps.Clone(m)
	var c registry.Changeset
	touched := map[registry.ID]bool{}
	for range rapid.IntRange(1, max).Draw(t, "ops") {
		e := drawEntry(t)
		old, exists := m[e.ID]
		if touched[e.ID] {
			continue
		}
		touched[e.ID] = true
		switch {
		case !exists:
			c.CreateEntry(e)
			m[e.ID] = e
		case rapid.IntRange(0, 3).Draw(t, "op") == 0:
			c.DeleteEntry(e.ID)
			delete(m, e.ID)
		case old.Kind != e.Kind:
			c.DeleteEntry(e.ID)
			c.CreateEntry(e)
			m[e.ID] = e
		default:
			c.UpdateEntry(e)
			m[e.ID] = e
		}
	}
	return c
}

// The state always is the replay of the history, what listeners hold always is the
// state, and a rejected change leaves both as they were.
func TestStateIsTheReplayOfHistoryAndRejectionIsIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := registry.NewMemoryHistory()
		r, err := registry.New(registry.WithHistory(h), registry.WithLogger(quiet))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		mir := &mirror{t: t, m: model{}, rejectAt: -1}
		if err := r.Listen("test.*", mir); err != nil {
			t.Fatal(err)
		}
		states := map[uint64]model{0: {}}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			now := states[r.Current().ID]
			mir.rejectAt, mir.undoing = -1, false
			reject := rapid.IntRange(0, 3).Draw(t, "reject") == 0
			if reject {
				mir.rejectAt = rapid.IntRange(0, 3).Draw(t, "reject at")
			}
			before := r.Current()
			if rapid.IntRange(0, 3).Draw(t, "navigate") == 0 {
				ids := slices.Sorted(maps.Keys(states))
				to := rapid.SampledFrom(ids).Draw(t, "to")
				err = r.ApplyVersion(context.Background(), registry.Version{ID: to})
				if err == nil && r.Current().ID != to {
					t.Fatalf("at %v, want v%d", r.Current(), to)
				}
			} else {
				c := drawChange(t, now, 6)
				var v registry.Version
				v, err = r.Apply(context.Background(), c)
				if err == nil {
					if v.Parent != before.ID {
						t.Fatalf("%v has parent v%d, want %v", v, v.Parent, before)
					}
					states[v.ID] = now.apply(c)
				}
			}
			if err != nil && !(reject && errors.Is(err, errRejected)) {
				t.Fatal(err)
			}
			if err != nil && r.Current() != before {
				t.Fatalf("a rejected change moved from %v to %v", before, r.Current())
			}
			want := states[r.Current().ID]
			got := modelOf(r.Snapshot())
			if !got.equal(want) {
				t.Fatalf("state is %v, want %v", got, want)
			}
			told := maps.Clone(want)
			maps.DeleteFunc(told, func(_ registry.ID, e registry.Entry) bool { return e.Kind == "registry.entry" })
			if !mir.m.equal(told) {
				t.Fatalf("listener holds %v, want %v", mir.m, told)
			}
		}
		for id, want := range states {
			s, err := r.SnapshotAt(registry.Version{ID: id})
			if err != nil || !modelOf(s).equal(want) {
				t.Fatalf("v%d is %v (%v), want %v", id, modelOf(s), err, want)
			}
			if got := replayed(t, h, id); !got.equal(want) {
				t.Fatalf("replay of history to v%d gives %v, want %v", id, got, want)
			}
		}
	})
}

func replayed(t *rapid.T, h registry.History, id uint64) model {
	vs, err := h.Records(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	parent := map[uint64]uint64{}
	for _, v := range vs {
		parent[v.ID] = v.Parent
	}
	var chain []uint64
	for ; id != 0; id = parent[id] {
		chain = append(chain, id)
	}
	m := model{}
	for _, id := range slices.Backward(chain) {
		c, err := h.Changeset(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		m = m.apply(c)
	}
	return m
}

// recorded draws a sequence of changes on a state, completed with originals the way a
// registry does it.
func recorded(t *rapid.T, m model) registry.Changeset {
	var c registry.Changeset
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		for _, op := range drawChange(t, m, 4) {
			if old, ok := m[op.Entry.ID]; ok {
				op.Original = &old
			}
			c = append(c, op)
			m = m.apply(registry.Changeset{op})
		}
	}
	return c
}

func TestReverseAfterApplyIsIdentityAndSquashKeepsTheOutcome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := model{}.apply(drawChange(t, model{}, 8))
		c := recorded(t, start)
		end := start.apply(c)
		rev, skipped := c.Reverse()
		if len(skipped) > 0 {
			t.Fatalf("not reversible: %v", skipped)
		}
		if got := end.apply(rev); !got.equal(start) {
			t.Fatalf("%v then its reverse gives %v, want %v", c, got, start)
		}
		sq := c.Squash()
		if got := start.apply(sq); !got.equal(end) {
			t.Fatalf("squash of %v is %v: gives %v, want %v", c, sq, got, end)
		}
		seen := map[registry.ID]bool{}
		for _, op := range sq {
			if seen[op.Entry.ID] {
				t.Fatalf("squash keeps two operations on %v", op.Entry.ID)
			}
			seen[op.Entry.ID] = true
		}
	})
}

func TestDeltaLeadsFromOneStateToTheOtherInDependencyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, err := registry.NewExtractor()
		if err != nil {
			t.Fatal(err)
		}
		from := model{}.apply(drawChange(t, model{}, 8))
		to := from.apply(drawChange(t, from, 8))
		delta := registry.BuildDelta(slices.Collect(maps.Values(from)), slices.Collect(maps.Values(to)), x)
		if got := from.apply(delta); !got.equal(to) {
			t.Fatalf("delta %v gives %v, want %v", delta, got, to)
		}
		again := registry.BuildDelta(slices.Collect(maps.Values(from)), slices.Collect(maps.Values(to)), x)
		if fmt.Sprint(delta) != fmt.Sprint(again) {
			t.Fatal("the order of a delta is not deterministic")
		}
		at := map[registry.ID]int{}
		for i, op := range delta {
			if op.Kind != registry.Delete {
				at[op.Entry.ID] = i
			}
		}
		if cyclic(to) {
			return
		}
		for id, i := range at {
			for _, ref := range x.References(to[id]) {
				if j, ok := at[id.Resolve(ref)]; ok && j > i {
					t.Fatalf("%v comes before %s, which it needs: %v", id, ref, delta)
				}
			}
		}
	})
}

func cyclic(m model) bool {
	for start := range m {
		id := start
		for range len(m) + 1 {
			ref, ok := m[id].Data.(map[string]any)["func"].(string)
			next := id.Resolve(ref)
			if _, exists := m[next]; !ok || !exists {
				break
			}
			if next == id {
				break
			}
			if id = next; id == start {
				return true
			}
		}
	}
	return false
}
