// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/wippyrun/kit/registry"
)

// Stage transforms entries. Apply must not change the slice or the entries it is given;
// it returns the slice itself when nothing changes.
//
// With an error Apply may return entries as well: what it could make in spite of the
// error. The pipeline then fails, but asks the other stages first, so that what they find
// is reported too. With an error and no entries the pipeline ends at once, which is right
// when the stages that follow would find problems that are not there.
type Stage interface {
	Name() string
	Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error)
}

// Func is a stage made of a function.
func Func(name string, apply func(context.Context, []registry.Entry) ([]registry.Entry, error)) Stage {
	return &funcStage{name, apply}
}

type funcStage struct {
	name  string
	apply func(context.Context, []registry.Entry) ([]registry.Entry, error)
}

func (s *funcStage) Name() string { return s.name }

func (s *funcStage) Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	return s.apply(ctx, entries)
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
// context, see WithReport. The error names every stage that failed, see Failures; a stage
// that failed and occurs again is not asked again.
func (p *Pipeline) Run(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	if reportOf(ctx) == nil {
		ctx = WithReport(ctx, &Report{})
	}
	var broken []Stage
	var failed []error
	for _, s := range p.stages {
		if err := ctx.Err(); err != nil {
			failed = append(failed, err)
			break
		}
		if slices.ContainsFunc(broken, func(b Stage) bool { return same(b, s) }) {
			continue
		}
		next, err := s.Apply(ctx, entries)
		if err != nil {
			failed = append(failed, &Error{kind: "Internal", stage: s.Name(), msg: fmt.Sprintf("stage '%s' failed", s.Name()), cause: err})
			broken = append(broken, s)
			if next == nil {
				break
			}
		}
		entries = next
	}
	switch len(failed) {
	case 0:
		return entries, nil
	case 1:
		return nil, &Error{kind: "Internal", msg: "failed to execute pipeline", cause: failed[0]}
	}
	return nil, &Error{kind: "Internal", msg: "failed to execute pipeline", cause: errors.Join(failed...)}
}

// same reports whether two stages are one; those of a type that cannot be compared never
// are.
func same(a, b Stage) bool {
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}
