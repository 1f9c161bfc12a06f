// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
)

// After any sequence of changes, moves and restarts a registry with its history in a
// database is where it was, and every version is what it was when it was made.
func TestStateSurvivesAnySequenceOfChangesMovesAndRestarts(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "registry")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		start := func() *registry.Registry {
			h, err := sqlite.Open(ctx, filepath.Join(dir, "r.db"), sqlite.WithSynchronous(sqlite.Normal))
			if err != nil {
				t.Fatal(err)
			}
			r, err := registry.New(registry.WithHistory(h))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.LoadState(ctx, nil); err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := start()
		defer func() {
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}()
		states := []map[string]float64{{}}
		at := registry.Version{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				r = start()
			case 1:
				to := rapid.IntRange(0, len(states)-1).Draw(t, "to")
				if err := r.ApplyVersion(ctx, registry.Version{ID: uint64(to)}); err != nil {
					t.Fatal(err)
				}
				at = r.Current()
				if at.ID != uint64(to) {
					t.Fatalf("at %v, want v%d", at, to)
				}
			default:
				next := maps.Clone(states[at.ID])
				c := drawOps(t, next)
				comment := rapid.String().Draw(t, "comment")
				v, err := r.Apply(ctx, c, registry.Comment(comment))
				if err != nil {
					t.Fatal(err)
				}
				if v.ID != uint64(len(states)) || v.Parent != at.ID {
					t.Fatalf("%+v follows v%d at %v", v, len(states)-1, at)
				}
				records, err := r.Log(ctx)
				if err != nil || records[v.ID].Version != v || records[v.ID].Comment != comment {
					t.Fatalf("records %v, %v", records, err)
				}
				states, at = append(states, next), v
			}
			if r.Current() != at {
				t.Fatalf("at %v, want %v", r.Current(), at)
			}
			for id, want := range states {
				s, err := r.SnapshotAt(registry.Version{ID: uint64(id)})
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]float64{}
				for e := range s.All() {
					got[e.ID.Name] = e.Data.(float64)
				}
				if !maps.Equal(got, want) {
					t.Fatalf("v%d is %v, want %v", id, got, want)
				}
			}
		}
	})
}

// drawOps draws a change of the state and makes it there.
func drawOps(t *rapid.T, state map[string]float64) registry.Changeset {
	var c registry.Changeset
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 4), 1, 4, rapid.ID[int]).Draw(t, "entries") {
		name, n := "e"+strconv.Itoa(i), rapid.Float64Range(-1e9, 1e9).Draw(t, "n")
		e := registry.Entry{ID: registry.NewID("app", name), Kind: "registry.entry", Data: n}
		switch _, exists := state[name]; {
		case !exists:
			c.CreateEntry(e)
		case rapid.Bool().Draw(t, "delete"):
			c.DeleteEntry(e.ID)
			delete(state, name)
			continue
		default:
			c.UpdateEntry(e)
		}
		state[name] = n
	}
	return c
}
