// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"slices"

	"github.com/wippyrun/kit/registry/internal/pmap"
)

// ApplyVersion takes the registry to another version of its history, forward or
// backward, in one transition. No new version is made; a later Apply makes one whose
// parent is v, next to the versions that came after v before.
func (r *Registry) ApplyVersion(ctx context.Context, v Version) error {
	if !r.keeps {
		return ErrRollbackDisabled
	}
	target, ok := r.tree.get(v.ID)
	if !ok {
		return &Error{kind: KindNotFound, msg: "version not found in history", subject: v.String(), retry: &no, cause: ErrVersionNotFound}
	}
	if err := r.acquire(ctx); err != nil {
		return err
	}
	defer r.release()
	st := r.state.Load()
	if st.version.ID == target.ID {
		return nil
	}
	steps, err := r.way(ctx, st, target)
	if err != nil {
		return err
	}
	ops := reconcile(st, steps)
	err = r.perform(ctx, r.cfg.extractor.order(ops, st.has), target, func(ctx context.Context, _ Changeset) error {
		if err := r.cfg.history.SetHead(ctx, target); err != nil {
			return retryable(KindUnavailable, "failed to set head version", err)
		}
		return nil
	})
	if err != nil {
		return &Error{kind: KindInternal, msg: "failed to apply version changes", cause: err, retry: retryOf(err)}
	}
	return nil
}

// way returns the changes on the way from a state to another version, one after the
// other, not squashed.
func (r *Registry) way(ctx context.Context, st *state, target Version) (Changeset, error) {
	leave, enter, err := r.steps(ctx, st.version, target)
	if err != nil {
		return nil, err
	}
	back, old := r.reversed(leave, st.base.last)
	settled, err := r.settle(ctx, st.base, target, old)
	if err != nil {
		return nil, err
	}
	return append(append(back, enter...), settled...), nil
}

// step is the changes that lead to one version.
type step struct {
	version uint64
	changes Changeset
}

// steps reads the changes between two versions: of those to leave, newest first, and of
// those to enter, in order.
func (r *Registry) steps(ctx context.Context, from, to Version) (leave []step, enter Changeset, err error) {
	left, entered, ok := r.tree.path(from.ID, to.ID)
	if !ok {
		return nil, nil, wrap(KindInternal, "failed to compute version path", versionNotFound(to.ID))
	}
	for _, id := range left {
		c, err := r.changeset(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		leave = append(leave, step{id, c})
	}
	for _, id := range entered {
		c, err := r.changeset(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		enter = append(enter, c...)
	}
	return leave, enter, nil
}

func (r *Registry) changeset(ctx context.Context, id uint64) (Changeset, error) {
	c, err := r.cfg.history.Changeset(ctx, id)
	if err != nil {
		return nil, retryable(KindUnavailable, "failed to get changeset", err)
	}
	return c, nil
}

// reversed undoes steps. old tells which entries the versions up to last have changed.
func (r *Registry) reversed(leave []step, last uint64) (back Changeset, old map[ID]bool) {
	for _, s := range leave {
		undo, skipped := s.changes.Reverse()
		for _, op := range skipped {
			r.cfg.logger.Warn("registry: operation cannot be reversed: no original", "version", s.version, "op", op.String())
		}
		back = append(back, undo...)
		if s.version > last {
			continue
		}
		if old == nil {
			old = map[ID]bool{}
		}
		for _, op := range s.changes {
			old[op.Entry.ID] = true
		}
	}
	return back, old
}

// settle returns what some entries are in the target version, by the newest change of
// each on the way down to the root, else by the baseline. It is needed for changes made
// before the baseline was loaded: the originals stored with them are what the files said
// at that time. It reads up to all versions below the target.
func (r *Registry) settle(ctx context.Context, base *baseline, target Version, open map[ID]bool) (Changeset, error) {
	var out Changeset
	for v := target; !v.IsRoot() && len(open) > 0; v, _ = r.tree.get(v.Parent) {
		c, err := r.changeset(ctx, v.ID)
		if err != nil {
			return nil, err
		}
		for _, op := range slices.Backward(c) {
			if open[op.Entry.ID] {
				delete(open, op.Entry.ID)
				out = append(out, op)
			}
		}
	}
	for _, id := range sortedIDs(open) {
		if e := base.entries.Get(pmap.Key(id)); e != nil {
			out = append(out, Op{Kind: Create, Entry: *e})
		} else {
			out = append(out, Op{Kind: Delete, Entry: Entry{ID: id}})
		}
	}
	return out, nil
}

// reconcile reduces changes to what really has to be done to the state: at most a
// delete and a create for one ID, nothing where the outcome equals what is there. The
// last change of an entry says what it shall be; whether that is a create, an update or a
// delete depends on the state, which may differ from what it was when the changes were
// recorded because the files were edited since. So the changes cannot be squashed: a
// create and a delete of an entry do not cancel out when a file has it by now.
func reconcile(st *state, steps Changeset) Changeset {
	var out Changeset
	done := make(map[ID]bool, len(steps))
	for _, op := range slices.Backward(steps) {
		if done[op.Entry.ID] {
			continue
		}
		done[op.Entry.ID] = true
		old := st.entries.Get(pmap.Key(op.Entry.ID))
		switch {
		case op.Kind == Delete:
			if old != nil {
				out = append(out, deleteOp(old))
			}
		case old == nil:
			out = append(out, Op{Kind: Create, Entry: op.Entry})
		case old.Kind != op.Entry.Kind:
			out = append(out, deleteOp(old), Op{Kind: Create, Entry: op.Entry})
		case !old.Equal(op.Entry):
			out = append(out, Op{Kind: Update, Entry: op.Entry, Original: old})
		}
	}
	return out
}

// replay applies changes to a map without asking anybody.
func replay(m pmap.Map[Entry], c Changeset) pmap.Map[Entry] {
	b := pmap.NewBuilder(m)
	for _, op := range c {
		if op.Kind == Delete {
			b.Delete(pmap.Key(op.Entry.ID))
		} else {
			b.Put(op.Entry, keyOf)
		}
	}
	return b.Map()
}

// SnapshotAt returns the state of another version, without changing anything. It
// costs the changesets between the present version and that one, and those down to the
// root when the way back leads over versions made before the entries were loaded.
func (r *Registry) SnapshotAt(v Version) (Snapshot, error) {
	st := r.state.Load()
	if v.ID == st.version.ID {
		return Snapshot{r: r, s: st}, nil
	}
	if !r.keeps {
		return Snapshot{}, ErrHistoryDisabled
	}
	target, ok := r.tree.get(v.ID)
	if !ok {
		return Snapshot{}, versionNotFound(v.ID)
	}
	steps, err := r.way(context.Background(), st, target)
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{r: r, s: &state{version: target, entries: replay(st.entries, steps)}}, nil
}
