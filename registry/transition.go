// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wippyrun/kit/registry/internal/pmap"
)

// transition takes the listeners from one state to the next. Its methods are called
// by one goroutine, which holds the right to change the registry.
type transition struct {
	r    *Registry
	ctx  context.Context // the caller's, marked with the transition
	path string          // only made when somebody is told
	exec executor

	mu      sync.Mutex // guards pending against listeners that were left behind
	pending *pmap.Builder[Entry]

	routes   *routes
	begun    []Transactor
	done     []applied
	finished atomic.Bool
}

// applied is an operation with the listeners that accepted it, in order.
type applied struct {
	op       Op
	accepted []Listener
}

type transitionKey struct{}

func (r *Registry) newTransition(ctx context.Context) *transition {
	r.txSeq++
	t := &transition{
		r:       r,
		exec:    executor{timeout: r.cfg.timeout},
		pending: pmap.NewBuilder(r.state.Load().entries),
		routes:  r.routes.Load(),
	}
	if r.cfg.publisher != nil {
		t.path = "registry.tx/" + strconv.FormatUint(r.txSeq, 10)
	}
	t.ctx = context.WithValue(ctx, transitionKey{}, t)
	return t
}

func current(ctx context.Context) *transition {
	t, _ := ctx.Value(transitionKey{}).(*transition)
	if t == nil || t.finished.Load() {
		return nil
	}
	return t
}

// Pending returns the state as changed so far by the change whose listener was called
// with ctx. It reports false outside of a change.
func Pending(ctx context.Context) (Snapshot, bool) {
	t := current(ctx)
	if t == nil {
		return Snapshot{}, false
	}
	t.mu.Lock()
	m := t.pending.Map()
	t.mu.Unlock()
	return Snapshot{r: t.r, s: &state{version: t.r.state.Load().version, entries: m}}, true
}

// begin asks the participants; an error ends the transition.
func (t *transition) begin() error {
	t.r.publish("registry.begin", t.path, nil)
	for i, p := range t.routes.parts {
		if err := t.exec.call(t.ctx, p.Begin); err != nil {
			return t.stepError("registry.begin", i, err)
		}
		t.begun = append(t.begun, p)
	}
	return nil
}

func (t *transition) vote() error {
	for i, p := range t.begun {
		if err := t.exec.call(t.ctx, p.Commit); err != nil {
			return t.stepError("registry.commit", i, err)
		}
	}
	return nil
}

func (t *transition) stepError(step string, accepted int, err error) error {
	if a, ok := err.(*abandoned); ok && t.ctx.Err() == nil {
		return retryable(KindTimeout, fmt.Sprintf("transaction handler timeout after %v for %s: accepted %d of %d",
			t.exec.timeout, step, accepted, len(t.routes.parts)), a.err)
	}
	return wrap(KindInvalid, "transaction rejected for "+step, err)
}

// abort undoes what was accepted and tells the participants. It goes on after errors
// and is not stopped by the end of the caller's context.
func (t *transition) abort() {
	t.ctx = context.WithoutCancel(t.ctx)
	for _, a := range slices.Backward(t.done) {
		inv, ok := a.op.inverse()
		if !ok {
			continue
		}
		for _, l := range slices.Backward(a.accepted) {
			if err := t.tell(l, inv); err != nil {
				t.r.cfg.logger.Error("registry: rollback failed", "entry", inv.Entry.ID.String(), "op", string(inv.Kind), "error", err)
			}
		}
		t.set(inv)
	}
	for _, p := range slices.Backward(t.begun) {
		if err := t.exec.call(t.ctx, p.Discard); err != nil {
			t.r.cfg.logger.Error("registry: discard failed", "participant", fmt.Sprintf("%T", p), "error", err)
		}
	}
	t.end()
	t.r.publish("registry.discard", t.path, nil)
}

func (t *transition) end() {
	t.finished.Store(true)
	t.exec.close()
}

// announce publishes a change that is durable and visible.
func (t *transition) announce() {
	for _, p := range t.begun {
		if f, ok := p.(Finisher); ok {
			err := guard(func() error { f.Committed(context.WithoutCancel(t.ctx)); return nil })
			if err != nil {
				t.r.cfg.logger.Error("registry: participant failed after the commit", "error", err)
			}
		}
	}
	t.end()
	if t.r.cfg.publisher != nil {
		for _, a := range t.done {
			if len(a.accepted) == 0 {
				continue
			}
			id := a.op.Entry.ID.String()
			t.r.publish(string(a.op.Kind), id, a.op.value())
			t.r.publish("entry.accept", id, nil)
		}
	}
	t.r.publish("registry.commit", t.path, nil)
	for _, o := range t.routes.observers {
		for _, a := range t.done {
			if !o.pattern.Match(a.op.value().Kind) {
				continue
			}
			if err := guard(func() error { o.observe(a.op); return nil }); err != nil {
				t.r.cfg.logger.Error("registry: observer failed", "entry", a.op.Entry.ID.String(), "error", err)
			}
		}
	}
}

func (t *transition) tell(l Listener, op Op) error {
	return t.exec.call(t.ctx, func(ctx context.Context) error {
		switch op.Kind {
		case Create:
			return l.Create(ctx, op.Entry)
		case Update:
			return l.Update(ctx, *op.Original, op.Entry)
		default:
			return l.Delete(ctx, *op.Original)
		}
	})
}

func (t *transition) set(op Op) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if op.Kind == Delete {
		t.pending.Delete(pmap.Key(op.Entry.ID))
	} else {
		t.pending.Put(op.Entry, keyOf)
	}
}

// validate checks the operation against the pending state and completes it with the
// original entry.
func (t *transition) validate(op *Op) error {
	id := op.Entry.ID
	old := t.pending.Get(pmap.Key(id))
	var err error
	switch {
	case op.Kind == Create && old != nil:
		err = &Error{kind: KindConflict, msg: "entry already exists", subject: id.braces(), retry: &no}
	case op.Kind == Create:
		op.Original = nil
		return nil
	case old == nil && op.Kind == Update:
		err = &Error{kind: KindNotFound, msg: "entry does not exist", subject: id.braces(), retry: &no}
	case old == nil:
		err = &Error{kind: KindNotFound, msg: "cannot delete non-existent entry", subject: id.braces(), retry: &no}
	case op.Kind == Update && op.Entry.Kind != "" && op.Entry.Kind != old.Kind:
		err = invalidf("cannot change entry kind from %s to %s for %s", old.Kind, op.Entry.Kind, id.braces())
	default:
		original := *old
		op.Original = &original
		op.Entry.Kind = old.Kind
		return nil
	}
	return wrap(KindInvalid, "invalid operation", err)
}

// one validates and performs one operation.
func (t *transition) one(op Op) error {
	if err := t.validate(&op); err != nil {
		return err
	}
	a := applied{op: op}
	kind := op.value().Kind
	if !t.r.internal(kind) {
		a.accepted = t.routes.forKind(kind)
		for i, l := range a.accepted {
			if err := t.tell(l, op); err != nil {
				t.takeBack(op, a.accepted[:i])
				return t.opError(op, err)
			}
		}
	}
	t.set(op)
	t.done = append(t.done, a)
	return nil
}

// takeBack undoes an operation that a later listener of the same kind rejected.
func (t *transition) takeBack(op Op, accepted []Listener) {
	inv, ok := op.inverse()
	if !ok {
		return
	}
	ctx := t.ctx
	t.ctx = context.WithoutCancel(ctx)
	defer func() { t.ctx = ctx }()
	for _, l := range slices.Backward(accepted) {
		if err := t.tell(l, inv); err != nil {
			t.r.cfg.logger.Error("registry: rollback failed", "entry", op.Entry.ID.String(), "error", err)
		}
	}
}

func (t *transition) opError(op Op, err error) error {
	kind := op.value().Kind
	if t.ctx.Err() != nil {
		return wrap(KindCanceled, fmt.Sprintf("operation context canceled for %s (%s)", op.Entry.ID, kind), err)
	}
	if a, ok := err.(*abandoned); ok {
		return retryable(KindTimeout, fmt.Sprintf("event handler timeout after %v for entry %s (kind: %s)",
			t.exec.timeout, op.Entry.ID, kind), a.err)
	}
	return err
}

// failure is an operation of a plan that could not be done.
type failure struct {
	index int
	err   error
}

// operate performs the plan. With all set it goes on after rejections and returns every
// failure; otherwise it returns the first. Operations that report NotFound are tried
// again as long as others succeed.
func (t *transition) operate(p plan, all bool) []failure {
	queue := make([]int, len(p.ops))
	for i := range queue {
		queue[i] = i
	}
	var failed []failure
	for {
		var waiting []failure
		progress := false
		for _, i := range queue {
			err := t.one(p.ops[i])
			switch {
			case err == nil:
				progress = true
			case t.ctx.Err() != nil:
				return []failure{{i, err}}
			case isNotFound(err):
				waiting = append(waiting, failure{i, err})
			default:
				t.r.publish("entry.reject", p.ops[i].Entry.ID.String(), err)
				failed = append(failed, failure{i, err})
				if !all {
					return failed
				}
			}
		}
		if len(waiting) == 0 || !progress {
			for _, w := range waiting {
				t.r.publish("entry.reject", p.ops[w.index].Entry.ID.String(), w.err)
			}
			return append(failed, waiting...)
		}
		queue = queue[:0]
		for _, w := range waiting {
			queue = append(queue, w.index)
		}
	}
}

// opFailure turns what operate returned into the error of a change.
func opFailure(p plan, failed []failure) error {
	var missing []string
	var causes []error
	for _, f := range failed {
		if !isNotFound(f.err) {
			if kindOf(f.err) == KindCanceled || kindOf(f.err) == KindTimeout {
				return f.err
			}
			return wrap(KindInvalid, "operation failed for entry "+p.ops[f.index].Entry.ID.String(), f.err)
		}
		missing = append(missing, p.ops[f.index].Entry.ID.String())
		causes = append(causes, f.err)
	}
	cause := causes[0]
	if len(causes) > 1 {
		cause = errors.Join(causes...)
	}
	return wrap(KindNotFound, "unresolved dependencies after retry: "+strings.Join(missing, ","), cause)
}
