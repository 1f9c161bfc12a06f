package appctx_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/appctx"
)

// resource counts how often it is closed.
type resource struct {
	name   string
	closed atomic.Int32
	err    error
	onDone func(string)
}

func (r *resource) Close() error {
	r.closed.Add(1)
	if r.onDone != nil {
		r.onDone(r.name)
	}
	return r.err
}

// session is cloned for callees.
type session struct {
	id     int
	closed *atomic.Int32
}

func (s *session) Clone() *session { return &session{id: s.id + 100, closed: s.closed} }
func (s *session) Close() error    { s.closed.Add(1); return nil }

// hooked tells when it is cloned.
type hooked struct {
	closed  *atomic.Int32
	onClone func()
}

func (h *hooked) Clone() *hooked {
	h.onClone()
	return &hooked{closed: h.closed}
}
func (h *hooked) Close() error { h.closed.Add(1); return nil }

// ticket changes when it crosses to another process, and may stay behind.
type ticket struct{ hops, limit int }

func (k ticket) Propagate() (ticket, bool) {
	return ticket{hops: k.hops + 1, limit: k.limit}, k.hops < k.limit
}

var (
	actorKey   = appctx.NewFrameKey[string]("actor", appctx.Inherit())
	localKey   = appctx.NewFrameKey[string]("local")
	sharedKey  = appctx.NewFrameKey[*resource]("shared", appctx.Inherit())
	ownKey     = appctx.NewFrameKey[*resource]("own")
	sessionKey = appctx.NewFrameKey[*session]("session", appctx.Inherit())
	hookedKey  = appctx.NewFrameKey[*hooked]("hooked", appctx.Inherit())
	ticketKey  = appctx.NewFrameKey[ticket]("ticket", appctx.Inherit())
	closerKey  = appctx.NewFrameKey[io.Closer]("closer", appctx.Inherit())
)

func mustSet[T any](t *testing.T, f *appctx.Frame, k appctx.FrameKey[T], v T) {
	t.Helper()
	if err := k.Set(f, v); err != nil {
		t.Fatalf("Set %s: %v", k.Name(), err)
	}
}

func mustRelease(t *testing.T, f *appctx.Frame) {
	t.Helper()
	if err := f.Release(); err != nil {
		t.Fatalf("Release: %v", err)
	}
}

func TestFrameGetReturnsWhatWasSet(t *testing.T) {
	f := appctx.NewFrame()
	mustSet(t, f, actorKey, "alice")
	mustSet(t, f, actorKey, "bob") // replaces
	mustSet(t, f, closerKey, nil)
	check := func() {
		t.Helper()
		if v, ok := actorKey.Get(f); !ok || v != "bob" {
			t.Errorf("actor: got %q, %v", v, ok)
		}
		if v, ok := closerKey.Get(f); !ok || v != nil {
			t.Errorf("nil interface: got %v, %v; want nil, true", v, ok)
		}
		if v, ok := localKey.Get(f); ok || v != "" {
			t.Errorf("unset key: got %q, %v", v, ok)
		}
	}
	check()
	f.Seal()
	f.Seal() // idempotent
	check()
	if _, ok := actorKey.Get(nil); ok {
		t.Error("a nil frame has a value")
	}
	var zero appctx.FrameKey[string]
	if _, ok := zero.Get(f); ok || zero.Name() != "" || zero.Inherits() {
		t.Error("the zero key finds something")
	}
	mustRelease(t, f)
}

func TestFrameSetOnSealedFails(t *testing.T) {
	f := appctx.NewFrame()
	f.Seal()
	err := actorKey.Set(f, "x")
	if !errors.Is(err, appctx.ErrFrameSealed) {
		t.Fatalf("Set: got %v", err)
	}
	if want := "cannot set key in sealed frame: actor"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	var kind interface{ Kind() string }
	if !errors.As(err, &kind) || kind.Kind() != "Invalid" {
		t.Errorf("kind of %v is not Invalid", err)
	}
	err = f.SetAll(actorKey.To("x"), localKey.To("y"))
	if !errors.Is(err, appctx.ErrFrameSealed) || err.Error() != "frame is sealed" {
		t.Errorf("SetAll: got %v", err)
	}
	var zero appctx.FrameKey[int]
	if err := zero.Set(appctx.NewFrame(), 1); !errors.Is(err, appctx.ErrZeroKey) {
		t.Errorf("Set with the zero key: got %v", err)
	}
}

func TestFrameErrorsHaveKinds(t *testing.T) {
	f := appctx.NewFrame()
	var zero appctx.FrameKey[int]
	unusable := zero.Set(f, 1)
	if want := "cannot set key: frame key was not made with NewFrameKey"; unusable.Error() != want {
		t.Errorf("got %q, want %q", unusable, want)
	}
	f.Seal()
	for _, err := range []error{unusable, actorKey.Set(f, "x"), f.SetAll(actorKey.To("x")), appctx.ErrZeroKey} {
		if e, ok := err.(*appctx.FrameError); ok {
			if r, known := e.Retryable(); r || !known || e.Unwrap() != e.Err || e.Error() != err.Error() {
				t.Errorf("%v: retryable %v, %v, cause %v", e, r, known, e.Unwrap())
			}
		}
		e := err.(interface {
			Kind() string
			Retryable() (bool, bool)
		})
		if r, known := e.Retryable(); e.Kind() != "Invalid" || r || !known {
			t.Errorf("%v: kind %s, retryable %v, %v", err, e.Kind(), r, known)
		}
	}
}

func TestFrameSetAllIsAllOrNothing(t *testing.T) {
	f := appctx.NewFrame()
	var zero appctx.FrameKey[int]
	if err := f.SetAll(actorKey.To("a"), zero.To(1)); !errors.Is(err, appctx.ErrZeroKey) {
		t.Fatalf("got %v", err)
	}
	if _, ok := actorKey.Get(f); ok {
		t.Error("a refused SetAll stored a value")
	}
	if err := f.SetAll(actorKey.To("a"), localKey.To("l")); err != nil {
		t.Fatal(err)
	}
	if a, _ := actorKey.Get(f); a != "a" {
		t.Errorf("actor = %q", a)
	}
	if l, _ := localKey.Get(f); l != "l" {
		t.Errorf("local = %q", l)
	}
}

func TestFrameForkPassesInheritedKeysOnly(t *testing.T) {
	parent := appctx.NewFrame()
	mustSet(t, parent, actorKey, "alice")
	mustSet(t, parent, localKey, "here")
	child := parent.Fork()
	if !parent.Sealed() || child.Sealed() {
		t.Errorf("sealed: parent %v, child %v; want true, false", parent.Sealed(), child.Sealed())
	}
	if v, ok := actorKey.Get(child); !ok || v != "alice" {
		t.Errorf("inherited: got %q, %v", v, ok)
	}
	if _, ok := localKey.Get(child); ok {
		t.Error("a key without Inherit passed to the child")
	}
	mustSet(t, child, actorKey, "bob")
	if v, _ := actorKey.Get(parent); v != "alice" {
		t.Errorf("a child's Set changed the parent to %q", v)
	}
	mustRelease(t, child)
	mustRelease(t, parent)
}

func TestFrameForkClonesAndPropagateTransforms(t *testing.T) {
	var closed atomic.Int32
	parent := appctx.NewFrame()
	mustSet(t, parent, sessionKey, &session{id: 1, closed: &closed})
	mustSet(t, parent, ticketKey, ticket{limit: 1})

	call := parent.Fork()
	if s, _ := sessionKey.Get(call); s.id != 101 {
		t.Errorf("Fork: session id %d, want the clone's 101", s.id)
	}
	if k, _ := ticketKey.Get(call); k.hops != 0 {
		t.Errorf("Fork: ticket made %d hops, want 0", k.hops)
	}
	process := parent.Propagate()
	if s, _ := sessionKey.Get(process); s.id != 101 {
		t.Errorf("Propagate: session id %d, want the clone's 101", s.id)
	}
	if k, _ := ticketKey.Get(process); k.hops != 1 {
		t.Errorf("Propagate: ticket made %d hops, want 1", k.hops)
	}
	further := process.Propagate()
	if _, ok := ticketKey.Get(further); ok {
		t.Error("Propagate: a value that stays behind was passed")
	}
	for i, f := range []*appctx.Frame{further, call, process, parent} {
		mustRelease(t, f)
		if got := int(closed.Load()); got != i+1 {
			t.Errorf("after %d releases %d sessions are closed", i+1, got)
		}
	}
}

func TestFrameReleaseClosesOwnedValuesNewestFirst(t *testing.T) {
	var order []string
	note := func(name string) { order = append(order, name) }
	boom, bust := errors.New("boom"), errors.New("bust")
	f := appctx.NewFrame()
	replaced := &resource{name: "replaced", onDone: note}
	mustSet(t, f, ownKey, replaced)
	mustSet(t, f, ownKey, &resource{name: "own", onDone: note, err: boom})
	mustSet(t, f, sharedKey, &resource{name: "shared", onDone: note, err: bust})
	f.Retain()
	mustRelease(t, f)
	if len(order) != 0 {
		t.Fatalf("closed before the last release: %v", order)
	}
	err := f.Release()
	if !errors.Is(err, boom) || !errors.Is(err, bust) {
		t.Errorf("Release: got %v, want both errors", err)
	}
	if len(order) != 2 || order[0] != "shared" || order[1] != "own" {
		t.Errorf("closed %v, want [shared own]", order)
	}
	if _, ok := ownKey.Get(f); ok {
		t.Error("a released frame still gives its values")
	}
	if err := ownKey.Set(f, replaced); !errors.Is(err, appctx.ErrFrameSealed) {
		t.Errorf("Set on a released frame: got %v", err)
	}
	if got := panicText(f.Retain); got != "appctx: Retain of a released Frame" {
		t.Errorf("Retain: panic text %q", got)
	}
	if got := panicText(func() { _ = f.Release() }); got != "appctx: Release of a released Frame" {
		t.Errorf("Release: panic text %q", got)
	}
	if _, ok := sharedKey.Get(f.Fork()); ok {
		t.Error("the child of a released frame has a value")
	}
}

func TestFrameReleaseContainsPanics(t *testing.T) {
	boom := errors.New("boom")
	first := &resource{name: "first"}
	last := &resource{name: "last"}
	f := appctx.NewFrame()
	mustSet(t, f, ownKey, first)
	mustSet(t, f, closerKey, io.Closer(&resource{onDone: func(string) { panic(boom) }}))
	mustSet(t, f, sharedKey, last)
	err := f.Release()
	p, ok := errors.AsType[*appctx.PanicError](err)
	if !ok || p.Key != "closer" || p.Value != error(boom) || !errors.Is(err, boom) || p.Kind() != "Internal" {
		t.Fatalf("got %v", err)
	}
	if r, known := p.Retryable(); r || !known {
		t.Errorf("retryable %v, %v", r, known)
	}
	if want := "appctx: panic while closing closer: boom"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if !strings.Contains(string(p.Stack), "TestFrameReleaseContainsPanics") {
		t.Errorf("the stack does not lead to the panic:\n%s", p.Stack)
	}
	if first.closed.Load() != 1 || last.closed.Load() != 1 {
		t.Error("the panic kept other values from being closed")
	}
}

// TestForkOfAReleasedFrameLeavesNoClone releases a frame while it is forked, which is
// a mistake: the child is empty, and the clone made for it is closed.
func TestForkOfAReleasedFrameLeavesNoClone(t *testing.T) {
	var made, closed atomic.Int32
	parent := appctx.NewFrame()
	mustSet(t, parent, sharedKey, &resource{name: "shared"})
	mustSet(t, parent, hookedKey, &hooked{closed: &closed, onClone: func() {
		made.Add(1)
		mustRelease(t, parent)
	}})
	child := parent.Fork()
	if _, ok := sharedKey.Get(child); ok {
		t.Error("the child reads a closed value")
	}
	if made.Load() != 1 || closed.Load() != 2 { // the clone and the original
		t.Errorf("%d clones made, %d values closed", made.Load(), closed.Load())
	}
	mustRelease(t, child)
}

func TestFrameSharedCloserOutlivesParent(t *testing.T) {
	r := &resource{name: "shared"}
	parent := appctx.NewFrame()
	mustSet(t, parent, sharedKey, r)
	child := parent.Fork()
	grandchild := child.Fork()

	mustRelease(t, parent)
	mustRelease(t, child)
	if r.closed.Load() != 0 {
		t.Fatal("closed while a frame still shares it")
	}
	if v, ok := sharedKey.Get(grandchild); !ok || v != r {
		t.Fatalf("grandchild: got %v, %v", v, ok)
	}
	mustRelease(t, grandchild)
	if n := r.closed.Load(); n != 1 {
		t.Errorf("closed %d times, want once", n)
	}
}

func TestFrameClosesWhatItSetOverAnInheritedValue(t *testing.T) {
	inherited, own := &resource{name: "inherited"}, &resource{name: "own"}
	parent := appctx.NewFrame()
	mustSet(t, parent, sharedKey, inherited)
	child := parent.Fork()
	mustSet(t, child, sharedKey, own)
	mustRelease(t, child)
	if inherited.closed.Load() != 0 || own.closed.Load() != 1 {
		t.Errorf("closed %d and %d times, want 0 and 1", inherited.closed.Load(), own.closed.Load())
	}
	mustRelease(t, parent)
	if inherited.closed.Load() != 1 {
		t.Error("the inherited value is not closed by its owner")
	}
}

func TestContextCarriesFrame(t *testing.T) {
	if appctx.FrameFrom(context.Background()) != nil {
		t.Error("FrameFrom of a bare context is not nil")
	}
	f := appctx.NewFrame()
	if appctx.FrameFrom(appctx.WithFrame(context.Background(), f)) != f {
		t.Error("FrameFrom does not find the frame")
	}
}

// TestFrameConcurrentSetGetSeal runs writers, readers and a sealer at once: each Set
// either lands or fails because of the seal, and what landed is readable.
func TestFrameConcurrentSetGetSeal(t *testing.T) {
	const writers = 4
	for range 50 {
		keys := make([]appctx.FrameKey[int], writers)
		for w := range keys {
			keys[w] = appctx.NewFrameKey[int]("key", appctx.Inherit())
		}
		f := appctx.NewFrame()
		landed := make([]int, writers)
		var wg sync.WaitGroup
		for w, k := range keys {
			wg.Go(func() {
				for v := 1; v <= 20; v++ {
					err := k.Set(f, v)
					if err != nil {
						if !errors.Is(err, appctx.ErrFrameSealed) {
							t.Error(err)
						}
						return
					}
					landed[w] = v
				}
			})
			wg.Go(func() {
				last := 0
				for range 20 {
					v, _ := k.Get(f)
					if v < last {
						t.Errorf("read %d after %d", v, last)
					}
					last = v
				}
			})
		}
		var child *appctx.Frame
		wg.Go(func() { child = f.Fork() })
		wg.Wait()
		for w, k := range keys {
			v, ok := k.Get(f)
			c, _ := k.Get(child)
			if v != landed[w] || ok != (v > 0) || c != v {
				t.Errorf("key %d: landed %d, got %d, %v, the child %d", w, landed[w], v, ok, c)
			}
		}
		mustRelease(t, child)
		mustRelease(t, f)
	}
}

func TestFrameConcurrentForkAndRelease(t *testing.T) {
	r := &resource{name: "shared"}
	parent := appctx.NewFrame()
	mustSet(t, parent, sharedKey, r)
	var wg sync.WaitGroup
	for range 8 {
		parent.Retain()
		wg.Go(func() {
			child := parent.Fork()
			if err := parent.Release(); err != nil {
				t.Error(err)
			}
			if v, ok := sharedKey.Get(child); !ok || v.closed.Load() != 0 {
				t.Errorf("child: got %v, %v", v, ok)
			}
			if err := child.Release(); err != nil {
				t.Error(err)
			}
		})
	}
	mustRelease(t, parent)
	wg.Wait()
	if n := r.closed.Load(); n != 1 {
		t.Errorf("closed %d times, want once", n)
	}
}
