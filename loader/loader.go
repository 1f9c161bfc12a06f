// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Loader takes one set of components through one life: Load, Start, Stop. Make it
// with [New]. Its methods may be called concurrently; Load, Start and Stop wait
// for each other.
type Loader struct {
	graph *graph // immutable

	life sync.Mutex // held for the whole of Load, Start and Stop
	// Guarded by life. While calls are in progress their batch guards it: life is
	// held by the goroutine that waits for the batch.
	state state
	nodes []progress // by node of the graph
	// endRun ends all contexts given to Load.
	endRun context.CancelCauseFunc

	mu     sync.Mutex  // guards the rest; taken for moments, also under the above
	report Report      // what was measured, without what is computed from it
	began  []time.Time // by node; when the call that is Running began
}

// progress is how far a component got.
type progress struct {
	up   bool                      // Stop has something to undo
	ends []context.CancelCauseFunc // of the contexts given to the component
}

// state is the stage of a Loader's life; its text appears in StateError.
type state string

const (
	isNew     state = "new"
	isLoaded  state = "loaded"
	isStarted state = "started"
	isStopped state = "stopped"
	isFailed  state = "failed"
)

// errStopped is the cause of the end of a component's context after its Stop.
var errStopped = errors.New("loader: component stopped")

// New checks the components and arranges them into levels. The error, if any, is a
// [*GraphError] that holds every problem of the graph. The order of the arguments
// does not matter; they are copied.
func New(components ...Component) (*Loader, error) {
	g, err := newGraph(components)
	if err != nil {
		return nil, err
	}
	n := len(g.nodes)
	l := &Loader{graph: g, state: isNew, nodes: make([]progress, n), began: make([]time.Time, n)}
	l.report.Components = make([]Timing, n)
	ends := make([]context.CancelCauseFunc, n*maxEnds)
	for i := range g.nodes {
		l.report.Components[i] = Timing{Name: g.nodes[i].Name, Level: g.nodes[i].level}
		l.nodes[i].ends, ends = ends[:0:maxEnds], ends[maxEnds:]
	}
	return l, nil
}

// maxEnds is how many contexts a component is given: one per function.
const maxEnds = 3

// Plan returns the names of the components level by level, sorted inside a level.
func (l *Loader) Plan() [][]string { return l.graph.plan() }

// Load calls Load of every component, level by level, the components of a level at
// the same time, and returns a context with everything they attached. It can be
// called once.
//
// The first failure ends the contexts of all components; Load waits for the calls in
// progress (one that does not end within five seconds is left behind), loads
// nothing more, stops the components that are up, in reverse order as
// [Loader.Start] does, and returns the errors joined, each a [*ComponentError].
// Errors that only echo the first are left out. If ctx ends, the cause of its end is
// among them.
func (l *Loader) Load(ctx context.Context) (context.Context, error) {
	l.life.Lock()
	defer l.life.Unlock()
	if l.state != isNew {
		return nil, &StateError{Phase: PhaseLoad, State: string(l.state)}
	}
	l.state = isFailed // until proven otherwise

	begun := time.Now()
	defer func() { l.note(func(r *Report) { r.Load = time.Since(begun) }) }()

	// Each level is given values on top of ctx, under the cancellation of run. For
	// the result the same values stand on ctx itself.
	run, endRun := context.WithCancelCause(ctx)
	l.endRun = endRun
	given := run
	for _, row := range l.graph.levels {
		err := context.Cause(ctx)
		if err == nil {
			given, err = l.loadLevel(given, row)
		}
		if err != nil {
			endRun(err)
			return nil, errors.Join(withCause(err, ctx), l.stopAll(context.WithoutCancel(ctx)))
		}
	}
	l.state = isLoaded
	if given == run {
		return ctx, nil
	}
	return &merged{Context: ctx, layers: []context.Context{given}}, nil
}

// loadLevel loads the components of one level and returns the context for the next.
func (l *Loader) loadLevel(given context.Context, row []int) (context.Context, error) {
	begun := time.Now()
	var nodes []int // those that have something to do
	for _, n := range row {
		if l.graph.nodes[n].Load != nil {
			nodes = append(nodes, n)
		} else {
			l.nodes[n].up = l.graph.nodes[n].Start == nil
		}
	}
	contexts := make([]context.Context, len(nodes)) // what each was given
	layers := make([]context.Context, len(nodes))   // what each put on top
	var errs []error
	b := batch{
		begin: func(i int, now time.Time) (context.Context, time.Duration) {
			contexts[i] = l.begin(given, nodes[i], PhaseLoad, now)
			return contexts[i], l.graph.nodes[nodes[i]].Timeout
		},
		call: func(i int, ctx context.Context) (context.Context, error) {
			return l.graph.nodes[nodes[i]].Load(ctx)
		},
		end: func(i int, o outcome) bool {
			err := l.end(nodes[i], PhaseLoad, o)
			switch {
			case err == nil:
				l.nodes[nodes[i]].up = l.graph.nodes[nodes[i]].Start == nil
				if o.ctx != contexts[i] {
					layers[i] = o.ctx
				}
			case len(errs) == 0 || !echoes(o.err, errs[0]):
				errs = append(errs, err)
				l.endRun(err)
			}
			return true
		},
	}
	b.together(given, len(nodes))
	l.note(func(r *Report) { r.Levels = append(r.Levels, time.Since(begun)) })
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return merge(given, layers), nil
}

// echoes reports whether err says no more than that first ended the context.
func echoes(err, first error) bool {
	if _, panicked := errors.AsType[*PanicError](err); panicked {
		return false
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, first)
}

// withCause adds the cause of the end of ctx, if it has ended, to an error that does
// not tell it.
func withCause(err error, ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return errors.Join(err, cause)
	}
	return err
}

// Start calls Start of every component in the order of the plan, one after another.
// It can be called once, after Load.
//
// When a component fails, those that are up are stopped in reverse order, and the
// error joins the failure, a [*ComponentError], with those of stopping. Up are the
// components whose Start succeeded and those that have none. They are stopped with a
// context that keeps ctx's values but not its cancellation; the time-outs of the
// components bound it. If ctx ends, no further component is started, and the cause
// of its end is in the error.
func (l *Loader) Start(ctx context.Context) error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.state != isLoaded {
		return &StateError{Phase: PhaseStart, State: string(l.state)}
	}
	begun := time.Now()
	defer func() { l.note(func(r *Report) { r.Start = time.Since(begun) }) }()

	if err := l.startAll(ctx); err != nil {
		l.state = isFailed
		return errors.Join(withCause(err, ctx), l.stopAll(context.WithoutCancel(ctx)))
	}
	l.state = isStarted
	return nil
}

func (l *Loader) startAll(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var nodes []int
	for n := range l.graph.nodes {
		if l.graph.nodes[n].Start != nil {
			nodes = append(nodes, n)
		}
	}
	var failure error
	b := batch{
		begin: func(i int, now time.Time) (context.Context, time.Duration) {
			return l.begin(ctx, nodes[i], PhaseStart, now), l.graph.nodes[nodes[i]].Timeout
		},
		call: func(i int, ctx context.Context) (context.Context, error) {
			return nil, l.graph.nodes[nodes[i]].Start(ctx)
		},
		end: func(i int, o outcome) bool {
			if failure = l.end(nodes[i], PhaseStart, o); failure != nil {
				l.endNode(nodes[i], failure)
				return false
			}
			l.nodes[nodes[i]].up = true
			if i+1 < len(nodes) {
				failure = context.Cause(ctx)
			}
			return failure == nil
		},
	}
	b.inTurn(ctx, len(nodes))
	return failure
}

// Stop calls Stop of every component that is up in the reverse order, one after
// another, whatever fails, and joins the errors, each a [*ComponentError]. When
// ctx has ended the rest are still called, with the ended context, and get a grace
// period of five seconds each.
//
// Up is what Start says; after Load and before Start it is every component that has
// no Start. Stop does nothing, and returns nil, when nothing is up: before Load,
// after a failure, and the second time.
func (l *Loader) Stop(ctx context.Context) error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.state == isStopped {
		return nil
	}
	begun := time.Now()
	defer func() { l.note(func(r *Report) { r.Stop = time.Since(begun) }) }()
	l.state = isStopped
	return l.stopAll(ctx)
}

// stopAll stops what is up and ends the contexts of the components, each after its
// Stop, in the reverse order of the plan.
func (l *Loader) stopAll(ctx context.Context) error {
	stops := func(n int) bool { return l.nodes[n].up && l.graph.nodes[n].Stop != nil }
	var nodes []int // those with something to do
	for n := range slices.Backward(l.graph.nodes) {
		if stops(n) || len(l.nodes[n].ends) > 0 {
			nodes = append(nodes, n)
		}
	}
	var errs []error
	b := batch{
		begin: func(i int, now time.Time) (context.Context, time.Duration) {
			if n := nodes[i]; stops(n) {
				return l.begin(ctx, n, PhaseStop, now), l.graph.nodes[n].Timeout
			}
			return nil, 0
		},
		call: func(i int, ctx context.Context) (context.Context, error) {
			if ctx == nil {
				return nil, nil
			}
			return nil, l.graph.nodes[nodes[i]].Stop(ctx)
		},
		end: func(i int, o outcome) bool {
			n := nodes[i]
			if stops(n) {
				errs = append(errs, l.end(n, PhaseStop, o))
				l.nodes[n].up = false
			}
			l.endNode(n, errStopped)
			return true
		},
	}
	b.inTurn(ctx, len(nodes))
	if l.endRun != nil {
		l.endRun(errStopped)
	}
	return errors.Join(errs...)
}

// begin notes that a call into node n begins and returns the context for it, which
// lives until endNode.
func (l *Loader) begin(parent context.Context, n int, phase Phase, now time.Time) context.Context {
	ctx, end := context.WithCancelCause(parent)
	l.nodes[n].ends = append(l.nodes[n].ends, end)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.Components[n].Running = phase
	l.began[n] = now
	return ctx
}

// end notes the end of that call. Its error is nil or a *ComponentError.
func (l *Loader) end(n int, phase Phase, o outcome) error {
	l.mu.Lock()
	l.report.Components[n].Running = ""
	*l.report.Components[n].of(phase) = o.elapsed
	l.mu.Unlock()
	if o.err == nil {
		return nil
	}
	return &ComponentError{Phase: phase, Component: l.graph.nodes[n].Name, Elapsed: o.elapsed, Err: o.err}
}

// endNode ends the contexts that were made for node n.
func (l *Loader) endNode(n int, cause error) {
	for _, end := range l.nodes[n].ends {
		end(cause)
	}
	l.nodes[n].ends = nil
}
