package loader_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/wippyrun/kit/loader"
)

// with returns a Load that sets keys to values.
func with(values map[contextKey]any) func(context.Context) (context.Context, error) {
	return func(ctx context.Context) (context.Context, error) {
		for _, k := range slices.Sorted(maps.Keys(values)) {
			ctx = context.WithValue(ctx, k, values[k])
		}
		return ctx, nil
	}
}

func TestLoadMergesContextsByName(t *testing.T) {
	type values = map[contextKey]any
	list, table, function := []int{1}, map[string]int{"x": 1}, func() {}
	type pair struct {
		list []int
		any  any
	}
	cs := parse("base; a: base; b: base; c: base; top: a b c")
	set := map[string]values{
		"base": {"base": 1, "list": list, "map": table, "func": function, "pair": pair{list, table}, "shadowed": "base"},
		"a":    {"own": "a", "equal": "a", "list": []int{2}, "map": map[string]int{"x": 2}, "func": nil, "pair": pair{list, list}, "shadowed": "a"},
		"b":    {"equal": "b"},
		"c":    {"other": "c"}, // knows nothing of the rest: must not hide it
	}
	var seen values
	read := func(ctx context.Context) values {
		got := values{}
		for _, k := range []contextKey{"outer", "base", "own", "equal", "other", "shadowed", "none"} {
			got[k] = ctx.Value(k)
		}
		l, _ := ctx.Value(contextKey("list")).([]int)
		m, _ := ctx.Value(contextKey("map")).(map[string]int)
		p, _ := ctx.Value(contextKey("pair")).(pair)
		_, isList := p.any.([]int)
		got["list"], got["map"], got["func"], got["pair"] = l[0], m["x"], ctx.Value(contextKey("func")) == nil, isList
		return got
	}
	for i := range cs {
		cs[i].Load = with(set[cs[i].Name])
	}
	cs[len(cs)-1].Load = func(ctx context.Context) (context.Context, error) {
		seen = read(ctx)
		return ctx, nil
	}
	want := values{
		"outer": "yes", "base": 1, "own": "a", "equal": "b", "other": "c", "shadowed": "a", "none": nil,
		"list": 2, "map": 2, "func": true, "pair": true,
	}
	l := mustNew(t, cs...)
	ctx, err := l.Load(context.WithValue(t.Context(), contextKey("outer"), "yes"))
	if err != nil {
		t.Fatal(err)
	}
	defer mustStop(t, l)
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("the component above sees %v, want %v", seen, want)
	}
	if got := read(ctx); !reflect.DeepEqual(got, want) {
		t.Errorf("the result holds %v, want %v", got, want)
	}
	if got := read(ctx); !reflect.DeepEqual(got, want) {
		t.Errorf("asked again, the result holds %v, want %v", got, want)
	}
}

// TestMergedLookupDoesNotMultiply would not end in a lifetime if each level asked
// the level below once per component.
func TestMergedLookupDoesNotMultiply(t *testing.T) {
	var cs []loader.Component
	for level := range 15 {
		for i := range 10 {
			c := loader.Component{Name: fmt.Sprintf("c%02d.%d", level, i)}
			if level > 0 {
				c.DependsOn = []string{fmt.Sprintf("c%02d.%d", level-1, i)}
			}
			c.Load = with(map[contextKey]any{contextKey(c.Name): c.Name})
			cs = append(cs, c)
		}
	}
	l := mustNew(t, cs...)
	ctx := mustLoad(t, l)
	defer mustStop(t, l)
	for _, c := range cs {
		if got := ctx.Value(contextKey(c.Name)); got != c.Name {
			t.Fatalf("%s: got %v", c.Name, got)
		}
	}
	for i := range 1100 { // more keys than are remembered
		if got := ctx.Value(i); got != nil {
			t.Fatalf("key %d: got %v", i, got)
		}
	}
}

func TestMergedContextDerivesWithoutGoroutines(t *testing.T) {
	cs := parse("a; b; c: a b")
	for i := range cs {
		cs[i].Load = func(ctx context.Context) (context.Context, error) {
			ctx, cancel := context.WithCancel(context.WithValue(ctx, contextKey(cs[i].Name), true))
			cancel() // the cancellation of a returned context is ignored
			return ctx, nil
		}
	}
	outer, cancelOuter := context.WithCancel(t.Context())
	defer cancelOuter()
	l := mustNew(t, cs...)
	ctx, err := l.Load(outer)
	if err != nil || ctx.Err() != nil {
		t.Fatalf("error %v, context error %v", err, ctx.Err())
	}
	defer mustStop(t, l)
	before := runtime.NumGoroutine()
	var derived []context.Context
	for range 100 {
		d, cancel := context.WithCancel(context.WithValue(ctx, contextKey("x"), 1))
		defer cancel()
		derived = append(derived, d)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("deriving 100 contexts started %d goroutines", after-before)
	}
	cancelOuter()
	for _, d := range derived {
		<-d.Done()
	}
}
