// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func text(s string) payload.Payload { return payload.Payload{Format: payload.String, Data: s} }

func put(t *testing.T, s store.Store, key, value string, o store.PutOptions) uint64 {
	t.Helper()
	v, err := s.Put(t.Context(), key, text(value), o)
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	return v
}

func TestKeyHasOneFullForm(t *testing.T) {
	for in, want := range map[string]string{"a:b": "a:b", "a:b:c": "a:b:c", "foo": ":foo", ":foo": ":foo", "a:": "a:"} {
		if got := store.Key(in); got != want {
			t.Errorf("Key(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestErrorsHaveKindsAndSayWhetherToTryAgain(t *testing.T) {
	for _, c := range []struct {
		err   error
		kind  fault.Kind
		again bool
	}{
		{store.ErrNotFound, fault.NotFound, false},
		{store.ErrExists, fault.AlreadyExists, false},
		{store.ErrMismatch, fault.Conflict, true},
		{store.ErrOptions, fault.Invalid, false},
		{store.ErrNotSupported, fault.Invalid, false},
		{store.ErrFull, fault.Unavailable, true},
		{store.ErrClosed, fault.Unavailable, false},
	} {
		again, known := fault.RetryableOf(c.err)
		if fault.KindOf(c.err) != c.kind || again != c.again || !known {
			t.Errorf("%v is %s, %v %v", c.err, fault.KindOf(c.err), again, known)
		}
	}
}

func TestVersionsRise(t *testing.T) {
	m := store.NewMemory(10)
	for i, key := range []string{"a", "b", "a", "c"} {
		if v := put(t, m, key, "x", store.PutOptions{}); v != uint64(i+1) {
			t.Errorf("write %d of %s has version %d", i, key, v)
		}
	}
	if e, err := m.Get(t.Context(), "a"); err != nil || e.Version != 3 || e.Key != "a" || e.Value.Data != "x" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestConditions(t *testing.T) {
	ctx := t.Context()
	m := store.NewMemory(10)
	first := put(t, m, "k", "1", store.PutOptions{OnlyIfAbsent: true})
	for name, c := range map[string]struct {
		key  string
		o    store.PutOptions
		want error
	}{
		"there already":     {"k", store.PutOptions{OnlyIfAbsent: true}, store.ErrExists},
		"stale":             {"k", store.PutOptions{IfVersion: first + 1}, store.ErrMismatch},
		"not there":         {"x", store.PutOptions{IfVersion: 1}, store.ErrNotFound},
		"both":              {"k", store.PutOptions{IfVersion: 1, OnlyIfAbsent: true}, store.ErrOptions},
		"negative lifetime": {"k", store.PutOptions{TTL: -1}, store.ErrOptions},
	} {
		if _, err := m.Put(ctx, c.key, text("2"), c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if e, err := m.Get(ctx, "k"); err != nil || e.Value.Data != "1" || e.Version != first {
		t.Errorf("a refused write wrote: %+v, %v", e, err)
	}
	if v := put(t, m, "k", "2", store.PutOptions{IfVersion: first}); v != first+1 {
		t.Errorf("version %d", v)
	}
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := store.NewMemory(2)
		put(t, m, "a", "1", store.PutOptions{})
		put(t, m, "b", "1", store.PutOptions{TTL: time.Second})
		if _, err := m.Put(ctx, "c", text("1"), store.PutOptions{}); !errors.Is(err, store.ErrFull) {
			t.Fatalf("a third key: %v", err)
		}
		put(t, m, "a", "2", store.PutOptions{}) // is no new key
		<-time.After(time.Second)
		put(t, m, "c", "1", store.PutOptions{}) // in the place of b
		if _, err := m.Get(ctx, "b"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an expired key: %v", err)
		}
		if _, err := m.Put(ctx, "d", text("1"), store.PutOptions{}); !errors.Is(err, store.ErrFull) {
			t.Errorf("a third key: %v", err)
		}
		if err := m.Delete(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		put(t, m, "d", "1", store.PutOptions{})
	})
}

func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := store.NewMemory(10)
		put(t, m, "k", "1", store.PutOptions{TTL: time.Second})
		put(t, m, "ever", "1", store.PutOptions{TTL: math.MaxInt64})
		<-time.After(time.Second - 1)
		if ok, err := m.Has(ctx, "k"); !ok || err != nil {
			t.Fatalf("gone too early: %v, %v", ok, err)
		}
		<-time.After(1)
		if ok, err := m.Has(ctx, "k"); ok || err != nil {
			t.Errorf("has: %v, %v", ok, err)
		}
		if _, err := m.Get(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("get: %v", err)
		}
		if page, err := m.List(ctx, store.ListOptions{}); err != nil || len(page.Items) != 1 {
			t.Errorf("list: %+v, %v", page, err)
		}
		if _, err := m.Put(ctx, "k", text("2"), store.PutOptions{IfVersion: 1}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("put if version: %v", err)
		}
		put(t, m, "k", "2", store.PutOptions{OnlyIfAbsent: true, TTL: time.Second})
		put(t, m, "k", "3", store.PutOptions{}) // for ever again
		<-time.After(time.Hour)
		if e, err := m.Get(ctx, "k"); err != nil || e.Value.Data != "3" {
			t.Errorf("a lifetime was not cleared: %+v, %v", e, err)
		}
		put(t, m, "k", "4", store.PutOptions{TTL: time.Second})
		<-time.After(time.Second)
		if err := m.Delete(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("delete of an expired key: %v", err)
		}
		if m.Len() != 1 {
			t.Errorf("%d keys", m.Len())
		}
	})
}

func TestSweepFreesWhatExpiredAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory(10000)
		for i := range 3000 {
			o := store.PutOptions{}
			if i%3 != 0 {
				o.TTL = time.Duration(i%3) * time.Second
			}
			put(t, m, fmt.Sprint("k", i), "x", o)
		}
		for _, want := range []struct{ dropped, left int }{{0, 3000}, {1000, 2000}, {1000, 1000}, {0, 1000}} {
			if n := m.Sweep(); n != want.dropped || m.Len() != want.left {
				t.Errorf("dropped %d, left %d, want %+v", n, m.Len(), want)
			}
			<-time.After(time.Second)
		}
	})
}

func TestPages(t *testing.T) {
	ctx := t.Context()
	m := store.NewMemory(100000)
	const n = 5000
	for i := range n {
		put(t, m, fmt.Sprintf("user:%04d", i), fmt.Sprint(i), store.PutOptions{})
		put(t, m, fmt.Sprintf("other:%04d", i), "x", store.PutOptions{})
	}
	for _, limit := range []int{0, 1, 7, 1000, 4000} {
		o := store.ListOptions{Prefix: "user:", Limit: limit}
		seen := 0
		for {
			page, err := m.List(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Items {
				if want := fmt.Sprintf("user:%04d", seen); e.Key != want || e.Value.Data != fmt.Sprint(seen) || e.Version == 0 {
					t.Fatalf("limit %d: entry %d is %+v", limit, seen, e)
				}
				seen++
			}
			if page.Cursor != page.Items[len(page.Items)-1].Key {
				t.Fatalf("cursor %q", page.Cursor)
			}
			if !page.More {
				break
			}
			if len(page.Items) != o.Size() {
				t.Fatalf("limit %d: a page of %d", limit, len(page.Items))
			}
			o.After = page.Cursor
		}
		if seen != n {
			t.Errorf("limit %d: %d keys", limit, seen)
		}
	}
	for _, o := range []store.ListOptions{{Prefix: "nobody"}, {After: "x"}, {Prefix: "user:", After: "user:9"}} {
		if page, err := m.List(ctx, o); err != nil || len(page.Items) > 0 || page.More || page.Cursor != "" {
			t.Errorf("%+v: %+v, %v", o, page, err)
		}
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	ctx := t.Context()
	m := store.NewMemory(10)
	put(t, m, "k", "1", store.PutOptions{TTL: time.Hour})
	m.Close()
	m.Close()
	_, get := m.Get(ctx, "k")
	_, has := m.Has(ctx, "k")
	_, set := m.Put(ctx, "k", text("1"), store.PutOptions{})
	_, list := m.List(ctx, store.ListOptions{})
	for name, err := range map[string]error{"get": get, "has": has, "put": set, "list": list, "delete": m.Delete(ctx, "k")} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m.Sweep() != 0 || m.Len() != 0 {
		t.Errorf("%d keys are left", m.Len())
	}
}

func TestConditionsAreDecidedOnceUnderContention(t *testing.T) {
	ctx := t.Context()
	m := store.NewMemory(1000)
	const writers, keys, rounds = 8, 10, 200
	for i := range keys {
		put(t, m, fmt.Sprint(i), "0", store.PutOptions{})
	}
	var created, counted atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range rounds {
				if _, err := m.Put(ctx, fmt.Sprint("new", i), text(""), store.PutOptions{OnlyIfAbsent: true}); err == nil {
					created.Add(1)
				}
				key := fmt.Sprint(i % keys)
				e, err := m.Get(ctx, key)
				if err != nil {
					t.Error(err)
					return
				}
				var n int
				fmt.Sscan(e.Value.Data.(string), &n)
				switch _, err := m.Put(ctx, key, text(fmt.Sprint(n+1)), store.PutOptions{IfVersion: e.Version}); {
				case err == nil:
					counted.Add(1)
				case !errors.Is(err, store.ErrMismatch):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sum := int64(0)
	for i := range keys {
		e, _ := m.Get(ctx, fmt.Sprint(i))
		var n int64
		fmt.Sscan(e.Value.Data.(string), &n)
		sum += n
	}
	if created.Load() != rounds || sum != counted.Load() {
		t.Errorf("%d keys created of %d, %d counted of %d", created.Load(), rounds, sum, counted.Load())
	}
}

func TestLimitHoldsUnderConcurrency(t *testing.T) {
	ctx := t.Context()
	const limit = 50
	m := store.NewMemory(limit)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				key := fmt.Sprint(w, "/", i%20)
				o := store.PutOptions{}
				if i%2 == 0 {
					o.TTL = 1
				}
				if _, err := m.Put(ctx, key, text(""), o); err != nil && !errors.Is(err, store.ErrFull) {
					t.Error(err)
				}
				if n := m.Len(); n < 0 || n > limit {
					t.Errorf("%d keys", n)
				}
				if i%5 == 0 {
					_ = m.Delete(ctx, key) // it may be absent
				}
			}
		})
	}
	wg.Wait()
	page, err := m.List(ctx, store.ListOptions{Limit: 1000})
	m.Sweep()
	if err != nil || len(page.Items) != m.Len() {
		t.Errorf("%d keys listed, %d counted, %v", len(page.Items), m.Len(), err)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	ctx := t.Context()
	m := store.NewMemory(10)
	put(t, m, "k", "1", store.PutOptions{TTL: time.Hour})
	if n := testing.AllocsPerRun(100, func() {
		if _, err := m.Get(ctx, "k"); err != nil {
			t.Fatal(err)
		}
		if ok, _ := m.Has(ctx, "x"); ok {
			t.Fatal("there")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
