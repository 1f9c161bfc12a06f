package loader_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/wippyrun/kit/loader"
)

// layered returns components in levels of equal size; each depends on two of the
// level below.
func layered(levels, width int) []loader.Component {
	nothing := func(context.Context) error { return nil }
	var cs []loader.Component
	for l := range levels {
		for i := range width {
			c := loader.Component{
				Name:  fmt.Sprintf("c%02d.%03d", l, i),
				Load:  func(ctx context.Context) (context.Context, error) { return ctx, nil },
				Start: nothing,
				Stop:  nothing,
			}
			if l > 0 {
				c.DependsOn = []string{
					fmt.Sprintf("c%02d.%03d", l-1, i),
					fmt.Sprintf("c%02d.%03d", l-1, (i+1)%width),
				}
			}
			cs = append(cs, c)
		}
	}
	return cs
}

// BenchmarkLoad1000In10 loads 1000 components that do nothing: all of it is the
// loader's own time.
func BenchmarkLoad1000In10(b *testing.B) {
	cs := layered(10, 100)
	b.ReportAllocs()
	for b.Loop() {
		l := mustNew(b, cs...)
		if _, err := l.Load(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLife1000In10(b *testing.B) {
	cs := layered(10, 100)
	b.ReportAllocs()
	for b.Loop() {
		l := mustNew(b, cs...)
		ctx, err := l.Load(context.Background())
		if err == nil {
			err = l.Start(ctx)
		}
		if err == nil {
			err = l.Stop(ctx)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlan1000In10(b *testing.B) {
	cs := layered(10, 100)
	b.ReportAllocs()
	for b.Loop() {
		if l := mustNew(b, cs...); l == nil {
			b.Fatal("no loader")
		}
	}
}

// BenchmarkGoroutinePerComponent is the floor to compare with: 1000 goroutines in
// ten groups, without a graph, contexts, timing or error handling.
func BenchmarkGoroutinePerComponent(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for range 10 {
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {})
			}
			wg.Wait()
		}
	}
}

func BenchmarkMergedValue(b *testing.B) {
	type key int
	cs := layered(10, 10)
	for i := range cs {
		cs[i].Load = func(ctx context.Context) (context.Context, error) {
			return context.WithValue(ctx, key(i), i), nil
		}
	}
	l := mustNew(b, cs...)
	ctx, err := l.Load(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	k := any(key(3))
	b.ReportAllocs()
	for b.Loop() {
		if ctx.Value(k) != 3 {
			b.Fatal("wrong value")
		}
	}
}

func TestMergedValueDoesNotAllocate(t *testing.T) {
	cs := parse("a; b; c: a b")
	for i := range cs {
		cs[i].Load = with(map[contextKey]any{contextKey(cs[i].Name): true})
	}
	l := mustNew(t, cs...)
	ctx := mustLoad(t, l)
	defer mustStop(t, l)
	k := any(contextKey("a"))
	if n := testing.AllocsPerRun(100, func() { ctx.Value(k) }); n != 0 {
		t.Errorf("%v allocations per lookup", n)
	}
}

// TestAllocationsPerComponent bounds what a component without functions of weight
// costs from New to Stop: contexts, a goroutine, a share of a few tables.
func TestAllocationsPerComponent(t *testing.T) {
	cs := layered(10, 100)
	perRun := testing.AllocsPerRun(3, func() {
		l := mustNew(t, cs...)
		ctx, err := l.Load(context.Background())
		if err == nil {
			err = l.Start(ctx)
		}
		if err == nil {
			err = l.Stop(ctx)
		}
		if err != nil {
			t.Error(err)
		}
	})
	if n := perRun / float64(len(cs)); n > 10 {
		t.Errorf("%.1f allocations per component", n)
	}
}
