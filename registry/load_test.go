// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/wippyrun/kit/registry"
)

func loadErrors(t *testing.T, err error) []string {
	t.Helper()
	var out []string
	for _, e := range registry.EntryErrors(err) {
		out = append(out, e.Error())
	}
	return out
}

func TestLoadStateReplaysHistoryOverTheBaseline(t *testing.T) {
	h := registry.NewMemoryHistory()
	first, _ := withRecorder(t, registry.WithHistory(keepOpen{h}))
	if err := first.LoadState(t.Context(), []registry.Entry{entry("app:file", "test.one", "n", 1)}); err != nil {
		t.Fatal(err)
	}
	if !first.Current().IsRoot() {
		t.Error("loading made a version")
	}
	c := create(entry("app:run", "test.one"))
	c.UpdateEntry(entry("app:file", "test.one", "n", 2))
	mustApply(t, first, c)
	want := stateOf(first.Snapshot())

	second, rec := withRecorder(t, registry.WithHistory(keepOpen{h}))
	if second.Current() != first.Current() {
		t.Errorf("head after restart is %v", second.Current())
	}
	if err := second.LoadState(t.Context(), []registry.Entry{entry("app:file", "test.one", "n", 1)}); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, rec, "create app:file", "create app:run")
	if got := stateOf(second.Snapshot()); got != want {
		t.Errorf("state after restart:\n%swant:\n%s", got, want)
	}
	if v := mustApply(t, second, create(entry("app:more", "test.one"))); v.ID != 2 {
		t.Errorf("next version is %v", v)
	}
	// Loading again, from files that were edited meanwhile, sends only the difference.
	rec.take()
	if err := second.LoadState(t.Context(), []registry.Entry{entry("app:new", "test.two")}); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, rec, "create app:new")
}

type keepOpen struct{ registry.History }

func (keepOpen) Close() error { return nil }

func TestLoadStateReportsEveryFailingEntry(t *testing.T) {
	r, rec := withRecorder(t)
	rec.reject = func(op, id string) error {
		switch {
		case op == "delete":
			return nil
		case id == "app:bad1" || id == "app:bad2":
			return errors.New("is bad")
		case id == "app:needs1":
			return kindError{registry.KindNotFound, "bad1 is missing"}
		case id == "app:chained":
			return errors.New("cannot work")
		case id == "app:alone":
			return kindError{registry.KindNotFound, "nowhere"}
		}
		return nil
	}
	err := r.LoadState(t.Context(), []registry.Entry{
		entry("app:good", "test.one"),
		entry("app:bad1", "test.one"),
		entry("app:needs1", "test.one", "func", "bad1"),
		entry("app:chained", "test.one", "func", "needs1"),
		entry("app:alone", "test.one"),
		entry("app:bad2", "test.one"),
		entry("app:kind", "test.oen.x"),
	})
	wantError(t, err, "failed to load state")
	want := []string{
		"app:alone: nowhere",
		"app:bad1: is bad",
		"app:bad2: is bad",
		"app:chained: cannot work (an entry it depends on failed as well)",
		`app:kind: unknown kind "test.oen.x": no listener responded (did you mean "test.one"?)`,
	}
	if got := loadErrors(t, err); !slices.Equal(got, want) {
		t.Errorf("errors:\n got %q\nwant %q", got, want)
	}
	if r.Snapshot().Len() != 0 {
		t.Error("state changed")
	}
	calls := rec.take()
	if !slices.Contains(calls, "delete app:good") {
		t.Errorf("the accepted entry was not undone: %q", calls)
	}
}

func TestLoadStateReportsCyclesWithTheirPath(t *testing.T) {
	baseline := []registry.Entry{
		entry("app:a", "test.one", "func", "b"),
		entry("app:b", "test.one", "func", "c"),
		entry("app:c", "test.one", "func", "app:a"),
		entry("app:d", "test.one"),
	}
	r, _ := withRecorder(t)
	err := r.LoadState(t.Context(), baseline)
	wantError(t, err, "dependency cycle: app:a -> app:b -> app:c -> app:a")
	lenient, _ := withRecorder(t, registry.WithCyclesAllowed())
	if err := lenient.LoadState(t.Context(), baseline); err != nil {
		t.Error(err)
	}
	run, _ := withRecorder(t)
	mustApply(t, run, create(baseline...))
}

func TestCycleThroughAGroupIsNoError(t *testing.T) {
	r, rec := withRecorder(t)
	a := entry("app:a", "test.one")
	a.Meta = map[string]any{"groups": []any{"g"}, "depends_on": []any{"ns:app"}}
	b := entry("app:b", "test.one")
	b.Meta = map[string]any{"depends_on": []any{"group:g", "ns:app"}}
	if err := r.LoadState(t.Context(), []registry.Entry{b, a}); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, rec, "create app:a", "create app:b")
}

func TestLoadStateRejectsWhatIsNoEntry(t *testing.T) {
	r, _ := withRecorder(t)
	err := r.LoadState(t.Context(), []registry.Entry{
		{ID: registry.ParseID("app:x")},
		{Kind: "test.one"},
		entry("app:f", "test.one", "f", make(chan int)),
	})
	if got := loadErrors(t, err); len(got) != 3 {
		t.Errorf("errors %q", got)
	}
}

func TestLoadStateCanceled(t *testing.T) {
	r := newRegistry(t)
	ctx, cancel := context.WithCancel(t.Context())
	if err := r.Listen("k", listenerFunc(func(context.Context, string, registry.Entry) error { cancel(); return nil })); err != nil {
		t.Fatal(err)
	}
	err := r.LoadState(ctx, []registry.Entry{entry("app:a", "k"), entry("app:b", "k")})
	if !errors.Is(err, context.Canceled) || r.Snapshot().Len() != 0 {
		t.Errorf("error %v, %d entries", err, r.Snapshot().Len())
	}
}
