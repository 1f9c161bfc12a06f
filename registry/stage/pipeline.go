// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"fmt"
	"sync"

	"github.com/wippyrun/kit/registry"
)

// Stage transforms entries. Apply must not change the slice or the entries it is given;
// it returns the slice itself when nothing changes.
type Stage interface {
	Name() string
	Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error)
}

// Func is a stage made of a function.
func Func(name string, apply func(context.Context, []registry.Entry) ([]registry.Entry, error)) Stage {
	return funcStage{name, apply}
}

type funcStage struct {
	name  string
	apply func(context.Context, []registry.Entry) ([]registry.Entry, error)
}

func (s funcStage) Name() string { return s.name }

func (s funcStage) Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	return s.apply(ctx, entries)
}

// Warning is something a stage could not do that does not prevent loading.
type Warning struct {
	Stage string
	ID    registry.ID
	// Position is "file:line:col", or "".
	Position string
	Message  string
}

// String returns "position: id: message".
func (w Warning) String() string {
	s := w.Message
	if !w.ID.IsZero() {
		s = w.ID.String() + ": " + s
	}
	if w.Position != "" {
		s = w.Position + ": " + s
	}
	return s
}

// Report is what happened during one run of a pipeline. It may be used concurrently.
type Report struct {
	mu       sync.Mutex // guards the rest
	warnings []Warning
	removed  map[registry.ID]string
}

// Warnings returns the warnings so far.
func (r *Report) Warnings() []Warning {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Warning(nil), r.warnings...)
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

// WithReport returns a context in which stages record what they do, for running them
// without a pipeline.
func WithReport(ctx context.Context, r *Report) context.Context {
	return context.WithValue(ctx, reportKey{}, r)
}

func reportOf(ctx context.Context) *Report {
	r, _ := ctx.Value(reportKey{}).(*Report)
	return r
}

// Pipeline is an ordered list of stages; one stage may occur several times. It keeps no
// state between runs.
type Pipeline struct {
	stages []Stage
}

// NewPipeline returns a pipeline of the stages.
func NewPipeline(stages ...Stage) *Pipeline { return &Pipeline{stages: stages} }

// Stages returns the names of the stages in order.
func (p *Pipeline) Stages() []string {
	names := make([]string, len(p.stages))
	for i, s := range p.stages {
		names[i] = s.Name()
	}
	return names
}

// Run passes the entries through all stages. Warnings are recorded in the report of the
// context, see WithReport.
func (p *Pipeline) Run(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	if reportOf(ctx) == nil {
		ctx = WithReport(ctx, &Report{})
	}
	for _, s := range p.stages {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("failed to execute pipeline: %w", err)
		}
		next, err := s.Apply(ctx, entries)
		if err != nil {
			return nil, &Error{kind: "Internal", msg: "failed to execute pipeline",
				cause: &Error{kind: "Internal", msg: fmt.Sprintf("stage '%s' failed", s.Name()), cause: err}}
		}
		entries = next
	}
	return entries, nil
}

// Error is a failure of a stage or of a whole pipeline.
type Error struct {
	kind    string
	msg     string
	cause   error
	details map[string]any
}

// Error returns the message and the cause.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.msg
	}
	return e.msg + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Kind returns the kind of the error, such as "Invalid".
func (e *Error) Kind() string { return e.kind }

// Retryable returns false: the same input fails again.
func (e *Error) Retryable() (retryable, known bool) { return false, true }

// Details returns further facts, or nil.
func (e *Error) Details() map[string]any { return e.details }

func invalidf(format string, args ...any) *Error {
	return &Error{kind: "Invalid", msg: fmt.Sprintf(format, args...)}
}

func notFoundf(format string, args ...any) *Error {
	return &Error{kind: "NotFound", msg: fmt.Sprintf(format, args...)}
}
