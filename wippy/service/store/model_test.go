// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/service/store"
)

// modelStore is what a store has to do, in the simplest way.
type modelStore struct {
	limit   int
	now     time.Duration
	version uint64
	keys    map[string]modelEntry
}

type modelEntry struct {
	value   string
	version uint64
	due     time.Duration
}

// expire drops what has expired: nothing may tell when that happens.
func (m *modelStore) expire() {
	maps.DeleteFunc(m.keys, func(_ string, e modelEntry) bool { return e.due != 0 && e.due <= m.now })
}

func (m *modelStore) put(key, value string, o store.PutOptions) (uint64, error) {
	m.expire()
	e, there := m.keys[key]
	switch {
	case o.TTL < 0 || o.OnlyIfAbsent && o.IfVersion != 0:
		return 0, store.ErrOptions
	case o.OnlyIfAbsent && there:
		return 0, store.ErrExists
	case o.IfVersion != 0 && !there:
		return 0, store.ErrNotFound
	case o.IfVersion != 0 && e.version != o.IfVersion:
		return 0, store.ErrMismatch
	case !there && len(m.keys) >= m.limit:
		return 0, store.ErrFull
	}
	m.version++
	e = modelEntry{value: value, version: m.version}
	if o.TTL > 0 {
		e.due = m.now + o.TTL
	}
	m.keys[key] = e
	return m.version, nil
}

func (m *modelStore) list(o store.ListOptions) (items []store.Entry) {
	m.expire()
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		if strings.HasPrefix(key, o.Prefix) && key > o.After {
			items = append(items, store.Entry{Key: key, Value: text(m.keys[key].value), Version: m.keys[key].version})
		}
	}
	return items
}

func TestMemoryModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A *testing.T itself would be asked for its deadline, which a bubble has none of.
		rapid.Check(struct{ *testing.T }{t}, checkModel)
	})
}

func checkModel(t *rapid.T) {
	limit := rapid.IntRange(1, 60).Draw(t, "limit")
	m, model := store.NewMemory(limit), &modelStore{limit: limit, keys: map[string]modelEntry{}}
	key := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"a:", "ab:", ":", "b"}).Draw(t, "prefix") + fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "name"))
	})
	writes := 0
	t.Repeat(map[string]func(*rapid.T){
		"put": func(t *rapid.T) {
			k := key.Draw(t, "key")
			o := store.PutOptions{
				TTL:          time.Duration(rapid.SampledFrom([]int{0, 0, 1, 5, -1}).Draw(t, "ttl")) * time.Second,
				OnlyIfAbsent: rapid.IntRange(0, 3).Draw(t, "absent") == 0,
			}
			if rapid.IntRange(0, 3).Draw(t, "conditional") == 0 {
				o.IfVersion = model.keys[k].version + uint64(rapid.IntRange(0, 1).Draw(t, "stale"))
			}
			writes++
			version, err := m.Put(t.Context(), k, text(fmt.Sprint(writes)), o)
			want, wantErr := model.put(k, fmt.Sprint(writes), o)
			if version != want || !errors.Is(err, wantErr) {
				t.Fatalf("put %s %+v: %d, %v, want %d, %v", k, o, version, err, want, wantErr)
			}
		},
		"get": func(t *rapid.T) {
			k := key.Draw(t, "key")
			model.expire()
			want, there := model.keys[k]
			e, err := m.Get(t.Context(), k)
			has, _ := m.Has(t.Context(), k)
			if has != there || there && (err != nil || e.Value != text(want.value) || e.Version != want.version || e.Key != k) || !there && !errors.Is(err, store.ErrNotFound) {
				t.Fatalf("get %s: %+v, %v, %v, want %+v", k, e, err, has, want)
			}
		},
		"delete": func(t *rapid.T) {
			k := key.Draw(t, "key")
			model.expire()
			_, there := model.keys[k]
			delete(model.keys, k)
			if err := m.Delete(t.Context(), k); there != (err == nil) || !there && !errors.Is(err, store.ErrNotFound) {
				t.Fatalf("delete %s: %v, was there %v", k, err, there)
			}
		},
		"list": func(t *rapid.T) {
			o := store.ListOptions{
				Prefix: rapid.SampledFrom([]string{"", "a", "a:", ":", "b1", "x"}).Draw(t, "prefix"),
				After:  rapid.SampledFrom([]string{"", "a", "a:1", "ab:20", ":3"}).Draw(t, "after"),
				Limit:  rapid.SampledFrom([]int{0, 1, 3, 30}).Draw(t, "limit"),
			}
			page, err := m.List(t.Context(), o)
			all := model.list(o)
			want := all[:min(len(all), o.Size())]
			if err != nil || !slices.Equal(page.Items, want) || page.More != (len(all) > len(want)) {
				t.Fatalf("list %+v: %+v, %v, want %+v of %d", o, page, err, want, len(all))
			}
		},
		"wait": func(t *rapid.T) {
			d := time.Duration(rapid.IntRange(1, 3).Draw(t, "seconds")) * time.Second
			<-time.After(d)
			model.now += d
		},
		"sweep": func(t *rapid.T) {
			m.Sweep()
			model.expire()
			if m.Len() != len(model.keys) {
				t.Fatalf("%d keys, want %d", m.Len(), len(model.keys))
			}
		},
	})
}
