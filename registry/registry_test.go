// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/registry"
)

func TestApplyNumbersVersionsAndBranchesAfterGoingBack(t *testing.T) {
	r, _ := withRecorder(t)
	v1 := mustApply(t, r, create(entry("app:a", "test.one")))
	if v1 != (registry.Version{ID: 1}) {
		t.Fatalf("first version is %+v", v1)
	}
	if err := r.ApplyVersion(t.Context(), registry.Version{}); err != nil {
		t.Fatal(err)
	}
	v2 := mustApply(t, r, create(entry("app:b", "test.one")))
	if v2 != (registry.Version{ID: 2, Parent: 0}) || v2.String() != "v2" {
		t.Errorf("second version is %+v", v2)
	}
	if _, err := r.Get(registry.ParseID("app:a")); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("app:a: %v", err)
	}
	vs, err := r.Versions()
	if err != nil || len(vs) != 3 {
		t.Errorf("versions %v, %v", vs, err)
	}
	if got := r.Children(registry.Version{}); len(got) != 2 {
		t.Errorf("children of v0: %v", got)
	}
}

func TestApplyOrdersByDependency(t *testing.T) {
	r, rec := withRecorder(t)
	mustApply(t, r, create(
		entry("app:a", "test.one", "imports", map[string]any{"x": "b"}),
		entry("app:b", "test.one"),
	))
	wantCalls(t, rec, "create app:b", "create app:a")
	var c registry.Changeset
	c.DeleteEntry(registry.ParseID("app:b"))
	c.DeleteEntry(registry.ParseID("app:a"))
	mustApply(t, r, c)
	wantCalls(t, rec, "delete app:a", "delete app:b")
}

func TestApplyRejectsBadOperations(t *testing.T) {
	r, rec := withRecorder(t)
	mustApply(t, r, create(entry("app:x", "test.one")))
	rec.take()
	var update, change, del registry.Changeset
	update.UpdateEntry(entry("app:y", "test.one"))
	change.UpdateEntry(entry("app:x", "test.two"))
	del.DeleteEntry(registry.ParseID("app:y"))
	for _, c := range []struct {
		set  registry.Changeset
		want []string
	}{
		{create(entry("app:x", "test.one")), []string{"entry already exists: {ns: app, name: x}"}},
		{update, []string{"unresolved dependencies after retry: app:y", "entry does not exist: {ns: app, name: y}"}},
		{change, []string{"cannot change entry kind from test.one to test.two for {ns: app, name: x}"}},
		{del, []string{"unresolved dependencies after retry: app:y", "cannot delete non-existent entry: {ns: app, name: y}"}},
		{create(entry("app:", "test.one")), []string{"no name"}},
		{create(entry("app:n", "")), []string{"no kind"}},
		{registry.Changeset{{Kind: "entry.move", Entry: entry("app:n", "test.one")}}, []string{"unknown operation kind"}},
		{create(entry("app:n", "test.one", "f", func() {})), []string{`value at "data.f"`}},
	} {
		before := r.Snapshot()
		_, err := r.Apply(t.Context(), c.set)
		wantError(t, err, append(c.want, "failed to apply changes: ")...)
		wantKind(t, err, registry.KindInternal)
		if r.Current() != before.Version() || stateOf(r.Snapshot()) != stateOf(before) {
			t.Errorf("%v: a failed change left traces", c.set)
		}
	}
	wantCalls(t, rec)
}

func TestRejectionUndoesWhatWasAccepted(t *testing.T) {
	r, rec := withRecorder(t)
	boom := errors.New("boom")
	rec.rejecting("create app:c", boom)
	_, err := r.Apply(t.Context(), create(entry("app:a", "test.one"), entry("app:b", "test.one"), entry("app:c", "test.one")))
	wantError(t, err, "operation failed for entry app:c: boom")
	if !errors.Is(err, boom) {
		t.Error("the listener's error is not in the chain")
	}
	wantCalls(t, rec, "create app:a", "create app:b", "create app:c", "delete app:b", "delete app:a")
	if r.Snapshot().Len() != 0 || !r.Current().IsRoot() {
		t.Error("state or version changed")
	}
}

func TestRollbackGoesOnAfterErrors(t *testing.T) {
	r, rec := withRecorder(t)
	rec.reject = func(op, id string) error {
		if op == "delete" || id == "app:c" {
			return errors.New("no")
		}
		return nil
	}
	_, err := r.Apply(t.Context(), create(entry("app:a", "test.one"), entry("app:b", "test.one"), entry("app:c", "test.one")))
	wantError(t, err, "app:c")
	wantCalls(t, rec, "create app:a", "create app:b", "create app:c", "delete app:b", "delete app:a")
}

func TestSecondListenerOfAKindRejectingUndoesTheFirst(t *testing.T) {
	r, rec := withRecorder(t)
	second := &recorder{}
	second.rejecting("update app:a", errors.New("no"))
	if err := r.Listen("test.one", second); err != nil {
		t.Fatal(err)
	}
	mustApply(t, r, create(entry("app:a", "test.one", "n", 1)))
	rec.take()
	var c registry.Changeset
	c.UpdateEntry(entry("app:a", "test.one", "n", 2))
	if _, err := r.Apply(t.Context(), c); err == nil {
		t.Fatal("accepted")
	}
	wantCalls(t, rec, "update app:a", "update app:a")
	if e, _ := r.Get(registry.ParseID("app:a")); e.Data.(map[string]any)["n"] != 1.0 {
		t.Errorf("data is %v", e.Data)
	}
}

func TestNotFoundIsTriedAgain(t *testing.T) {
	r, rec := withRecorder(t)
	seen := map[string]bool{}
	rec.reject = func(op, id string) error {
		if id == "app:a" && !seen["app:z"] {
			return kindError{registry.KindNotFound, "app:z is not there"}
		}
		seen[id] = true
		return nil
	}
	mustApply(t, r, create(entry("app:a", "test.one"), entry("app:z", "test.one")))
	wantCalls(t, rec, "create app:a", "create app:z", "create app:a")

	rec.reject = func(op, id string) error { return kindError{registry.KindNotFound, "never"} }
	_, err := r.Apply(t.Context(), create(entry("app:p", "test.one"), entry("app:q", "test.one")))
	wantError(t, err, "unresolved dependencies after retry: app:p,app:q", "never")
}

func TestUnknownKindIsReportedAtOnceWithASuggestion(t *testing.T) {
	r, rec := withRecorder(t)
	_, err := r.Apply(t.Context(), create(entry("app:a", "test.one"), entry("app:b", "tets.one"), entry("app:c", "nonsense")))
	wantError(t, err, `unknown kind "tets.one"`, "no listener responded", `did you mean "test.one"?`, `unknown kind "nonsense"`)
	wantCalls(t, rec)
	if r.HasListener("nonsense") || !r.HasListener("test.x") || !r.HasListener("registry.entry") {
		t.Error("HasListener")
	}
	if got := r.KindSuggestions("test.tow"); !slices.Contains(got, "test.two") {
		t.Errorf("suggestions %q", got)
	}
}

func TestInternalKindsNeedNoListener(t *testing.T) {
	r := newRegistry(t, registry.WithPublisher(&publisher{}))
	mustApply(t, r, create(entry("app:cfg", "registry.entry")))
	if _, err := r.Get(registry.ParseID("app:cfg")); err != nil {
		t.Error(err)
	}
}

type publisher struct {
	mu     sync.Mutex
	events []string
}

func (p *publisher) Publish(system, kind, path string, data any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, system+" "+kind+" "+path)
}

func (p *publisher) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.events
	p.events = nil
	return out
}

func TestEventsAreAnnouncedAfterTheChangeIsVisible(t *testing.T) {
	p := &publisher{}
	r, rec := withRecorder(t, registry.WithPublisher(p))
	mustApply(t, r, create(entry("app:a", "test.one"), entry("app:i", "registry.entry")))
	want := []string{"registry registry.begin registry.tx/1", "registry entry.create app:a", "registry entry.accept app:a", "registry registry.commit registry.tx/1"}
	if got := p.take(); !slices.Equal(got, want) {
		t.Errorf("events %q", got)
	}
	rec.rejecting("create app:b", errors.New("no"))
	_, _ = r.Apply(t.Context(), create(entry("app:b", "test.one")))
	want = []string{"registry registry.begin registry.tx/2", "registry entry.reject app:b", "registry registry.discard registry.tx/2"}
	if got := p.take(); !slices.Equal(got, want) {
		t.Errorf("events %q", got)
	}
}

func TestObserverSeesTheChangeAndItsPanicIsContained(t *testing.T) {
	r, _ := withRecorder(t)
	var seen []string
	err := errors.Join(
		r.Observe("test.*", func(registry.Op) { panic("observer") }),
		r.Observe("test.*", func(op registry.Op) {
			_, err := r.Get(op.Entry.ID)
			seen = append(seen, op.String()+" visible="+map[bool]string{true: "yes", false: "no"}[err == nil])
		}))
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, r, create(entry("app:a", "test.one")))
	if !slices.Equal(seen, []string{"entry.create app:a visible=yes"}) {
		t.Errorf("seen %q", seen)
	}
}

// transactor records the frame of every change.
type transactor struct {
	recorder
	fail string
}

func (x *transactor) step(name string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls = append(x.calls, name)
	if x.fail == name {
		return errors.New(name + " rejected")
	}
	return nil
}

func (x *transactor) Begin(context.Context) error   { return x.step("begin") }
func (x *transactor) Commit(context.Context) error  { return x.step("commit") }
func (x *transactor) Discard(context.Context) error { return x.step("discard") }

func TestTransactorFramesEveryChangeOnce(t *testing.T) {
	r := newRegistry(t)
	x := &transactor{}
	for _, kind := range []string{"test.one", "test.two"} {
		if err := r.Listen(kind, x); err != nil {
			t.Fatal(err)
		}
	}
	mustApply(t, r, create(entry("app:a", "test.one"), entry("app:b", "test.two")))
	wantCalls(t, &x.recorder, "begin", "create app:a", "create app:b", "commit")

	x.fail = "commit"
	_, err := r.Apply(t.Context(), create(entry("app:c", "test.one")))
	wantError(t, err, "transaction rejected for registry.commit", "commit rejected")
	wantCalls(t, &x.recorder, "begin", "create app:c", "commit", "delete app:c", "discard")

	x.fail = "begin"
	_, err = r.Apply(t.Context(), create(entry("app:c", "test.one")))
	wantError(t, err, "transaction rejected for registry.begin")
	wantCalls(t, &x.recorder, "begin")
	if r.Current().ID != 1 || r.Snapshot().Len() != 2 {
		t.Error("a rejected transaction left traces")
	}
}

func TestListenerThatNeverReturnsTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := registry.New(registry.WithTimeout(time.Second), registry.WithLogger(quiet))
		if err != nil {
			t.Fatal(err)
		}
		block := make(chan struct{})
		if err := r.Listen("slow", listenerFunc(func(context.Context, string, registry.Entry) error { <-block; return nil })); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = r.Apply(t.Context(), create(entry("app:s", "slow")))
		wantError(t, err, "event handler timeout after 1s for entry app:s (kind: slow)")
		var again interface{ Retryable() (bool, bool) }
		if !errors.As(err, &again) {
			t.Error("not said whether retryable")
		} else if yes, known := again.Retryable(); !yes || !known {
			t.Error("a time-out must be retryable")
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("took %v", d)
		}
		close(block)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

// stuck never answers at one step of the transaction.
type stuck struct {
	nop
	at       string
	release  chan struct{}
	discards int
}

func (x *stuck) step(name string) error {
	if name == x.at {
		<-x.release
	}
	return nil
}

func (x *stuck) Begin(context.Context) error   { return x.step("registry.begin") }
func (x *stuck) Commit(context.Context) error  { return x.step("registry.commit") }
func (x *stuck) Discard(context.Context) error { x.discards++; return x.step("registry.discard") }

func TestParticipantThatNeverAnswersTimesOut(t *testing.T) {
	for _, step := range []string{"registry.begin", "registry.commit", "registry.discard"} {
		synctest.Test(t, func(t *testing.T) {
			r, err := registry.New(registry.WithTimeout(time.Second), registry.WithLogger(quiet))
			if err != nil {
				t.Fatal(err)
			}
			first, second := &stuck{}, &stuck{at: step, release: make(chan struct{})}
			if err := errors.Join(r.Listen("k", first), r.Listen("k", second)); err != nil {
				t.Fatal(err)
			}
			c, want := create(entry("app:a", "k")), "transaction handler timeout after 1s for "+step+": accepted 1 of 2"
			if step == "registry.discard" {
				c, want = create(entry("app:a", "k"), entry("app:none", "unheard.of")), "unknown kind"
				if err := r.Listen("unheard.of", listenerFunc(func(context.Context, string, registry.Entry) error { return errors.New("unknown kind") })); err != nil {
					t.Fatal(err)
				}
			}
			start := time.Now()
			_, err = r.Apply(t.Context(), c)
			wantError(t, err, want)
			if d := time.Since(start); d != time.Second {
				t.Errorf("%s: took %v", step, d)
			}
			if !r.Current().IsRoot() || r.Snapshot().Len() != 0 || first.discards != 1 {
				t.Errorf("%s: at %v with %d entries, %d discarded", step, r.Current(), r.Snapshot().Len(), first.discards)
			}
			close(second.release)
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

type listenerFunc func(ctx context.Context, op string, e registry.Entry) error

func (f listenerFunc) Create(ctx context.Context, e registry.Entry) error { return f(ctx, "create", e) }
func (f listenerFunc) Update(ctx context.Context, _, e registry.Entry) error {
	return f(ctx, "update", e)
}
func (f listenerFunc) Delete(ctx context.Context, e registry.Entry) error { return f(ctx, "delete", e) }

func TestCanceledContextRollsBack(t *testing.T) {
	r := newRegistry(t)
	ctx, cancel := context.WithCancel(t.Context())
	var calls []string
	err := r.Listen("k", listenerFunc(func(c context.Context, op string, e registry.Entry) error {
		calls = append(calls, op+" "+e.ID.Name)
		if e.ID.Name == "b" {
			cancel()
			<-c.Done()
			return c.Err()
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Apply(ctx, create(entry("app:a", "k"), entry("app:b", "k")))
	wantError(t, err, "operation context canceled for app:b (k)")
	if !errors.Is(err, context.Canceled) {
		t.Error("not context.Canceled")
	}
	if got := strings.Join(calls, ","); got != "create a,create b,delete a" && got != "create a,create b" {
		t.Errorf("calls %s", got)
	}
	if r.Snapshot().Len() != 0 {
		t.Error("state changed")
	}
}

func TestListenerPanicRejects(t *testing.T) {
	r := newRegistry(t)
	if err := r.Listen("k", listenerFunc(func(context.Context, string, registry.Entry) error { panic("bang") })); err != nil {
		t.Fatal(err)
	}
	_, err := r.Apply(t.Context(), create(entry("app:a", "k")))
	var p *registry.PanicError
	if !errors.As(err, &p) || p.Value != "bang" || len(p.Stack) == 0 {
		t.Errorf("error %v", err)
	}
}

func TestListenerReadsCommittedAndPendingStateAndCannotChange(t *testing.T) {
	r := newRegistry(t)
	a, b := registry.ParseID("app:a"), registry.ParseID("app:b")
	err := r.Listen("k", listenerFunc(func(ctx context.Context, op string, e registry.Entry) error {
		if e.ID != b {
			return nil
		}
		if _, err := r.Get(a); !errors.Is(err, registry.ErrNotFound) {
			return errors.New("saw an uncommitted entry")
		}
		s, ok := registry.Pending(ctx)
		if !ok {
			return errors.New("no pending state")
		}
		if _, ok := s.Get(a); !ok {
			return errors.New("did not see the entry accepted before")
		}
		if len(s.Find(map[string]any{"name": "a"})) != 1 {
			return errors.New("did not find the entry accepted before")
		}
		if _, err := r.Apply(ctx, create(entry("app:z", "k"))); !errors.Is(err, registry.ErrReentrant) {
			return errors.New("could change the registry")
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, r, create(entry("app:a", "k"), entry("app:b", "k")))
	if _, ok := registry.Pending(t.Context()); ok {
		t.Error("pending state outside of a change")
	}
}

func TestApplyCopiesWhatItIsGiven(t *testing.T) {
	r, _ := withRecorder(t)
	e := entry("app:a", "test.one", "list", []any{1})
	mustApply(t, r, create(e))
	e.Data.(map[string]any)["list"].([]any)[0] = 99
	got, _ := r.Get(e.ID)
	if !registry.EqualValues(got.Data, map[string]any{"list": []any{1.0}}) {
		t.Errorf("data is %v", got.Data)
	}
}

func TestMovingBetweenVersionsSendsOnlyTheDifference(t *testing.T) {
	r, rec := withRecorder(t)
	mustApply(t, r, create(entry("app:tmp", "test.one"), entry("app:keep", "test.one", "n", 1)))
	var c registry.Changeset
	c.DeleteEntry(registry.ParseID("app:tmp"))
	c.UpdateEntry(entry("app:keep", "test.one", "n", 2))
	v2 := mustApply(t, r, c)
	if err := r.ApplyVersion(t.Context(), registry.Version{}); err != nil {
		t.Fatal(err)
	}
	rec.take()
	if err := r.ApplyVersion(t.Context(), v2); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, rec, "create app:keep")
	if err := r.ApplyVersion(t.Context(), v2); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, rec)
	err := r.ApplyVersion(t.Context(), registry.Version{ID: 77})
	wantError(t, err, "version not found in history")
	wantKind(t, err, registry.KindNotFound)
}

func TestEntryThatChangesItsKindIsReplaced(t *testing.T) {
	r, rec := withRecorder(t)
	v1 := mustApply(t, r, create(entry("app:x", "test.one")))
	var c registry.Changeset
	c.DeleteEntry(registry.ParseID("app:x"))
	c.CreateEntry(entry("app:x", "test.two"))
	v2 := mustApply(t, r, c)
	wantCalls(t, rec, "create app:x", "delete app:x", "create app:x")
	for _, v := range []registry.Version{v1, v2, v1} {
		if err := r.ApplyVersion(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		wantCalls(t, rec, "delete app:x", "create app:x")
		e, _ := r.Get(registry.ParseID("app:x"))
		if want := map[registry.Version]string{v1: "test.one", v2: "test.two"}[v]; e.Kind != want {
			t.Errorf("%v: kind %s", v, e.Kind)
		}
	}
}

func TestNilHistoryKeepsOnlyTheHead(t *testing.T) {
	r, _ := withRecorder(t, registry.WithHistory(registry.NewNilHistory()))
	if v := mustApply(t, r, create(entry("app:a", "test.one"))); v.ID != 1 {
		t.Errorf("version %v", v)
	}
	_, err := r.Versions()
	wantError(t, err, "version history not available: registry configured with history disabled (enable_history=false)")
	wantKind(t, err, registry.KindUnavailable)
	err = r.ApplyVersion(t.Context(), registry.Version{})
	wantError(t, err, "version rollback not supported")
	if v := mustApply(t, r, create(entry("app:b", "test.one"))); v.ID != 2 {
		t.Errorf("version %v", v)
	}
}

func TestSnapshotsDoNotChange(t *testing.T) {
	r, _ := withRecorder(t)
	mustApply(t, r, create(entry("app:a", "test.one")))
	s := r.Snapshot()
	v2 := mustApply(t, r, create(entry("app:b", "test.one"), entry("other:c", "test.two")))
	if s.Len() != 1 || stateOf(s) == stateOf(r.Snapshot()) {
		t.Error("a snapshot changed")
	}
	old, err := r.SnapshotAt(s.Version())
	if err != nil || stateOf(old) != stateOf(s) {
		t.Errorf("SnapshotAt(v1) = %s, %v", stateOf(old), err)
	}
	var names []string
	for e := range r.Snapshot().Namespace("app") {
		names = append(names, e.ID.Name)
	}
	if !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("namespace app: %q", names)
	}
	if r.Snapshot().Version() != v2 {
		t.Error("version of the snapshot")
	}
	if _, err := r.SnapshotAt(registry.Version{ID: 9}); !errors.Is(err, registry.ErrVersionNotFound) {
		t.Errorf("unknown version: %v", err)
	}
}
