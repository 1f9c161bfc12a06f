package appctx_test

import (
	"context"
	"sync"
	"testing"

	"github.com/wippyrun/kit/appctx"
)

// sealedDict returns a sealed Dict of n pointers and the key of the last one.
func sealedDict(n int) (*appctx.Dict, appctx.Key[*service]) {
	d := appctx.New()
	var k appctx.Key[*service]
	for range n {
		k = appctx.NewKey[*service]("component")
		k.Set(d, &service{})
	}
	d.Seal()
	return d, k
}

func TestReadsDoNotAllocate(t *testing.T) {
	d, k := sealedDict(10)
	open := appctx.New()
	k.Set(open, &service{})
	f := appctx.NewFrame()
	mustSet(t, f, actorKey, "alice")
	f.Seal()
	reads := map[string]func(){
		"sealed dict":  func() { _, _ = k.Get(d) },
		"open dict":    func() { _, _ = k.Get(open) },
		"sealed frame": func() { _, _ = actorKey.Get(f) },
	}
	for name, read := range reads {
		if n := testing.AllocsPerRun(100, read); n != 0 {
			t.Errorf("%s: a read allocates %v times", name, n)
		}
	}
}

func TestForkAllocatesAFrameAndItsList(t *testing.T) {
	parent := appctx.NewFrame()
	mustSet(t, parent, actorKey, "alice")
	empty := appctx.NewFrame()
	for _, tc := range []struct {
		name  string
		frame *appctx.Frame
		want  float64
	}{{"one value", parent, 2}, {"no value", empty, 1}} {
		n := testing.AllocsPerRun(100, func() {
			if err := tc.frame.Fork().Release(); err != nil {
				t.Error(err)
			}
		})
		if n != tc.want {
			t.Errorf("%s: fork and release allocate %v times, want %v", tc.name, n, tc.want)
		}
	}
}

// BenchmarkSealedGet and its rivals read one reference again and again: a good part of
// the time is that of the loop. The look-ups alone are compared in the suite of all
// benchmarks.
func BenchmarkSealedGet(b *testing.B) {
	d, k := sealedDict(40)
	b.ReportAllocs()
	var got *service
	for b.Loop() {
		got, _ = k.Get(d)
	}
	if got == nil {
		b.Fatal("missing")
	}
}

func BenchmarkSealedGetInterface(b *testing.B) {
	k := appctx.NewKey[interface{ Close() error }]("closer")
	d := appctx.New()
	k.Set(d, &service{})
	d.Seal()
	b.ReportAllocs()
	var got interface{ Close() error }
	for b.Loop() {
		got, _ = k.Get(d)
	}
	if got == nil {
		b.Fatal("missing")
	}
}

func BenchmarkSealedGetParallel(b *testing.B) {
	d, k := sealedDict(40)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := k.Get(d); !ok {
				b.Error("missing")
			}
		}
	})
}

func BenchmarkOpenGet(b *testing.B) {
	k := appctx.NewKey[*service]("component")
	d := appctx.New()
	k.Set(d, &service{})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = k.Get(d)
	}
}

// BenchmarkSyncMapLoad is the rival of BenchmarkSealedGet: the same 40 references
// in a sync.Map, with the type assertion its user writes.
func BenchmarkSyncMapLoad(b *testing.B) {
	type key struct{ name string }
	var m sync.Map
	for i := range 40 {
		m.Store(key{name: string(rune('A' + i))}, &service{})
	}
	k := any(key{name: "B"})
	b.ReportAllocs()
	var got *service
	for b.Loop() {
		v, _ := m.Load(k)
		got, _ = v.(*service)
	}
	if got == nil {
		b.Fatal("missing")
	}
}

// BenchmarkContextValue is the other rival: one reference per context layer, the
// wanted one in the middle of 40.
func BenchmarkContextValue(b *testing.B) {
	type key int
	ctx := context.Background()
	for i := range 40 {
		ctx = context.WithValue(ctx, key(i), &service{})
	}
	k := any(key(20))
	b.ReportAllocs()
	var got *service
	for b.Loop() {
		got, _ = ctx.Value(k).(*service)
	}
	if got == nil {
		b.Fatal("missing")
	}
}

func BenchmarkFrameForkRelease(b *testing.B) {
	f := appctx.NewFrame()
	if err := actorKey.Set(f, "alice"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Fork().Release(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFrameGet(b *testing.B) {
	f := appctx.NewFrame()
	if err := f.SetAll(localKey.To("l"), actorKey.To("alice")); err != nil {
		b.Fatal(err)
	}
	f.Seal()
	b.ReportAllocs()
	for b.Loop() {
		_, _ = actorKey.Get(f)
	}
}
