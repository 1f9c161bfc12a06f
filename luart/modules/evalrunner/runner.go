// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Config ties a Runner to its host. Functions are called on the worker that runs the calling process, within the
// process or, Prepare and Submit, between two of its steps. They must not block.
type Config struct {
	// Allowed decides about eval.compile, eval.run, eval.module, eval.import and eval.class. meta has the entry id of
	// the caller, and the alias of an import. nil allows everything.
	Allowed func(p *engine.Process, action, resource string, meta map[string]any) bool
	// Library returns a library entry. nil knows none.
	Library func(p *engine.Process, id string) (Library, error)
	// Prepare says what the process of an evaluation is made with. values are what the module ctx must know in it, in
	// the place of the caller's or above them. nil makes a process without address or frame, where values are lost.
	Prepare func(p *engine.Process, values map[string]any) (Setting, error)
	// Submit runs a process beside the one that ctx belongs to, and calls done when it has ended. nil submits it to
	// the scheduler of that process, which must have no use for SubmitOptions.Value.
	Submit func(ctx context.Context, p scheduler.Process, done func(result any, err error)) (cancel func(), err error)
	// Yields decides whether source with these modules may wait for a command. nil allows those it can issue: it can
	// only do so through the modules it has.
	Yields func(modules []string, cmd dispatch.Command) bool
	// Engine are options of the engine that evaluations run on: limits, the printer.
	Engine []engine.Option
	// CacheSize is how many compiled sources are kept, 256 by default; less than 0 keeps none. Sources with imports or
	// custom modules are not kept.
	CacheSize int
	// CacheTTL is how long a compiled source is kept, 0 for as long as there is room.
	CacheTTL time.Duration

	_ struct{}
}

// Library is a library entry.
type Library struct {
	// ID is the entry id.
	ID string
	// Source is its text.
	Source string
	// Imports are the entry ids of other libraries, by alias. Their modules are those of the evaluation, too: what an
	// entry lists for itself is not granted.
	Imports map[string]string
}

// Setting is what the process of an evaluation is made with.
type Setting struct {
	// Process are the options of the process; Program and Instance are not used.
	Process engine.ProcessOptions
	// Context holds the values that the process finds in its context; nil takes the caller's.
	Context context.Context
	// Reachable says that messages can reach the process: then one that waits for nothing else is not idle.
	Reachable bool
	// Release is called once, on any worker, when the process has ended or could not be begun. It may be nil.
	Release func()
}

const moduleName = "eval_runner"

// runID is the command that runs an evaluation; its outcome is the result of the process.
const runID dispatch.CommandID = 171

// Runner makes the module and carries out its command.
type Runner struct {
	config Config
	cache  *cache

	main atomic.Pointer[engine.Engine] // set when the module is registered

	mu      sync.Mutex // guards what follows
	sandbox *sandbox   // made with the first use, when all modules are registered
}

// New makes a runner for one engine.
func New(c Config) *Runner {
	return &Runner{config: c, cache: newCache(c.CacheSize, c.CacheTTL)}
}

// Module returns the Lua module `eval_runner`. run yields; it needs the handler that Register adds.
func (r *Runner) Module() engine.Module {
	return engine.Module{
		Name:    moduleName,
		Classes: []string{"process", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			r.main.Store(b.Engine())
			b.Call(take)
			programs := b.Type("Program", programMethods, nil)
			b.Func("compile", func(L *lua.LState) int { return r.compile(L, programs) })
			b.Func("run", r.run)
			return nil
		},
	}
}

// command runs an evaluation.
type command struct {
	caller  *engine.Process
	request *request
	linked  *linked
	cancel  func() // ends the evaluation; set by the handler
}

// CommandID identifies the command.
func (*command) CommandID() dispatch.CommandID { return runID }

// Cancel ends the evaluation because its caller has ended. It implements dispatch.Canceler.
func (c *command) Cancel() { c.cancel() }

// Register adds the handler of the module's command. No goroutine waits for an evaluation.
func (r *Runner) Register(d *dispatch.Registry) {
	submit := r.config.Submit
	if submit == nil {
		submit = submitNear
	}
	d.Register(moduleName, runID, dispatch.HandlerFunc(
		func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, to dispatch.Receiver) error {
			c := cmd.(*command)
			e, values, err := r.evaluation(c)
			if err != nil {
				return failure("failed to create process: ", err)
			}
			if values != nil {
				ctx = contexts{ctx, values}
			}
			if c.cancel, err = submit(ctx, e, func(result any, err error) { to.CompleteYield(tag, result, err) }); err != nil {
				e.Close()
				return failure("failed to create process: ", err)
			}
			return nil
		}))
}

// contexts is a context with the values of another one.
type contexts struct {
	context.Context
	values context.Context
}

// Value implements context.Context.
func (c contexts) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

var errScheduler = errors.New("eval_runner: the caller runs on no scheduler")

// submitNear runs a process on the worker that carries out the command: its caller waits for it.
func submitNear(ctx context.Context, p scheduler.Process, done func(result any, err error)) (func(), error) {
	near := scheduler.RefFrom(ctx)
	if near == nil {
		return nil, errScheduler
	}
	ref, err := near.Scheduler().Submit(ctx, p, scheduler.SubmitOptions{Near: near, OnExit: done})
	if err != nil {
		return nil, err
	}
	// An error says that the evaluation has ended already.
	return func() { _ = ref.Terminate() }, nil
}

// failure makes the error of a call that fails: always Internal, the text begins with what was being done. The details
// of the cause are kept.
func failure(prefix string, cause error) *engine.Error {
	e := engine.NewError(engine.KindInternal, prefix+cause.Error()).WithCause(cause)
	for key, value := range engine.WrapError(cause).Details() {
		e = e.With(key, value)
	}
	return e
}
