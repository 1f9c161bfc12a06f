// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/wippyrun/kit/registry"
)

func TestWatchReportsMatchingChangesAndCombinesWhatWaits(t *testing.T) {
	r, _ := withRecorder(t)
	one, err := r.Watch("app:a")
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Watch("app.**:*")
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, r, create(entry("app:a", "test.one", "n", 1), entry("app.sub:b", "test.one"), entry("other:c", "test.one")))
	c, err := one.Next(t.Context())
	if err != nil || c.Version.ID != 1 || fmt.Sprint(c.Ops) != "[entry.create app:a]" {
		t.Errorf("change %v, %v", c, err)
	}
	var set registry.Changeset
	set.UpdateEntry(entry("app:a", "test.one", "n", 2))
	set.DeleteEntry(registry.ParseID("app.sub:b"))
	mustApply(t, r, set)
	c, err = all.Next(t.Context())
	if err != nil || c.Version.ID != 2 || fmt.Sprint(c.Ops) != "[entry.create app:a]" {
		t.Errorf("combined change %v, %v", c, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := all.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	one.Close()
	if c, err := one.Next(t.Context()); err != nil || c.Version.ID != 2 {
		t.Errorf("what waited before Close: %v, %v", c, err)
	}
	if _, err := one.Next(t.Context()); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	for _, bad := range []string{"", "app", "app:"} {
		if _, err := r.Watch(bad); err == nil {
			t.Errorf("selector %q was accepted", bad)
		}
	}
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
