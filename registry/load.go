// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"slices"

	"github.com/wippyrun/kit/registry/internal/pmap"
)

// LoadState brings the registry to the given entries plus the changes its history
// holds from version 0 to its head, in one transition. It makes no version. Of several
// entries with one ID the last counts. The registry takes ownership of the entries.
//
// All entries are tried before it gives up: the error wraps one *EntryError for each
// entry that is wrong (see EntryErrors), with position and hint where known. An entry
// that merely could not find another one that failed is not reported. When an error is
// returned nothing has changed.
func (r *Registry) LoadState(ctx context.Context, entries []Entry) error {
	if err := r.acquire(ctx); err != nil {
		return loadError(err)
	}
	defer r.release()
	base, errs := entriesMap(entries)
	st := r.state.Load()
	next := base
	if r.keeps {
		_, enter, err := r.steps(ctx, Version{}, st.version)
		if err != nil {
			return loadError(err)
		}
		next = replay(base, enter)
	}
	var ops Changeset
	pmap.Diff(st.entries, next, func(_ pmap.Key, old, e *Entry) {
		switch {
		case e == nil:
			ops = append(ops, deleteOp(old))
		case old == nil:
			ops = append(ops, Op{Kind: Create, Entry: *e})
		case old.Kind != e.Kind:
			ops = append(ops, deleteOp(old), Op{Kind: Create, Entry: *e})
		case !old.Equal(*e):
			ops = append(ops, Op{Kind: Update, Entry: *e, Original: old})
		}
	})
	p := r.cfg.extractor.order(ops, st.has)
	errs = append(errs, r.cycleErrors(p, next)...)
	target := &state{version: st.version, entries: next, base: &baseline{entries: base, last: r.tree.nextID() - 1}}
	if err := r.activate(ctx, p, target, errs); err != nil {
		return loadError(err)
	}
	return nil
}

func loadError(err error) error {
	return &Error{kind: KindInternal, msg: "failed to load state", cause: err, retry: retryOf(err)}
}

// entriesMap puts the entries in a map and reports those that are no entries.
func entriesMap(entries []Entry) (pmap.Map[Entry], []error) {
	var errs []error
	b := pmap.NewBuilder(pmap.Map[Entry]{})
	for _, e := range entries {
		var err error
		switch {
		case e.ID.Name == "":
			err = invalidf("the entry has no name")
		case e.Kind == "":
			err = invalidf("the entry has no kind")
		case !isNormal(e.Data, 0) || !isNormal(mapOrNil(e.Meta), 0):
			err = e.normalize()
		}
		if err != nil {
			errs = append(errs, &EntryError{ID: e.ID, Position: e.Position(""), Err: err})
			continue
		}
		b.Put(e, keyOf)
	}
	return b.Map(), errs
}

func (r *Registry) cycleErrors(p plan, m pmap.Map[Entry]) []error {
	var errs []error
	for _, cycle := range p.cycles {
		if r.cfg.allowCycle {
			r.cfg.logger.Warn("registry: entries depend on each other", "cycle", cycleText(cycle))
			continue
		}
		e := &EntryError{ID: cycle[0], Err: invalidf("dependency cycle: %s", cycleText(cycle)),
			Hint: "remove one of these references"}
		if at := m.Get(pmap.Key(cycle[0])); at != nil {
			e.Position = at.Position("")
		}
		errs = append(errs, e)
	}
	return errs
}

// activate runs the transition of LoadState to the target. errs are the problems found so
// far: the listeners are asked all the same, so that everything is reported at once.
func (r *Registry) activate(ctx context.Context, p plan, target *state, errs []error) error {
	unknown := r.unknownKinds(p.ops)
	errs = append(errs, unknown...)
	bad := map[ID]bool{}
	for _, err := range unknown {
		bad[err.(*EntryError).ID] = true
	}
	if !r.cfg.allowCycle {
		for _, cycle := range p.cycles { // what its members lack is each other: said once
			for _, id := range cycle {
				bad[id] = true
			}
		}
	}
	t := r.newTransition(ctx)
	if err := t.begin(); err != nil {
		t.abort()
		return errors.Join(append(errs, err)...)
	}
	known, failedAlready := p.without(bad)
	failed := t.operate(known, true)
	if err := ctx.Err(); err != nil {
		t.abort()
		return errors.Join(append(errs, wrap(KindCanceled, "loading canceled", err))...)
	}
	errs = append(errs, loadFailures(known, failed, failedAlready)...)
	if len(errs) == 0 {
		if err := t.vote(); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		t.abort()
		hintHistory(errs, target.version)
		slices.SortStableFunc(errs, comparePositions)
		return errors.Join(errs...)
	}
	// The target holds what the listeners have accepted and shares its structure with
	// the baseline.
	r.store(target.version, target.entries, target.base)
	r.watch.notify(target.version, t.changes())
	t.announce()
	return nil
}

// hintHistory tells where an entry without a file comes from.
func hintHistory(errs []error, v Version) {
	for _, err := range errs {
		if e, ok := err.(*EntryError); ok && e.Position == "" && e.Hint == "" && !v.IsRoot() {
			e.Hint = "not from a file: it was made at run time and is kept in the history"
		}
	}
}

// without returns the plan without the operations on the given entries, and which of
// the operations left depend on them.
func (p plan) without(bad map[ID]bool) (plan, map[int]bool) {
	if len(bad) == 0 {
		return p, nil
	}
	place := make([]int32, len(p.ops))
	out := plan{}
	for i, op := range p.ops {
		place[i] = -1
		if !bad[op.Entry.ID] {
			place[i] = int32(len(out.ops))
			out.ops = append(out.ops, op)
		}
	}
	out.users = make([][]int32, len(out.ops))
	affected := map[int]bool{}
	for i, users := range p.users {
		for _, u := range users {
			switch {
			case place[u] < 0:
			case place[i] < 0:
				affected[int(place[u])] = true
			default:
				out.users[place[i]] = append(out.users[place[i]], place[u])
			}
		}
	}
	return out, affected
}

// loadFailures turns failures into entry errors. A NotFound of an entry that depends on
// one that failed says nothing new and is dropped; another error of such an entry is
// kept with a hint.
func loadFailures(p plan, failed []failure, affected map[int]bool) []error {
	if affected == nil {
		affected = map[int]bool{}
	}
	for _, f := range failed {
		for _, u := range p.users[f.index] {
			affected[int(u)] = true
		}
	}
	for i := range p.ops { // users come later in the plan, so one pass closes the set
		if affected[i] {
			for _, u := range p.users[i] {
				affected[int(u)] = true
			}
		}
	}
	var errs []error
	for _, f := range failed {
		e := p.ops[f.index].Entry
		ee := &EntryError{ID: e.ID, Position: positionOf(e, f.err), Err: f.err}
		if affected[f.index] {
			ee.Hint = "an entry it depends on failed as well"
			if isNotFound(f.err) {
				continue
			}
		}
		errs = append(errs, ee)
	}
	return errs
}

// positionOf uses the field an error speaks about, if it says so: listeners may return
// errors with a method Field() string that returns a path such as "data.pool.size".
func positionOf(e Entry, err error) string {
	field := ""
	walkErrors(err, func(err error) bool {
		if f, ok := err.(interface{ Field() string }); ok && field == "" {
			field = f.Field()
		}
		return field == ""
	})
	return e.Position(field)
}

func comparePositions(a, b error) int {
	x, ok := a.(*EntryError)
	y, ok2 := b.(*EntryError)
	if !ok || !ok2 {
		return 0
	}
	return x.compare(y)
}

// isNormal reports whether v already is in the form NormalizeValue returns.
func isNormal(v any, depth int) bool {
	switch v := v.(type) {
	case nil, string, bool:
		return true
	case float64:
		return v-v == 0 // neither NaN nor infinite
	case map[string]any:
		for _, x := range v {
			if depth > maxValueDepth || !isNormal(x, depth+1) {
				return false
			}
		}
		return true
	case []any:
		for _, x := range v {
			if depth > maxValueDepth || !isNormal(x, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}
