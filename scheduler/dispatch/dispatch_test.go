// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type handler struct{ name string }

func (*handler) Handle(context.Context, dispatch.Command, dispatch.Tag, dispatch.Receiver) error {
	return nil
}

func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		if got := fmt.Sprint(recover()); got != want {
			t.Errorf("panicked with %s, want %s", got, want)
		}
	}()
	f()
}

func TestRegisterPanicsOnCollisionNamingBothOwners(t *testing.T) {
	for _, id := range []dispatch.CommandID{0, 7, 255, 256, 65535} {
		r := dispatch.NewRegistry()
		r.Register("clock", id, &handler{})
		mustPanic(t, fmt.Sprintf(`dispatch: command ID %d already registered by "clock", cannot register for "sql"`, id),
			func() { r.Register("sql", id, &handler{}) })
		mustPanic(t, fmt.Sprintf(`dispatch: handler already registered for command %d by "clock"`, id),
			func() { r.Register("clock", id, &handler{}) })
	}
}

func TestRegisterPanicsAfterFreeze(t *testing.T) {
	var r dispatch.Registry
	r.Freeze()
	r.Freeze()
	if !r.Frozen() {
		t.Error("not frozen")
	}
	mustPanic(t, `dispatch: cannot register handler after Freeze(): command 1 of "clock"`,
		func() { r.Register("clock", 1, &handler{}) })
}

func TestRegisterPanicsOnNilHandler(t *testing.T) {
	mustPanic(t, `dispatch: nil handler for command 1 of "clock"`,
		func() { dispatch.NewRegistry().Register("clock", 1, nil) })
}

func TestRegistryBehavesLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := dispatch.NewRegistry()
		model := map[dispatch.CommandID]*handler{}
		id := rapid.Custom(func(t *rapid.T) dispatch.CommandID {
			return dispatch.CommandID(rapid.IntRange(250, 262).Draw(t, "id"))
		})
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				i := id.Draw(t, "id")
				if model[i] != nil || r.Frozen() {
					return
				}
				h := &handler{name: fmt.Sprint(i)}
				model[i] = h
				r.Register(h.name, i, h)
			},
			"freeze": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					r.Freeze()
				}
			},
			"": func(t *rapid.T) {
				i := id.Draw(t, "id")
				h, ok := r.Lookup(i)
				want := model[i]
				if ok != (want != nil) || ok && h != dispatch.Handler(want) {
					t.Fatalf("Lookup(%d) = %v, %v", i, h, ok)
				}
				if want != nil && r.Owner(i) != want.name || want == nil && r.Owner(i) != "" {
					t.Fatalf("Owner(%d) = %q", i, r.Owner(i))
				}
				if r.Len() != len(model) {
					t.Fatalf("Len() = %d", r.Len())
				}
			},
		})
	})
}

func TestConcurrentLookupAndRegister(t *testing.T) {
	r := dispatch.NewRegistry()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range dispatch.CommandID(100) {
				r.Register("x", 200+i*4+dispatch.CommandID(g), &handler{})
				if _, ok := r.Lookup(200 + i*4 + dispatch.CommandID(g)); !ok {
					t.Error("not found")
				}
			}
		})
	}
	wg.Wait()
	r.Freeze()
	if r.Len() != 400 {
		t.Errorf("%d handlers", r.Len())
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	r := dispatch.NewRegistry()
	r.Register("a", 10, &handler{})
	r.Register("b", 1000, &handler{})
	r.Freeze()
	if n := testing.AllocsPerRun(100, func() { r.Lookup(10); r.Lookup(1000); r.Lookup(11) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestHandlerFuncCallsTheFunction(t *testing.T) {
	called := false
	h := dispatch.HandlerFunc(func(context.Context, dispatch.Command, dispatch.Tag, dispatch.Receiver) error {
		called = true
		return nil
	})
	if err := h.Handle(t.Context(), nil, 0, nil); err != nil || !called {
		t.Error("not called")
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, id := range []dispatch.CommandID{10, 1000} {
		b.Run(fmt.Sprint(id), func(b *testing.B) {
			r := dispatch.NewRegistry()
			r.Register("a", id, &handler{})
			r.Freeze()
			b.ReportAllocs()
			for b.Loop() {
				r.Lookup(id)
			}
		})
	}
}

func ExampleRegistry() {
	r := dispatch.NewRegistry()
	r.Register("clock", 10, &handler{})
	r.Freeze()
	_, ok := r.Lookup(10)
	fmt.Println(ok, r.Owner(10))
	// Output: true clock
}
