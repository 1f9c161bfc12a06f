// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
)

var errDisk = errors.New("the disk is broken")

// brokenHistory is a history of which one operation fails.
type brokenHistory struct {
	registry.History
	op string
}

func (h *brokenHistory) fails(op string) error {
	if h.op == op {
		return errDisk
	}
	return nil
}

func (h *brokenHistory) Records(ctx context.Context) ([]registry.Record, error) {
	if err := h.fails("records"); err != nil {
		return nil, err
	}
	return h.History.Records(ctx)
}

func (h *brokenHistory) Changeset(ctx context.Context, id uint64) (registry.Changeset, error) {
	if err := h.fails("changeset"); err != nil {
		return nil, err
	}
	return h.History.Changeset(ctx, id)
}

func (h *brokenHistory) Append(ctx context.Context, r registry.Record, c registry.Changeset) error {
	if err := h.fails("append"); err != nil {
		return err
	}
	return h.History.Append(ctx, r, c)
}

func (h *brokenHistory) SetHead(ctx context.Context, v registry.Version) error {
	if err := h.fails("head"); err != nil {
		return err
	}
	return h.History.SetHead(ctx, v)
}

// TestHistoryThatFailsChangesNothing has each operation of the history fail: the error says
// what could not be done, wraps the cause and may be retried; entries, version and
// listeners are as before, and all works once the history does.
func TestHistoryThatFailsChangesNothing(t *testing.T) {
	for _, tc := range []struct {
		op   string
		call func(*registry.Registry) error
		want string
	}{
		{"append", func(r *registry.Registry) error {
			_, err := r.Apply(context.Background(), create(entry("app:new", "test.one")))
			return err
		}, "failed to save new version"},
		{"head", func(r *registry.Registry) error { return r.ApplyVersion(context.Background(), registry.Version{}) }, "failed to set head version"},
		{"changeset", func(r *registry.Registry) error { return r.ApplyVersion(context.Background(), registry.Version{}) }, "failed to get changeset"},
		{"changeset", func(r *registry.Registry) error { _, err := r.SnapshotAt(registry.Version{}); return err }, "failed to get changeset"},
		{"records", func(r *registry.Registry) error { _, err := r.Log(context.Background()); return err }, "failed to get versions from history"},
	} {
		t.Run(tc.op, func(t *testing.T) {
			h := &brokenHistory{History: registry.NewMemoryHistory()}
			r, rec := withRecorder(t, registry.WithHistory(h))
			mustApply(t, r, create(entry("app:a", "test.one")))
			rec.take()
			h.op = tc.op
			err := tc.call(r)
			if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q and the cause", err, tc.want)
			}
			var again interface{ Retryable() (bool, bool) }
			if !errors.As(err, &again) {
				t.Error("not said whether retryable")
			} else if yes, known := again.Retryable(); !yes || !known {
				t.Error("a history that fails may work again")
			}
			if s := r.Snapshot(); s.Len() != 1 || r.Current().ID != 1 {
				t.Errorf("%d entries at %v", s.Len(), r.Current())
			}
			if calls := rec.take(); len(calls)%2 != 0 {
				t.Errorf("listeners were told %v and nothing was taken back", calls)
			}
			h.op = ""
			if err := tc.call(r); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestRegistryDoesNotStartWithAHistoryThatCannotBeRead(t *testing.T) {
	if r, err := registry.New(registry.WithHistory(&brokenHistory{registry.NewMemoryHistory(), "records"}), registry.WithLogger(quiet)); r != nil || !errors.Is(err, errDisk) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestRecordIsOneLine(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for want, r := range map[string]registry.Record{
		"v3 2026-03-01T10:00:00Z alice: larger pool": {Version: registry.Version{ID: 3}, Time: at, Author: "alice", Comment: "larger pool"},
		"v3: first …": {Version: registry.Version{ID: 3}, Comment: "first\nsecond"},
		"v3 alice":    {Version: registry.Version{ID: 3}, Author: "alice"},
	} {
		if got := r.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
