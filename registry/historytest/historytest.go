// SPDX-License-Identifier: Apache-2.0

// Package historytest checks that a registry.History keeps its promises.
package historytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
)

// Run runs the suite. open returns a history with nothing in it; for a durable one,
// reopen returns the same history after a restart, otherwise it is nil.
func Run(t *testing.T, open func(t *testing.T) registry.History, reopen func(t *testing.T) registry.History) {
	t.Run("EmptyHistoryIsAtItsRoot", func(t *testing.T) { emptyHistory(t, open(t)) })
	t.Run("AppendMovesTheHead", func(t *testing.T) { appendMoves(t, open(t)) })
	t.Run("ChangesetsComeBackAsTheyWere", func(t *testing.T) { roundTrip(t, open(t)) })
	t.Run("AppendRejectsStoredVersionsAndUnknownParents", func(t *testing.T) { appendRejects(t, open(t)) })
	t.Run("SetHeadMovesAndBranches", func(t *testing.T) { branches(t, open(t)) })
	t.Run("ReadersMayRunWhileAppending", func(t *testing.T) { concurrentReads(t, open(t)) })
	if reopen != nil {
		t.Run("EverythingSurvivesARestart", func(t *testing.T) { survives(t, open(t), reopen) })
	}
}

// Sample returns a changeset with operations of every kind and every type of value, the
// empty ones too.
func Sample(n int) registry.Changeset {
	e := registry.Entry{
		ID: registry.NewID("app.sub", fmt.Sprintf("e:%d", n)), Kind: "test.kind",
		Meta: map[string]any{"tags": []any{"a", "b"}, "n": float64(n), "t": true, "z": nil},
		Data: map[string]any{"deep": map[string]any{"list": []any{[]any{}, map[string]any{}, 1.5, -0.25, 1e300, float64(1 << 53)}}, "text": "ünï\x00code\n"},
	}
	old := registry.Entry{ID: e.ID, Kind: e.Kind, Data: []any{"plain"}}
	c := registry.Changeset{
		{Kind: registry.Create, Entry: e},
		{Kind: registry.Update, Entry: e, Original: &old},
		{Kind: registry.Delete, Entry: registry.Entry{ID: e.ID, Kind: e.Kind}, Original: &e},
	}
	for i, v := range []any{nil, 0.0, "", false, []any{}, map[string]any{}} {
		e := registry.Entry{ID: registry.NewID("", fmt.Sprint("empty", i)), Kind: "k", Meta: map[string]any{}, Data: v}
		c = append(c, registry.Op{Kind: registry.Update, Entry: e, Original: &e})
	}
	return c
}

// SampleRecord returns a record with all fields set for odd versions and no more than the
// time for even ones.
func SampleRecord(id, parent uint64) registry.Record {
	r := registry.Record{Version: registry.Version{ID: id, Parent: parent}, Time: time.Date(2026, 2, 28, 23, 59, 59, int(id)*1_000_000, time.UTC)}
	if id%2 == 1 {
		r.Author, r.Comment = fmt.Sprintf("author ünï %d", id), "first line\nsecond 'line'\x00"
	}
	return r
}

// wantRecords checks that the history holds these versions after the root.
func wantRecords(t *testing.T, h registry.History, want ...registry.Record) {
	t.Helper()
	got, err := h.Records(t.Context())
	if err != nil || !slices.Equal(got, append([]registry.Record{{}}, want...)) {
		t.Errorf("records\n%+v, %v, want\n%+v", got, err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func closing(t *testing.T, h registry.History) {
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

func wantHead(t *testing.T, h registry.History, want registry.Version) {
	t.Helper()
	got, err := h.Head(t.Context())
	if err != nil || got != want {
		t.Errorf("head is %+v, %v, want %+v", got, err, want)
	}
}

func emptyHistory(t *testing.T, h registry.History) {
	closing(t, h)
	wantHead(t, h, registry.Version{})
	rs, err := h.Records(t.Context())
	if err != nil || len(rs) != 1 || rs[0] != (registry.Record{}) {
		t.Errorf("records %v, %v", rs, err)
	}
	if c, err := h.Changeset(t.Context(), 0); err != nil || len(c) != 0 {
		t.Errorf("changeset of the root: %v, %v", c, err)
	}
	if _, err := h.Changeset(t.Context(), 1); !errors.Is(err, registry.ErrVersionNotFound) {
		t.Errorf("changeset of an unknown version: %v", err)
	}
}

func appendMoves(t *testing.T, h registry.History) {
	closing(t, h)
	for i := uint64(1); i <= 3; i++ {
		r := SampleRecord(i, i-1)
		must(t, h.Append(t.Context(), r, Sample(int(i))))
		wantHead(t, h, r.Version)
	}
	wantRecords(t, h, SampleRecord(1, 0), SampleRecord(2, 1), SampleRecord(3, 2))
}

// Equal reports whether two changesets say the same.
func Equal(a, b registry.Changeset) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Kind != b[i].Kind || !a[i].Entry.Equal(b[i].Entry) || (a[i].Original == nil) != (b[i].Original == nil) {
			return false
		}
		if a[i].Original != nil && !a[i].Original.Equal(*b[i].Original) {
			return false
		}
	}
	return true
}

func roundTrip(t *testing.T, h registry.History) {
	closing(t, h)
	want := Sample(1)
	must(t, h.Append(t.Context(), SampleRecord(1, 0), want))
	got, err := h.Changeset(t.Context(), 1)
	must(t, err)
	if !Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func appendRejects(t *testing.T, h registry.History) {
	closing(t, h)
	v1 := SampleRecord(1, 0)
	must(t, h.Append(t.Context(), v1, Sample(1)))
	again := SampleRecord(1, 0)
	again.Comment = "again"
	err := h.Append(t.Context(), again, Sample(2))
	var k interface{ Kind() string }
	if !errors.As(err, &k) || k.Kind() != registry.KindConflict {
		t.Errorf("stored twice: %v", err)
	}
	if err := h.Append(t.Context(), SampleRecord(9, 7), nil); !errors.Is(err, registry.ErrVersionNotFound) {
		t.Errorf("unknown parent: %v", err)
	}
	wantHead(t, h, v1.Version)
	wantRecords(t, h, v1)
	if c, err := h.Changeset(t.Context(), 1); err != nil || !Equal(c, Sample(1)) {
		t.Errorf("a rejected append left traces: %v, %v", c, err)
	}
	if _, err := h.Changeset(t.Context(), 9); !errors.Is(err, registry.ErrVersionNotFound) {
		t.Errorf("a rejected append left traces: %v", err)
	}
}

func branches(t *testing.T, h registry.History) {
	closing(t, h)
	must(t, h.Append(t.Context(), SampleRecord(1, 0), Sample(1)))
	must(t, h.SetHead(t.Context(), registry.Version{}))
	wantHead(t, h, registry.Version{})
	must(t, h.Append(t.Context(), SampleRecord(2, 0), Sample(2)))
	wantHead(t, h, registry.Version{ID: 2})
	if err := h.SetHead(t.Context(), registry.Version{ID: 5}); !errors.Is(err, registry.ErrVersionNotFound) {
		t.Errorf("unknown head: %v", err)
	}
	wantHead(t, h, registry.Version{ID: 2})
}

func concurrentReads(t *testing.T, h registry.History) {
	closing(t, h)
	done := make(chan error)
	go func() {
		for i := uint64(1); i <= 20; i++ {
			if err := h.Append(context.Background(), SampleRecord(i, i-1), Sample(int(i))); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		select {
		case err := <-done:
			must(t, err)
			return
		default:
		}
		head, err := h.Head(t.Context())
		must(t, err)
		c, err := h.Changeset(t.Context(), head.ID)
		must(t, err)
		if head.ID > 0 && !Equal(c, Sample(int(head.ID))) {
			t.Fatalf("changeset of %v is %v", head, c)
		}
		_, err = h.Records(t.Context())
		must(t, err)
	}
}

func survives(t *testing.T, h registry.History, reopen func(t *testing.T) registry.History) {
	must(t, h.Append(t.Context(), SampleRecord(1, 0), Sample(1)))
	must(t, h.Append(t.Context(), SampleRecord(2, 1), Sample(2)))
	must(t, h.SetHead(t.Context(), registry.Version{ID: 1}))
	must(t, h.Close())
	h = reopen(t)
	closing(t, h)
	wantHead(t, h, registry.Version{ID: 1})
	wantRecords(t, h, SampleRecord(1, 0), SampleRecord(2, 1))
	for i := 1; i <= 2; i++ {
		if c, err := h.Changeset(t.Context(), uint64(i)); err != nil || !Equal(c, Sample(i)) {
			t.Errorf("changeset of v%d: %v, %v", i, c, err)
		}
	}
}
