package registry_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wippyrun/kit/registry"
)

// finisher notes what it can read when it is told that a change is committed.
type finisher struct {
	transactor
	registry *registry.Registry
	visible  []bool
}

func (x *finisher) Committed(context.Context) {
	_, err := x.registry.Get(registry.ParseID("app:a"))
	x.visible = append(x.visible, err == nil)
	if err := x.step("committed"); err != nil {
		panic(err)
	}
}

// fullHistory stores nothing.
type fullHistory struct{ registry.History }

func (fullHistory) Append(context.Context, registry.Record, registry.Changeset) error {
	return errors.New("disk full")
}

func TestFinisherHearsOfACommitOnlyWhenItIsCertainAndVisible(t *testing.T) {
	r := newRegistry(t)
	x := &finisher{registry: r}
	if err := r.Listen("test.one", x); err != nil {
		t.Fatal(err)
	}
	mustApply(t, r, create(entry("app:a", "test.one")))
	wantCalls(t, &x.recorder, "begin", "create app:a", "commit", "committed")
	if len(x.visible) != 1 || !x.visible[0] {
		t.Errorf("the new state was readable: %v", x.visible)
	}
}

func TestFinisherIsDiscardedWhenTheHistoryFails(t *testing.T) {
	r, err := registry.New(registry.WithHistory(fullHistory{registry.NewMemoryHistory()}), registry.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x := &finisher{registry: r}
	if err := r.Listen("test.one", x); err != nil {
		t.Fatal(err)
	}
	_, err = r.Apply(t.Context(), create(entry("app:a", "test.one")))
	wantError(t, err, "failed to save new version", "disk full")
	wantCalls(t, &x.recorder, "begin", "create app:a", "commit", "delete app:a", "discard")
}
