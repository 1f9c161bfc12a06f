// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"slices"
	"sync"

	"github.com/wippyrun/kit/registry"
)

// Warning is something a stage could not do that does not prevent loading.
type Warning struct {
	Stage string
	ID    registry.ID
	// Position is "file:line:col", or "".
	Position string
	Message  string
	// Hint tells what could be done about it, or is "".
	Hint string
}

// String returns "position: id: message (hint)".
func (w Warning) String() string {
	s := w.Message
	if !w.ID.IsZero() {
		s = w.ID.String() + ": " + s
	}
	if w.Position != "" {
		s = w.Position + ": " + s
	}
	if w.Hint != "" {
		s += " (" + w.Hint + ")"
	}
	return s
}

// Report is what happened during one run of a pipeline. It may be used concurrently.
type Report struct {
	mu       sync.Mutex // guards the rest
	warnings []Warning
	told     map[Warning]bool
	removed  map[registry.ID]string
}

// Warnings returns the warnings so far. A warning that a stage has when it runs and again
// when it runs a second time is there once.
func (r *Report) Warnings() []Warning {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.warnings)
}

// RemovedBy returns the name of the stage that removed an entry.
func (r *Report) RemovedBy(id registry.ID) (stage string, ok bool) {
	if r == nil {
		return "", false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	stage, ok = r.removed[id]
	return stage, ok
}

// Removed returns how many entries were removed.
func (r *Report) Removed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.removed)
}

func (r *Report) warn(w Warning) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told[w] {
		return
	}
	if r.told == nil {
		r.told = map[Warning]bool{}
	}
	r.told[w] = true
	r.warnings = append(r.warnings, w)
}

func (r *Report) remove(stage string, id registry.ID) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.removed == nil {
		r.removed = map[registry.ID]string{}
	}
	r.removed[id] = stage
}

type reportKey struct{}

// WithReport returns a context in which stages record what they do.
func WithReport(ctx context.Context, r *Report) context.Context {
	return context.WithValue(ctx, reportKey{}, r)
}

func reportOf(ctx context.Context) *Report {
	r, _ := ctx.Value(reportKey{}).(*Report)
	return r
}
