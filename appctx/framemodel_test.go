package appctx_test

import (
	"errors"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"pgregory.net/rapid"
)

// frameModel is what a frame is: a map, and a flag.
type frameModel struct {
	frame  *appctx.Frame
	values map[string]int
	sealed bool
	refs   int
}

// modelKey is a key with what the model has to know of it. All values are numbers to the
// model.
type modelKey struct {
	name    string
	to      func(v int) appctx.Assignment
	set     func(f *appctx.Frame, v int) error
	get     func(f *appctx.Frame) (int, bool)
	forked  func(v int) (int, bool) // what a child of the same execution gets
	carried func(v int) (int, bool) // what a child elsewhere gets
}

func numberKey(k appctx.FrameKey[int]) modelKey {
	pass := func(v int) (int, bool) { return v, k.Inherits() }
	return modelKey{k.Name(), k.To, func(f *appctx.Frame, v int) error { return k.Set(f, v) },
		func(f *appctx.Frame) (int, bool) { return k.Get(f) }, pass, pass}
}

var modelKeys = func() []modelKey {
	closed := new(atomic.Int32)
	newSession := func(v int) *session { return &session{id: v, closed: closed} }
	cloned := func(v int) (int, bool) { return v + 100, true }
	return []modelKey{
		numberKey(appctx.NewFrameKey[int]("local 1")),
		numberKey(appctx.NewFrameKey[int]("local 2")),
		numberKey(appctx.NewFrameKey[int]("inherited 1", appctx.Inherit())),
		numberKey(appctx.NewFrameKey[int]("inherited 2", appctx.Inherit())),
		{"session", func(v int) appctx.Assignment { return sessionKey.To(newSession(v)) },
			func(f *appctx.Frame, v int) error { return sessionKey.Set(f, newSession(v)) },
			func(f *appctx.Frame) (int, bool) {
				if s, ok := sessionKey.Get(f); ok {
					return s.id, true
				}
				return 0, false
			}, cloned, cloned},
		{"ticket", func(v int) appctx.Assignment { return ticketKey.To(ticket{hops: v, limit: 3}) },
			func(f *appctx.Frame, v int) error { return ticketKey.Set(f, ticket{hops: v, limit: 3}) },
			func(f *appctx.Frame) (int, bool) { k, ok := ticketKey.Get(f); return k.hops, ok },
			func(v int) (int, bool) { return v, true },
			func(v int) (int, bool) { return v + 1, v < 3 }},
	}
}()

// TestFramesBehaveAsInheritingMaps grows a random tree of frames, sets values singly
// and together, seals, forks, propagates, retains and releases, and compares every
// frame with a map after each step.
func TestFramesBehaveAsInheritingMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live := []*frameModel{{frame: appctx.NewFrame(), values: map[string]int{}, refs: 1}}
		frame := func(t *rapid.T) *frameModel { return rapid.SampledFrom(live).Draw(t, "frame") }
		key := rapid.SampledFrom(modelKeys)
		value := rapid.IntRange(0, 5)
		child := func(m *frameModel, f *appctx.Frame, pass func(modelKey) func(int) (int, bool)) {
			m.sealed = true
			c := &frameModel{frame: f, values: map[string]int{}, refs: 1}
			for _, k := range modelKeys {
				if v, ok := m.values[k.name]; ok {
					if next, keep := pass(k)(v); keep {
						c.values[k.name] = next
					}
				}
			}
			live = append(live, c)
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				m, k, v := frame(t), key.Draw(t, "key"), value.Draw(t, "value")
				if err := k.set(m.frame, v); m.sealed != errors.Is(err, appctx.ErrFrameSealed) {
					t.Fatalf("Set: sealed %v, error %v", m.sealed, err)
				}
				if !m.sealed {
					m.values[k.name] = v
				}
			},
			"set all": func(t *rapid.T) {
				m := frame(t)
				next := maps.Clone(m.values)
				var all []appctx.Assignment
				for range rapid.IntRange(0, 4).Draw(t, "n") {
					k, v := key.Draw(t, "key"), value.Draw(t, "value")
					all = append(all, k.to(v))
					next[k.name] = v
				}
				if err := m.frame.SetAll(all...); m.sealed != errors.Is(err, appctx.ErrFrameSealed) {
					t.Fatalf("SetAll: sealed %v, error %v", m.sealed, err)
				}
				if !m.sealed {
					m.values = next
				}
			},
			"seal": func(t *rapid.T) {
				m := frame(t)
				m.frame.Seal()
				m.sealed = true
			},
			"fork": func(t *rapid.T) {
				m := frame(t)
				child(m, m.frame.Fork(), func(k modelKey) func(int) (int, bool) { return k.forked })
			},
			"propagate": func(t *rapid.T) {
				m := frame(t)
				child(m, m.frame.Propagate(), func(k modelKey) func(int) (int, bool) { return k.carried })
			},
			"retain": func(t *rapid.T) {
				m := frame(t)
				m.frame.Retain()
				m.refs++
			},
			"release": func(t *rapid.T) {
				m := frame(t)
				if m.refs == 1 && len(live) == 1 {
					return
				}
				if err := m.frame.Release(); err != nil {
					t.Fatal(err)
				}
				if m.refs--; m.refs > 0 {
					return
				}
				m.values, m.sealed = map[string]int{}, true // empty, and looked at for the last time
				compareFrame(t, m)
				kept := live[:0]
				for _, other := range live {
					if other != m {
						kept = append(kept, other)
					}
				}
				live = kept
			},
			"": func(t *rapid.T) {
				for _, m := range live {
					compareFrame(t, m)
				}
			},
		})
	})
}

func compareFrame(t *rapid.T, m *frameModel) {
	if m.frame.Sealed() != m.sealed {
		t.Fatalf("Sealed() = %v, want %v", m.frame.Sealed(), m.sealed)
	}
	for _, k := range modelKeys {
		v, ok := k.get(m.frame)
		if want, has := m.values[k.name]; v != want || ok != has {
			t.Fatalf("%s: got %d, %v; want %d, %v", k.name, v, ok, want, has)
		}
	}
}
