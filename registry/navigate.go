// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"

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
	steps, err := r.steps(ctx, st.version, target)
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

// steps returns the changes on the way from one version to another, one after the
// other, not squashed.
func (r *Registry) steps(ctx context.Context, from, to Version) (Changeset, error) {
	leave, enter, ok := r.tree.path(from.ID, to.ID)
	if !ok {
		return nil, wrap(KindInternal, "failed to compute version path", versionNotFound(to.ID))
	}
	var out Changeset
	for _, id := range leave {
		c, err := r.cfg.history.Changeset(ctx, id)
		if err != nil {
			return nil, retryable(KindUnavailable, "failed to get changeset", err)
		}
		back, skipped := c.Reverse()
		for _, op := range skipped {
			r.cfg.logger.Warn("registry: operation cannot be reversed: no original", "version", id, "op", op.String())
		}
		out = append(out, back...)
	}
	for _, id := range enter {
		c, err := r.cfg.history.Changeset(ctx, id)
		if err != nil {
			return nil, retryable(KindUnavailable, "failed to get changeset", err)
		}
		out = append(out, c...)
	}
	return out, nil
}

// reconcile reduces changes to what really has to be done to the state: at most a
// delete and a create for one ID, nothing where the outcome equals what is there. The
// changes say what an entry shall be; whether that is a create or an update depends on
// the state, which may differ from what it was when the changes were recorded because
// the files were edited since.
func reconcile(st *state, steps Changeset) Changeset {
	var out Changeset
	for _, op := range steps.Squash() {
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
			b.Set(pmap.Key(op.Entry.ID), op.Entry)
		}
	}
	return b.Map()
}

// SnapshotAt returns the state of another version, without changing anything. It
// costs the changesets between the present version and that one.
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
	steps, err := r.steps(context.Background(), st.version, target)
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{r: r, s: &state{version: target, entries: replay(st.entries, steps)}}, nil
}
