// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// staged is a supervisor that only takes note.
type staged struct {
	services map[string]supervisor.Service
	removed  []string
}

func (s *staged) Register(id string, service supervisor.Service, _ supervisor.Lifecycle, _ []string) error {
	s.services[id] = service
	return nil
}

func (s *staged) Remove(id string) error {
	s.removed = append(s.removed, id)
	return nil
}

func entry(data any) registry.Entry {
	return registry.Entry{ID: registry.NewID("app", "cache"), Kind: store.KindMemory, Data: data}
}

func listener(warn func(registry.Entry, []fields.Warning)) (*store.Listener, *store.Table, *staged) {
	table, s := &store.Table{}, &staged{services: map[string]supervisor.Service{}}
	if warn == nil {
		warn = func(registry.Entry, []fields.Warning) {}
	}
	return store.NewListener(table, s, warn), table, s
}

func start(t *testing.T, l *store.Listener, s *staged, data any) supervisor.Service {
	t.Helper()
	if err := l.Create(t.Context(), entry(data)); err != nil {
		t.Fatal(err)
	}
	service := s.services["app:cache"]
	if _, err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return service
}

func TestStoreIsFoundWhileItsServiceRuns(t *testing.T) {
	l, table, s := listener(nil)
	if _, err := table.Get("app:cache"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("before: %v", err)
	}
	service := start(t, l, s, map[string]any{"max_size": 1})
	m, err := table.Get("app:cache")
	if err != nil {
		t.Fatal(err)
	}
	put(t, m, "a", "1", store.PutOptions{})
	if _, err := m.Put(t.Context(), "b", text("1"), store.PutOptions{}); !errors.Is(err, store.ErrFull) {
		t.Errorf("max_size: %v", err)
	}
	if err := service.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Get("app:cache"); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "is not running") {
		t.Errorf("after: %v", err)
	}
	if _, err := m.Get(t.Context(), "a"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a handle that was kept: %v", err)
	}
	// Another run begins empty.
	if _, err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, err = table.Get("app:cache"); err != nil {
		t.Fatal(err)
	}
	if ok, err := m.Has(t.Context(), "a"); ok || err != nil {
		t.Errorf("a new run: %v, %v", ok, err)
	}
	if err := service.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Delete(t.Context(), entry(nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Get("app:cache"); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("without its entry: %v", err)
	}
}

func TestUpdateReplacesTheService(t *testing.T) {
	l, _, s := listener(nil)
	if err := l.Create(t.Context(), entry(nil)); err != nil {
		t.Fatal(err)
	}
	old := s.services["app:cache"]
	if err := l.Update(t.Context(), entry(nil), entry(map[string]any{"max_size": -1})); err == nil || len(s.removed) > 0 {
		t.Errorf("a bad update: %v, removed %v", err, s.removed)
	}
	if err := l.Update(t.Context(), entry(nil), entry(map[string]any{"max_size": 5})); err != nil {
		t.Fatal(err)
	}
	if len(s.removed) != 1 || s.services["app:cache"] == old {
		t.Errorf("removed %v", s.removed)
	}
}

func TestCleanupRunsEvenWhenNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, table, s := listener(nil)
		service := start(t, l, s, map[string]any{"cleanup_interval": "10s"})
		found, _ := table.Get("app:cache")
		m := found.(*store.Memory)
		for i := range 100 {
			put(t, m, fmt.Sprint(i), "x", store.PutOptions{TTL: time.Second})
		}
		<-time.After(9 * time.Second)
		synctest.Wait()
		if m.Len() != 100 {
			t.Errorf("%d keys before the sweep", m.Len())
		}
		<-time.After(time.Second)
		synctest.Wait()
		if m.Len() != 0 {
			t.Errorf("%d keys after it", m.Len())
		}
		if err := service.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMalformedEntries(t *testing.T) {
	for _, c := range []struct {
		data  any
		path  string
		wants string
	}{
		{map[string]any{"max_size": -1}, "data.max_size", "max_size must be non-negative"},
		{map[string]any{"max_size": "many"}, "data.max_size", "max_size must be a whole number, got many"},
		{map[string]any{"max_size": 1.5}, "data.max_size", "max_size must be a whole number, got 1.5"},
		{map[string]any{"cleanup_interval": 5}, "data.cleanup_interval", `cleanup_interval must be a duration such as "5s", got a number`},
		{map[string]any{"cleanup_interval": "-1s"}, "data.cleanup_interval", "cleanup_interval must be non-negative"},
		{map[string]any{"lifecycle": "yes"}, "data.lifecycle", ""},
		{"text", "data", ""},
	} {
		l, _, s := listener(nil)
		err := l.Create(t.Context(), entry(c.data))
		var field interface{ Field() string }
		if !errors.As(err, &field) || field.Field() != c.path || c.wants != "" && err.Error() != c.wants || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v: %v", c.data, err)
		}
		if len(s.services) > 0 {
			t.Errorf("%v: registered", c.data)
		}
	}
}

func TestUnknownFieldsAreReported(t *testing.T) {
	var got []fields.Warning
	l, _, _ := listener(func(_ registry.Entry, w []fields.Warning) { got = w })
	if err := l.Create(t.Context(), entry(map[string]any{"max_sise": 1, "cleanup_interval": "0s", "max_size": 0})); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Path != "data.max_sise" || got[0].Hint == "" {
		t.Errorf("%+v", got)
	}
}
