// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"log/slog"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot/config"
	"github.com/wippyrun/kit/wippy/system/logs"
)

// Project is an application that is looked at and not started: its configuration and
// the entries as they are after the boot pipeline.
type Project struct {
	// Entries are in load order. They do not include changes made at run time.
	Entries []registry.Entry

	options Options
	config  *config.Config
	log     *slog.Logger
}

// Inspect reads a project. Warnings go to stderr unless the options silence them; the
// error is what Start of a runtime would return for the same files.
func Inspect(ctx context.Context, o Options) (*Project, error) {
	o = o.withDefaults()
	c, warnings, err := o.configure()
	if err != nil {
		return nil, err
	}
	p := &Project{options: o, config: c, log: slog.New(slog.DiscardHandler)}
	if !o.Silent {
		format, err := logFormat(o, c)
		if err != nil {
			return nil, err
		}
		level := slog.LevelWarn
		if o.Verbose || o.VeryVerbose {
			level = slog.LevelDebug
		}
		p.log = slog.New(logs.NewHandler(o.Stderr, format, logs.HandlerOptions{Level: level}))
	}
	for _, w := range warnings {
		p.log.Warn(w)
	}
	p.Entries, err = loadEntries(ctx, o, c, p.log)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Versions is a registry of the entries a runtime of the project would have, to which
// nobody listens. It must be closed.
type Versions struct {
	*registry.Registry
	// Stored tells whether there is a history; without one there is the present state only.
	Stored bool

	history registry.History
}

// Changes returns what a version changed when it was made.
func (v *Versions) Changes(ctx context.Context, version registry.Version) (registry.Changeset, error) {
	return v.history.Changeset(ctx, version.ID)
}

// Registry returns the entries from files and the changes of the stored history, if there
// is one, up to its head.
func (p *Project) Registry(ctx context.Context) (*Versions, error) {
	v, err := p.Versions(ctx, false)
	if errors.Is(err, ErrNoHistory) {
		return p.versions(ctx, registry.NewMemoryHistory(), false)
	}
	return v, err
}

// Versions is Registry for those who need past versions: without a stored history it
// returns ErrNoHistory. An exclusive registry may go to another version; there is none
// while a runtime has the history open.
func (p *Project) Versions(ctx context.Context, exclusive bool) (*Versions, error) {
	h, err := storedHistory(ctx, p.options, p.config, exclusive)
	if err != nil {
		return nil, err
	}
	return p.versions(ctx, h, true)
}

func (p *Project) versions(ctx context.Context, h registry.History, stored bool) (*Versions, error) {
	r, err := registry.New(
		registry.WithHistory(h),
		registry.WithLogger(p.log),
		registry.WithInternalKinds("**"), // entries are shown, not brought to life
		registry.WithCyclesAllowed(),
	)
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if err := r.LoadState(ctx, p.Entries); err != nil {
		return nil, errors.Join(explain(err, p.Entries), r.Close())
	}
	return &Versions{Registry: r, Stored: stored, history: h}, nil
}
