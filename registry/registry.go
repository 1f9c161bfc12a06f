// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/wippyrun/kit/registry/internal/pmap"
)

// Registry is a versioned store of entries. All methods may be called concurrently:
// readers never wait, changes are made one at a time. Use New.
type Registry struct {
	cfg    config
	kinds  kindSet
	state  atomic.Pointer[state] // written by the holder of turn
	routes atomic.Pointer[routes]
	tree   *versionTree
	watch  watchers
	finder *finder

	turn   chan struct{} // holds one token: the right to change the registry
	closed bool          // guarded by turn
	txSeq  uint64        // guarded by turn
	seq    uint64        // states made so far; guarded by turn
	keeps  bool          // history can list versions; set in New
}

// New returns a registry without entries, at the head of its history. Load the entries
// with LoadState before the first change. Close it to release the history.
func New(opts ...Option) (*Registry, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	r := &Registry{
		cfg: cfg, kinds: newKindSet(cfg.internal), tree: newVersionTree(),
		turn: make(chan struct{}, 1), keeps: true,
		finder: newFinder(cfg),
	}
	r.routes.Store(&routes{})
	ctx := context.Background()
	records, err := cfg.history.Records(ctx)
	if errors.Is(err, ErrHistoryDisabled) {
		r.keeps = false
	} else if err != nil {
		return nil, retryable(KindUnavailable, "failed to get versions from history", err)
	}
	for _, rec := range records {
		r.tree.add(rec.Version)
	}
	head, err := cfg.history.Head(ctx)
	if err != nil {
		return nil, retryable(KindUnavailable, "failed to get head from history", err)
	}
	r.tree.issue(head.ID)
	r.store(head, pmap.Map[Entry]{}, &baseline{last: r.tree.nextID() - 1})
	r.turn <- struct{}{}
	return r, nil
}

func (r *Registry) internal(kind string) bool { return r.kinds.has(kind) }

func (r *Registry) publish(kind, path string, data any) {
	if r.cfg.publisher != nil {
		r.cfg.publisher.Publish("registry", kind, path, data)
	}
}

// acquire waits for the right to change the registry.
func (r *Registry) acquire(ctx context.Context) error {
	if t := current(ctx); t != nil && t.r == r {
		return ErrReentrant
	}
	select {
	case <-r.turn:
	case <-ctx.Done():
		return wrap(KindCanceled, "registry: waiting for another change", ctx.Err())
	}
	if r.closed {
		r.turn <- struct{}{}
		return ErrClosed
	}
	return nil
}

func (r *Registry) release() { r.turn <- struct{}{} }

// Close waits for a running change, ends all watches and closes the history. Reads go
// on working.
func (r *Registry) Close() error {
	<-r.turn
	defer r.release()
	if r.closed {
		return nil
	}
	r.closed = true
	r.watch.close()
	return r.cfg.history.Close()
}

// store makes a new state visible to readers.
func (r *Registry) store(v Version, entries pmap.Map[Entry], base *baseline) {
	r.seq++
	r.state.Store(&state{seq: r.seq, version: v, entries: entries, base: base})
}

// Get returns the present entry, or an error that is ErrNotFound. Finding an entry
// does not allocate.
func (r *Registry) Get(id ID) (Entry, error) {
	if e := r.state.Load().entries.Get(pmap.Key(id)); e != nil {
		return *e, nil
	}
	return Entry{}, notFound(id)
}

// Snapshot returns the present state. It costs nothing and stays valid and unchanged
// for ever.
func (r *Registry) Snapshot() Snapshot { return Snapshot{r: r, s: r.state.Load()} }

// Current returns the present version.
func (r *Registry) Current() Version { return r.state.Load().version }

// Versions returns all known versions in ascending order of ID.
func (r *Registry) Versions() ([]Version, error) {
	if !r.keeps {
		return nil, ErrHistoryDisabled
	}
	return r.tree.all(), nil
}

// Version returns the version with the given ID.
func (r *Registry) Version(id uint64) (Version, error) {
	if !r.keeps {
		return Version{}, ErrHistoryDisabled
	}
	if v, ok := r.tree.get(id); ok {
		return v, nil
	}
	return Version{}, versionNotFound(id)
}

// Children returns the versions made from v, oldest first.
func (r *Registry) Children(v Version) []Version { return r.tree.children(v.ID) }

// Extractor returns what finds references between entries; further patterns may be
// added to it.
func (r *Registry) Extractor() *Extractor { return r.cfg.extractor }

// BuildDelta is the function BuildDelta with the extractor of this registry.
func (r *Registry) BuildDelta(from, to []Entry) Changeset {
	return BuildDelta(from, to, r.cfg.extractor)
}

// Apply makes a change and returns the new version: it copies the changeset, puts it
// in dependency order, has every operation accepted by its listeners, stores the
// version and then makes it visible. When it returns an error nothing has changed: what
// listeners had accepted was undone. When it returns nil the version is as durable as
// the history makes it. An empty changeset returns the present version. Author and
// Comment are kept with the version.
func (r *Registry) Apply(ctx context.Context, c Changeset, opts ...ApplyOption) (Version, error) {
	if len(c) == 0 {
		return r.Current(), nil
	}
	err := c.check()
	if err == nil {
		c, err = c.normalized()
	}
	if err != nil {
		return Version{}, applyError(err)
	}
	if err := r.acquire(ctx); err != nil {
		return Version{}, applyError(err)
	}
	defer r.release()
	st := r.state.Load()
	for i := range c {
		if old := st.entries.Get(pmap.Key(c[i].Entry.ID)); old != nil && c[i].Kind != Create {
			c[i].Original = old
		}
	}
	v := Version{ID: r.tree.nextID(), Parent: st.version.ID}
	err = r.perform(ctx, r.cfg.extractor.order(c, st.has), v, func(ctx context.Context, done Changeset) error {
		if err := r.cfg.history.Append(ctx, r.newRecord(v, opts), done); err != nil {
			return retryable(KindUnavailable, "failed to save new version", err)
		}
		if r.keeps {
			r.tree.add(v)
		} else {
			r.tree.issue(v.ID)
		}
		return nil
	})
	if err != nil {
		return Version{}, applyError(err)
	}
	return v, nil
}

func applyError(err error) error {
	return &Error{kind: KindInternal, msg: "failed to apply changes", cause: err, retry: retryOf(err)}
}

// retryOf keeps what the cause says about retrying: unspecified unless somebody spoke.
func retryOf(err error) *bool {
	var r interface{ Retryable() (bool, bool) }
	if errors.As(err, &r) {
		if again, known := r.Retryable(); known {
			return &again
		}
	}
	return &no
}

// perform runs a transition to version v; save stores the outcome.
func (r *Registry) perform(ctx context.Context, p plan, v Version, save func(context.Context, Changeset) error) error {
	for _, cycle := range p.cycles {
		r.cfg.logger.Warn("registry: entries depend on each other", "cycle", cycleText(cycle))
	}
	if errs := r.unknownKinds(p.ops); len(errs) > 0 {
		return errors.Join(errs...)
	}
	t := r.newTransition(ctx)
	err := t.begin()
	if err == nil {
		if failed := t.operate(p, false); len(failed) > 0 {
			err = opFailure(p, failed)
		} else {
			err = t.vote()
		}
	}
	done := t.changes()
	if err == nil {
		err = save(context.WithoutCancel(ctx), done)
	}
	if err != nil {
		t.abort()
		return err
	}
	r.store(v, t.pending.Map(), r.state.Load().base)
	r.watch.notify(v, done)
	t.announce()
	return nil
}

// changes returns the operations done, in the order they were done.
func (t *transition) changes() Changeset {
	c := make(Changeset, len(t.done))
	for i, a := range t.done {
		c[i] = a.op
	}
	return c
}

// unknownKinds reports every create and update nobody would handle.
func (r *Registry) unknownKinds(ops Changeset) []error {
	var errs []error
	for _, op := range ops {
		kind := op.Entry.Kind
		if op.Kind == Delete || kind == "" || r.HasListener(kind) {
			continue
		}
		e := &EntryError{ID: op.Entry.ID, Position: op.Entry.Position("kind"),
			Err: invalidf("unknown kind %q: no listener responded", kind)}
		if near := r.KindSuggestions(kind); len(near) > 0 {
			e.Hint = fmt.Sprintf("did you mean %q?", near[0])
		}
		errs = append(errs, e)
	}
	return errs
}
