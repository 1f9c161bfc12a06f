// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
)

func TestExclusiveHistoryExcludesOthers(t *testing.T) {
	path := filled(t)
	short := sqlite.WithBusyTimeout(10 * time.Millisecond)

	shared := open(t, path)
	if h, err := sqlite.Open(t.Context(), path, sqlite.WithExclusive(), short); !errors.Is(err, sqlite.ErrInUse) {
		t.Fatalf("open while another has it open: %v, %v", h, err)
	}
	if _, err := shared.Records(t.Context()); err != nil {
		t.Errorf("the other is disturbed: %v", err)
	}
	if err := shared.Close(); err != nil {
		t.Fatal(err)
	}

	exclusive := open(t, path, sqlite.WithExclusive(), short)
	if h, err := sqlite.Open(t.Context(), path, short); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("open beside an exclusive one: %v, %v", h, err)
	}
	records, err := exclusive.Records(t.Context())
	if err != nil || len(records) < 2 {
		t.Fatal(records, err)
	}
	if err := exclusive.SetHead(t.Context(), records[1].Version); err != nil {
		t.Error(err)
	}
	if err := exclusive.Close(); err != nil {
		t.Fatal(err)
	}

	after := open(t, path)
	defer after.Close()
	if head, err := after.Head(t.Context()); err != nil || head != (registry.Version{ID: 1}) {
		t.Errorf("head %v, %v", head, err)
	}
}
