package appctx_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/appctx"
)

type service struct{ name string }

func (s *service) Close() error { return nil }

func TestKeyGetReturnsWhatWasSet(t *testing.T) {
	var (
		pointerKey  = appctx.NewKey[*service]("pointer")
		valueKey    = appctx.NewKey[service]("value")
		ifaceKey    = appctx.NewKey[io.Closer]("interface")
		nilIfaceKey = appctx.NewKey[io.Closer]("nil interface")
		funcKey     = appctx.NewKey[func() int]("func")
		sliceKey    = appctx.NewKey[[]string]("slice")
	)
	svc := &service{name: "a"}
	check := func(t *testing.T, d *appctx.Dict) {
		t.Helper()
		if v, ok := pointerKey.Get(d); !ok || v != svc {
			t.Errorf("pointer: got %v, %v", v, ok)
		}
		if v, ok := valueKey.Get(d); !ok || v.name != "b" {
			t.Errorf("value: got %v, %v", v, ok)
		}
		if v, ok := ifaceKey.Get(d); !ok || v != io.Closer(svc) {
			t.Errorf("interface: got %v, %v", v, ok)
		}
		if v, ok := nilIfaceKey.Get(d); !ok || v != nil {
			t.Errorf("nil interface: got %v, %v; want nil, true", v, ok)
		}
		if v, ok := funcKey.Get(d); !ok || v() != 7 {
			t.Errorf("func: ok = %v", ok)
		}
		if v, ok := sliceKey.Get(d); !ok || !slices.Equal(v, []string{"x", "y"}) {
			t.Errorf("slice: got %v, %v", v, ok)
		}
	}

	d := appctx.New()
	pointerKey.Set(d, svc)
	valueKey.Set(d, service{name: "b"})
	ifaceKey.Set(d, svc)
	nilIfaceKey.Set(d, nil)
	funcKey.Set(d, func() int { return 7 })
	sliceKey.Set(d, []string{"x", "y"})

	t.Run("open", func(t *testing.T) { check(t, d) })
	d.Seal()
	t.Run("sealed", func(t *testing.T) { check(t, d) })
}

func TestKeyGetMissing(t *testing.T) {
	older := appctx.NewKey[int]("older")
	present := appctx.NewKey[int]("present")
	younger := appctx.NewKey[int]("younger")
	var zero appctx.Key[int]

	sealed := func(d *appctx.Dict) *appctx.Dict { d.Seal(); return d }
	withPresent := func() *appctx.Dict {
		d := appctx.New()
		present.Set(d, 1)
		return d
	}
	dicts := map[string]*appctx.Dict{
		"nil":          nil,
		"empty":        appctx.New(),
		"empty sealed": sealed(appctx.New()),
		"open":         withPresent(),
		"sealed":       sealed(withPresent()),
		"zero value":   new(appctx.Dict),
	}
	for name, d := range dicts {
		for what, k := range map[string]appctx.Key[int]{"older": older, "younger": younger, "zero": zero} {
			if v, ok := k.Get(d); ok || v != 0 {
				t.Errorf("%s dict, %s key: got %d, %v; want 0, false", name, what, v, ok)
			}
		}
	}
}

func TestKeysOfOneNameAreDistinct(t *testing.T) {
	a, b := appctx.NewKey[int]("same"), appctx.NewKey[int]("same")
	if a == b {
		t.Fatal("two keys made apart are equal")
	}
	d := appctx.New()
	a.Set(d, 1)
	if _, ok := b.Get(d); ok {
		t.Error("a value set under one key is found under another of the same name")
	}
	if c := a; c != a || c.MustGet(d) != 1 {
		t.Error("a copied key does not find the value")
	}
}

// panicText runs f and returns the text it panics with, "" if it does not.
func panicText(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

func TestSetTwicePanicsNamingTheKey(t *testing.T) {
	k := appctx.NewKey[int]("registry")
	other := appctx.NewKey[int]("other")
	d := appctx.New()
	k.Set(d, 1)
	got := panicText(func() { k.Set(d, 2) })
	if !strings.HasPrefix(got, "cannot overwrite AppContext key: key already set") || !strings.Contains(got, "registry") {
		t.Errorf("panic text %q", got)
	}
	other.Set(d, 3) // the panic left no lock behind
	if k.MustGet(d) != 1 || other.MustGet(d) != 3 {
		t.Error("a refused Set changed the Dict")
	}
}

func TestSetAfterSealPanicsNamingTheKey(t *testing.T) {
	k := appctx.NewKey[int]("relay")
	d := appctx.New()
	d.Seal()
	d.Seal() // idempotent
	got := panicText(func() { k.Set(d, 1) })
	if !strings.HasPrefix(got, "cannot modify sealed AppContext") || !strings.Contains(got, "relay") {
		t.Errorf("panic text %q", got)
	}
	if _, ok := k.Get(d); ok || !d.Sealed() || d.Len() != 0 {
		t.Error("a refused Set changed the Dict")
	}
}

func TestMisuseOfKeysPanics(t *testing.T) {
	k := appctx.NewKey[int]("topology")
	if got := panicText(func() { k.MustGet(appctx.New()) }); !strings.Contains(got, "topology") {
		t.Errorf("MustGet of a missing key: panic text %q", got)
	}
	var zero appctx.Key[int]
	if got := panicText(func() { zero.Set(appctx.New(), 1) }); !strings.Contains(got, "zero Key") {
		t.Errorf("Set with the zero key: panic text %q", got)
	}
}

func TestFunctionsMirrorTheMethods(t *testing.T) {
	k := appctx.NewKey[string]("k")
	d := appctx.New()
	appctx.Set(d, k, "v")
	if v, ok := appctx.Get(d, k); !ok || v != "v" || appctx.MustGet(d, k) != "v" {
		t.Errorf("got %q, %v", v, ok)
	}
}

func TestNamesAreSorted(t *testing.T) {
	d := appctx.New()
	for _, name := range []string{"c", "a", "b"} {
		appctx.NewKey[int](name).Set(d, 1)
	}
	if got := d.Names(); !slices.Equal(got, []string{"a", "b", "c"}) || d.Len() != 3 {
		t.Errorf("Names() = %v, Len() = %d", got, d.Len())
	}
}

func TestContextCarriesDict(t *testing.T) {
	if appctx.From(context.Background()) != nil {
		t.Error("From of a bare context is not nil")
	}
	d := appctx.New()
	ctx, cancel := context.WithCancel(appctx.With(context.Background(), d))
	defer cancel()
	if appctx.From(ctx) != d {
		t.Error("From does not find the Dict of an outer context")
	}
	inner := appctx.New()
	if appctx.From(appctx.With(ctx, inner)) != inner {
		t.Error("the innermost Dict does not win")
	}
}

// TestDictConcurrentSetGetSeal runs writers, readers and a sealer at once: each
// Set either lands or panics because of the seal, and what landed is readable.
func TestDictConcurrentSetGetSeal(t *testing.T) {
	const writers, each = 4, 64
	var keys [writers][each]appctx.Key[int]
	for w := range keys {
		for i := range keys[w] {
			keys[w][i] = appctx.NewKey[int](fmt.Sprintf("w%d.%d", w, i))
		}
	}
	d := appctx.New()
	var landed [writers][each]bool
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				landed[w][i] = panicText(func() { keys[w][i].Set(d, w*each+i) }) == ""
			}
		})
		wg.Go(func() {
			for i := range each {
				if v, ok := keys[w][i].Get(d); ok && v != w*each+i {
					t.Errorf("key %d.%d holds %d", w, i, v)
				}
			}
		})
	}
	wg.Go(d.Seal)
	wg.Wait()
	for w := range keys {
		for i, k := range keys[w] {
			v, ok := k.Get(d)
			if ok != landed[w][i] || ok && v != w*each+i {
				t.Errorf("key %d.%d: got %d, %v; landed %v", w, i, v, ok, landed[w][i])
			}
		}
	}
}
