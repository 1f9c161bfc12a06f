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
	// Guarded by life:
	state   state
	started []int // nodes to stop, in the order they started
	// What ends the contexts given to the components: endRun all those of Load, ends
	// those of one node that had to be bounded.
	endRun context.CancelCauseFunc
	ends   [][]context.CancelCauseFunc

	mu     sync.Mutex // guards report; taken for moments, also under life
	report Report
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
	l := &Loader{graph: g, state: isNew, ends: make([][]context.CancelCauseFunc, len(g.nodes))}
	for _, n := range g.nodes {
		l.report.Components = append(l.report.Components, Timing{Name: n.Name, Level: n.level})
	}
	return l, nil
}

// Plan returns the names of the components level by level, sorted inside a level.
func (l *Loader) Plan() [][]string { return l.graph.plan() }

// Report returns the times measured so far. It may be called at any time.
func (l *Loader) Report() Report {
	l.mu.Lock()
	r := l.report
	r.Components = slices.Clone(r.Components)
	r.Levels = slices.Clone(r.Levels)
	l.mu.Unlock()
	r.CriticalPath, r.CriticalTime = l.graph.criticalPath(r.Components)
	return r
}

// Load calls Load of every component, level by level, the components of a level at
// the same time, and returns a context with everything they attached. It can be
// called once.
//
// The first failure cancels the contexts of the calls in progress; Load waits for
// them (a call that does not end within five seconds is left behind), loads
// nothing more and returns the errors joined, each a [*ComponentError]. Errors that
// only echo the cancellation are left out. If ctx ends, its error is among them.
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
			return nil, err
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
	b := newBatch(len(row))
	contexts := make([]context.Context, len(row))
	for i, n := range row {
		c := &l.graph.nodes[n]
		ctx := given
		if c.Timeout > 0 {
			ctx = l.bounded(given, n)
		}
		contexts[i] = ctx
		if c.Load == nil {
			b.settle(outcome{index: i, at: b.started}, func(outcome) {})
			continue
		}
		b.run(i, c.Timeout, func() (context.Context, error) { return c.Load(ctx) })
	}
	layers := make([]context.Context, len(row))
	var errs []error
	b.wait(given, func(o outcome) {
		n := row[o.index]
		elapsed := o.at.Sub(b.started)
		l.note(func(r *Report) { r.Components[n].Load = elapsed })
		if o.err == nil {
			if o.ctx != contexts[o.index] {
				layers[o.index] = o.ctx
			}
			return
		}
		err := &ComponentError{Phase: PhaseLoad, Component: l.graph.nodes[n].Name, Elapsed: elapsed, Err: o.err}
		if len(errs) == 0 || !errors.Is(o.err, context.Canceled) {
			errs = append(errs, err)
		}
		l.endRun(err)
	})
	l.note(func(r *Report) { r.Levels = append(r.Levels, time.Since(b.started)) })
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return merge(given, layers), nil
}

// bounded returns a context for node n that the loader can end by itself.
func (l *Loader) bounded(parent context.Context, n int) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	l.ends[n] = append(l.ends[n], cancel)
	return ctx
}

// endNode ends the contexts that were made for node n.
func (l *Loader) endNode(n int, cause error) {
	for _, end := range l.ends[n] {
		end(cause)
	}
	l.ends[n] = nil
}

// Start calls Start of every component in the order of the plan, one after another.
// It can be called once, after Load.
//
// When a component fails, those that had started are stopped in reverse order and
// the error joins the failure, a [*ComponentError], with those of stopping. The
// components are stopped with a context that keeps ctx's values but not its
// cancellation; the time-outs of the components bound it.
func (l *Loader) Start(ctx context.Context) error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.state != isLoaded {
		return &StateError{Phase: PhaseStart, State: string(l.state)}
	}
	begun := time.Now()
	defer func() { l.note(func(r *Report) { r.Start = time.Since(begun) }) }()

	for n := range l.graph.nodes {
		err := context.Cause(ctx)
		if err == nil {
			err = l.startOne(ctx, n)
		}
		if err != nil {
			l.state = isFailed
			return errors.Join(err, l.stopStarted(context.WithoutCancel(ctx)))
		}
		l.started = append(l.started, n)
	}
	l.state = isStarted
	return nil
}

func (l *Loader) startOne(ctx context.Context, n int) error {
	c := &l.graph.nodes[n]
	if c.Start == nil {
		return nil
	}
	if c.Timeout > 0 {
		ctx = l.bounded(ctx, n)
	}
	elapsed, err := l.callOne(ctx, PhaseStart, c, c.Start)
	l.note(func(r *Report) { r.Components[n].Start = elapsed })
	if err != nil {
		l.endNode(n, err)
	}
	return err
}

// Stop calls Stop of every started component in the reverse order, one after
// another, whatever fails, and joins the errors, each a [*ComponentError]. When
// ctx has ended the rest are still called, with the ended context, and get a grace
// period of five seconds each.
//
// Stop does nothing, and returns nil, when nothing is started: before Start, after
// a failed one, and the second time.
func (l *Loader) Stop(ctx context.Context) error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.state == isStopped {
		return nil
	}
	begun := time.Now()
	defer func() { l.note(func(r *Report) { r.Stop = time.Since(begun) }) }()
	l.state = isStopped
	return l.stopStarted(ctx)
}

func (l *Loader) stopStarted(ctx context.Context) error {
	var errs []error
	for _, n := range slices.Backward(l.started) {
		errs = append(errs, l.stopOne(ctx, n))
	}
	l.started = nil
	for n := range l.graph.nodes {
		l.endNode(n, errStopped)
	}
	if l.endRun != nil {
		l.endRun(errStopped)
	}
	return errors.Join(errs...)
}

func (l *Loader) stopOne(ctx context.Context, n int) error {
	defer l.endNode(n, errStopped)
	c := &l.graph.nodes[n]
	if c.Stop == nil {
		return nil
	}
	if c.Timeout > 0 {
		ctx = l.bounded(ctx, n)
	}
	elapsed, err := l.callOne(ctx, PhaseStop, c, c.Stop)
	l.note(func(r *Report) { r.Components[n].Stop = elapsed })
	return err
}

// callOne makes one Start or Stop call and waits for its outcome.
func (l *Loader) callOne(ctx context.Context, phase Phase, c *node, f func(context.Context) error) (time.Duration, error) {
	b := newBatch(1)
	b.run(0, c.Timeout, func() (context.Context, error) { return nil, f(ctx) })
	var o outcome
	b.wait(ctx, func(done outcome) { o = done })
	elapsed := o.at.Sub(b.started)
	if o.err == nil {
		return elapsed, nil
	}
	return elapsed, &ComponentError{Phase: phase, Component: c.Name, Elapsed: elapsed, Err: o.err}
}

// note updates the report.
func (l *Loader) note(update func(*Report)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	update(&l.report)
}
