// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"strings"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/evalrunner"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/frames"
)

// evaluations runs source that programs make, shut in.
func (r *Runtime) evaluations() *evalrunner.Runner {
	return evalrunner.New(evalrunner.Config{
		Allowed: r.allow,
		Library: r.library,
		Prepare: func(p *engine.Process, values map[string]any) (evalrunner.Setting, error) {
			frame := frames.Fork(access.Frame(p))
			if err := frames.Add(frame, values); err != nil {
				return evalrunner.Setting{}, err
			}
			return evalrunner.Setting{
				Process: engine.ProcessOptions{PID: p.PID(), Value: frame},
				Context: appctx.WithFrame(r.ctx, frame),
				Release: func() {
					if err := frame.Release(); err != nil {
						r.log.Warn("a resource of an evaluation did not close", "error", err)
					}
				},
			}, nil
		},
		Submit: func(ctx context.Context, p scheduler.Process, done func(result any, err error)) (func(), error) {
			near := scheduler.RefFrom(ctx)
			ref, err := near.Scheduler().Submit(r.ctx, p, scheduler.SubmitOptions{Value: evaluation{done}, Near: near})
			if err != nil {
				return nil, err
			}
			return ref.Cancel, nil
		},
		Engine: []engine.Option{
			engine.WithMaxProcess(processMemory()),
			engine.WithPrinter(func(p *engine.Process, location, text string) {
				r.log.Info(text, "pid", p.PID().String(), "location", location)
			}),
		},
	})
}

// evaluation is the process of one evaluation: nobody but its caller knows of it. It is
// a proctable.Resident.
type evaluation struct{ done func(result any, err error) }

// Started accepts it.
func (evaluation) Started(context.Context, *scheduler.Ref) error { return nil }

// Ended answers the caller.
func (e evaluation) Ended(result any, err error) { e.done(result, err) }

// Stopping leaves it alone: it ends with its caller.
func (evaluation) Stopping(*scheduler.Ref) {}

// library finds a library entry for an evaluation.
func (r *Runtime) library(_ *engine.Process, id string) (evalrunner.Library, error) {
	e, ok := KeyRegistry.MustGet(r.dict).Snapshot().Get(registry.ParseID(id))
	if !ok || !strings.HasPrefix(e.Kind, "library.") {
		return evalrunner.Library{}, fault.New(fault.NotFound, "no library "+id)
	}
	data, _ := e.Data.(map[string]any)
	l := evalrunner.Library{ID: id, Imports: map[string]string{}}
	l.Source, _ = data["source"].(string)
	imports, _ := data["imports"].(map[string]any)
	for alias, target := range imports {
		if name, ok := target.(string); ok {
			l.Imports[alias] = e.ID.Resolve(name).String()
		}
	}
	return l, nil
}
