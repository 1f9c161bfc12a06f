// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
)

// chain returns the versions from the root to v, without the root.
func chain(records []registry.Record, v uint64) []uint64 {
	parent := map[uint64]uint64{}
	for _, r := range records {
		parent[r.ID] = r.Parent
	}
	var out []uint64
	for ; v != 0; v = parent[v] {
		out = append(out, v)
	}
	slices.Reverse(out)
	return out
}

// replayOver applies the changes of the history from the root to v to what the files say.
func replayOver(t *rapid.T, h registry.History, files model, v uint64) model {
	records, err := h.Records(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m := files
	for _, id := range chain(records, v) {
		c, err := h.Changeset(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		m = m.apply(c)
	}
	return m
}

// After any sequence of changes, moves and restarts, with files that were edited in
// between, the state of every version is what the files say now with the changes of the
// history over it. Version numbers are not used twice.
func TestStateIsTheReplayOfHistoryAcrossRestarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := registry.NewMemoryHistory()
		files := model{}
		start := func() *registry.Registry {
			r, err := registry.New(registry.WithHistory(keepOpen{h}), registry.WithLogger(quiet),
				registry.WithInternalKinds("**"), registry.WithCyclesAllowed())
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		load := func(r *registry.Registry) {
			if err := r.LoadState(context.Background(), slices.Collect(maps.Values(files))); err != nil {
				t.Fatal(err)
			}
		}
		r := start()
		last := uint64(0)
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			at := r.Current()
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0: // restart
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				r = start()
				if r.Current() != at {
					t.Fatalf("restarted at %v, was at %v", r.Current(), at)
				}
				load(r)
			case 1: // edit files and load them, in a new process or not
				files = files.apply(drawChange(t, files, 3))
				if rapid.Bool().Draw(t, "in a new process") {
					if err := r.Close(); err != nil {
						t.Fatal(err)
					}
					r = start()
				}
				load(r)
			case 2:
				to := registry.Version{ID: rapid.Uint64Range(0, last).Draw(t, "to")}
				if err := r.ApplyVersion(context.Background(), to); err != nil {
					t.Fatal(err)
				}
				at = r.Current()
			default:
				v, err := r.Apply(context.Background(), drawChange(t, modelOf(r.Snapshot()), 4))
				if err != nil {
					t.Fatal(err)
				}
				if v.ID != last+1 || v.Parent != at.ID {
					t.Fatalf("%+v follows v%d at %v", v, last, at)
				}
				at, last = v, v.ID
			}
			if r.Current() != at {
				t.Fatalf("at %v, want %v", r.Current(), at)
			}
			if got, want := modelOf(r.Snapshot()), replayOver(t, h, files, at.ID); !got.equal(want) {
				t.Fatalf("%v is\n%v, want\n%v", at, got, want)
			}
			other := registry.Version{ID: rapid.Uint64Range(0, last).Draw(t, "looked at")}
			s, err := r.SnapshotAt(other)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := modelOf(s), replayOver(t, h, files, other.ID); !got.equal(want) {
				t.Fatalf("seen from %v, %v is\n%v, want\n%v", at, other, got, want)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMovingAfterTheFilesWereEditedLeadsToWhatTheySayNow(t *testing.T) {
	h := registry.NewMemoryHistory()
	file, made := registry.ParseID("app:file"), registry.ParseID("app:made")
	r := newRegistry(t, registry.WithHistory(h), registry.WithInternalKinds("**"))
	load := func(es ...registry.Entry) {
		t.Helper()
		if err := r.LoadState(t.Context(), es); err != nil {
			t.Fatal(err)
		}
	}
	load(entry("app:file", "k", "n", 1))
	var c registry.Changeset
	c.UpdateEntry(entry("app:file", "k", "n", 2))
	c.CreateEntry(entry("app:made", "k"))
	v1 := mustApply(t, r, c)
	c = nil
	c.DeleteEntry(made)
	v2 := mustApply(t, r, c)

	// The original stored with v1 says that app:file had n = 1 before.
	load(entry("app:file", "k", "n", 3), entry("app:made", "k", "from", "file"))
	if err := r.ApplyVersion(t.Context(), registry.Version{}); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Get(file); err != nil || !registry.EqualValues(e.Data, map[string]any{"n": 3.0}) {
		t.Errorf("v0: %v, %v", e, err)
	}
	// v1 creates app:made and v2 deletes it, which does not cancel out any more.
	if err := r.ApplyVersion(t.Context(), v2); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Get(made); err == nil {
		t.Errorf("v2 has %v", e)
	}
	if s, err := r.SnapshotAt(v1); err != nil || s.Len() != 2 {
		t.Errorf("v1 has %d entries, %v", s.Len(), err)
	}
}
