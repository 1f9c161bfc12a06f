// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// recorder is a listener that writes down what it is told and rejects on demand.
type recorder struct {
	mu     sync.Mutex
	calls  []string
	reject func(op, id string) error
}

func (r *recorder) note(ctx context.Context, op string, id registry.ID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := op + " " + id.String()
	r.calls = append(r.calls, text)
	if r.reject != nil {
		return r.reject(op, id.String())
	}
	return nil
}

func (r *recorder) Create(ctx context.Context, e registry.Entry) error {
	return r.note(ctx, "create", e.ID)
}

func (r *recorder) Update(ctx context.Context, _, e registry.Entry) error {
	return r.note(ctx, "update", e.ID)
}

func (r *recorder) Delete(ctx context.Context, e registry.Entry) error {
	return r.note(ctx, "delete", e.ID)
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.calls
	r.calls = nil
	return out
}

func (r *recorder) rejecting(call string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reject = func(op, id string) error {
		if op+" "+id == call {
			return err
		}
		return nil
	}
}

// kindError is an error with a kind, as listeners of other modules return them.
type kindError struct{ kind, text string }

func (e kindError) Error() string { return e.text }
func (e kindError) Kind() string  { return e.kind }

func newRegistry(t testing.TB, opts ...registry.Option) *registry.Registry {
	t.Helper()
	r, err := registry.New(append([]registry.Option{registry.WithLogger(quiet)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// withRecorder returns a registry whose kinds "test.*" are handled by the recorder.
func withRecorder(t testing.TB, opts ...registry.Option) (*registry.Registry, *recorder) {
	t.Helper()
	r := newRegistry(t, opts...)
	rec := &recorder{}
	if err := r.Listen("test.*", rec, registry.Kinds("test.one", "test.two")); err != nil {
		t.Fatal(err)
	}
	return r, rec
}

func entry(id, kind string, data ...any) registry.Entry {
	e := registry.Entry{ID: registry.ParseID(id), Kind: kind}
	m := map[string]any{}
	for i := 0; i+1 < len(data); i += 2 {
		m[data[i].(string)] = data[i+1]
	}
	e.Data = m
	return e
}

func create(es ...registry.Entry) registry.Changeset {
	var c registry.Changeset
	for _, e := range es {
		c.CreateEntry(e)
	}
	return c
}

func mustApply(t testing.TB, r *registry.Registry, c registry.Changeset) registry.Version {
	t.Helper()
	v, err := r.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func stateOf(s registry.Snapshot) string {
	var b strings.Builder
	for e := range s.All() {
		fmt.Fprintf(&b, "%s %s %v %v\n", e.ID, e.Kind, e.Meta, e.Data)
	}
	return b.String()
}

func wantCalls(t *testing.T, rec *recorder, want ...string) {
	t.Helper()
	if got := rec.take(); !slices.Equal(got, want) {
		t.Errorf("listener calls:\n got %q\nwant %q", got, want)
	}
}

func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not contain %q", err, text)
		}
	}
}

func wantKind(t *testing.T, err error, kind string) {
	t.Helper()
	var k interface{ Kind() string }
	if !errors.As(err, &k) || k.Kind() != kind {
		t.Errorf("error %v has another kind than %s", err, kind)
	}
}

// nop accepts everything.
type nop struct{}

func (nop) Create(context.Context, registry.Entry) error                 { return nil }
func (nop) Update(context.Context, registry.Entry, registry.Entry) error { return nil }
func (nop) Delete(context.Context, registry.Entry) error                 { return nil }
