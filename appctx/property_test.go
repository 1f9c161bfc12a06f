package appctx_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"pgregory.net/rapid"
)

// TestDictBehavesAsWriteOnceMap compares a Dict with a map that refuses a second
// write, and every write once it is sealed.
func TestDictBehavesAsWriteOnceMap(t *testing.T) {
	keys := make([]appctx.Key[int], 24)
	for i := range keys {
		keys[i] = appctx.NewKey[int](fmt.Sprintf("key-%02d", i))
	}
	rapid.Check(t, func(t *rapid.T) {
		d := appctx.New()
		model := map[string]int{}
		sealed := false
		pick := rapid.IntRange(0, len(keys)-1)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, v := keys[pick.Draw(t, "key")], rapid.Int().Draw(t, "value")
				got := panicText(func() { k.Set(d, v) })
				_, taken := model[k.Name()]
				switch {
				case sealed:
					if !strings.HasPrefix(got, "cannot modify sealed AppContext") {
						t.Fatalf("Set on a sealed Dict: panic text %q", got)
					}
				case taken:
					if !strings.HasPrefix(got, "cannot overwrite AppContext key") {
						t.Fatalf("second Set: panic text %q", got)
					}
				default:
					if got != "" {
						t.Fatalf("Set panics with %q", got)
					}
					model[k.Name()] = v
				}
			},
			"get": func(t *rapid.T) {
				k := keys[pick.Draw(t, "key")]
				v, ok := k.Get(d)
				want, wantOK := model[k.Name()]
				if v != want || ok != wantOK {
					t.Fatalf("Get(%s) = %d, %v; want %d, %v", k.Name(), v, ok, want, wantOK)
				}
			},
			"seal": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "dice") == 0 {
					d.Seal()
					sealed = true
				}
			},
			"": func(t *rapid.T) {
				if d.Sealed() != sealed || d.Len() != len(model) {
					t.Fatalf("Sealed %v, Len %d; want %v, %d", d.Sealed(), d.Len(), sealed, len(model))
				}
				if got, want := d.Names(), slices.Sorted(maps.Keys(model)); !slices.Equal(got, want) {
					t.Fatalf("Names() = %v, want %v", got, want)
				}
			},
		})
	})
}

// TestFrameTreeClosesEachValueOnce grows a random tree of frames and releases it
// in a random order: no value is closed while a frame can read it, and in the end
// each was closed exactly once.
func TestFrameTreeClosesEachValueOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live := []*appctx.Frame{appctx.NewFrame()}
		var all []*resource
		pick := func(t *rapid.T) int { return rapid.IntRange(0, len(live)-1).Draw(t, "frame") }
		verify := func(t *rapid.T) {
			for _, f := range live {
				for _, k := range []appctx.FrameKey[*resource]{sharedKey, ownKey} {
					if r, ok := k.Get(f); ok && r.closed.Load() != 0 {
						t.Fatalf("a live frame reads the closed value %s", r.name)
					}
				}
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			i := pick(t)
			switch rapid.IntRange(0, 2).Draw(t, "action") {
			case 0:
				k := sharedKey
				if rapid.Bool().Draw(t, "own") {
					k = ownKey
				}
				// A value that is replaced is not the frame's to close, so set it once.
				if _, taken := k.Get(live[i]); !taken && !live[i].Sealed() {
					r := &resource{name: fmt.Sprint(len(all))}
					if err := k.Set(live[i], r); err != nil {
						t.Fatal(err)
					}
					all = append(all, r)
				}
			case 1:
				live = append(live, live[i].Fork())
			case 2:
				if len(live) > 1 {
					if err := live[i].Release(); err != nil {
						t.Fatal(err)
					}
					live = slices.Delete(live, i, i+1)
				}
			}
			verify(t)
		}
		for len(live) > 0 {
			i := pick(t)
			if err := live[i].Release(); err != nil {
				t.Fatal(err)
			}
			live = slices.Delete(live, i, i+1)
			verify(t)
		}
		for _, r := range all {
			if n := r.closed.Load(); n != 1 {
				t.Fatalf("value %s was closed %d times", r.name, n)
			}
		}
	})
}
