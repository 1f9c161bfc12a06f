// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// Kind is the kind of a store in a database.
const Kind = "store.sql"

// Deps is what the listener works with.
type Deps struct {
	Databases  *sql.Table
	Stores     *store.Table
	Supervisor host.Supervisor
	Transcoder *payload.Transcoder
	Log        *slog.Logger
	Warn       func(registry.Entry, []fields.Warning)
}

// Listener turns entries into stores, each a supervised service that is there while it runs.
type Listener struct{ deps Deps }

// NewListener handles store.sql entries.
func NewListener(d Deps) *Listener { return &Listener{d} }

// config is the decoded form of an entry.
type config struct {
	database  string
	columns   Columns
	cleanup   time.Duration // 0 for never
	lifecycle supervisor.Lifecycle
}

// name is what names of tables and columns look like.
var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// maxName is how long they may be, in PostgreSQL.
const maxName = 63

// reserved are words that are no names.
var reserved = strings.Fields("select from where insert update delete table drop group order by into values limit offset " +
	"join union having create alter index distinct exists and or not as")

func decode(e registry.Entry) (config, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := config{lifecycle: host.Lifecycle(r), cleanup: r.Duration("cleanup_interval", 0)}
	if !r.Has("lifecycle") { // there is nothing to switch on: what it keeps is in the database
		c.lifecycle.AutoStart = true
	}
	if id := r.Required("database"); id != "" {
		c.database = e.ID.Resolve(id).String()
	}
	table := r.String("table_name", r.String("table", ""))
	if table == "" {
		r.Reject("table_name", "table_name is required")
	}
	identifier := func(field, v string) string {
		switch {
		case v == "":
		case !name.MatchString(v):
			r.Reject(field, field+" contains invalid characters: "+v)
		case len(v) > maxName:
			r.Reject(field, fmt.Sprintf("%s is longer than %d characters", field, maxName))
		case slices.Contains(reserved, strings.ToLower(v)):
			r.Reject(field, field+" is a reserved word: "+v)
		}
		return v
	}
	column := func(field, standard string) string {
		v := r.String(field, "")
		if v == "" {
			v = standard
		}
		return identifier(field, v)
	}
	c.columns = Columns{
		Table: identifier("table_name", table), Key: column("id_column_name", "key"),
		Value: column("payload_column_name", "value"), Expires: column("expire_column_name", "expires_at"),
	}
	if c.cleanup < 0 {
		r.Reject("cleanup_interval", "cleanup_interval must be non-negative")
	}
	return c, r.Unknown(), r.Err()
}

// Check implements fields.Checker.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decode(e)
	return unknown, err
}

// Create registers the service of an entry.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	c, unknown, err := decode(e)
	if err != nil {
		return err
	}
	l.deps.Warn(e, unknown)
	id := e.ID.String()
	l.deps.Stores.Declare(id)
	return l.deps.Supervisor.Register(id, &service{id: id, deps: l.deps, config: c}, c.lifecycle, []string{c.database})
}

// Update replaces the service; what it keeps is in the database.
func (l *Listener) Update(ctx context.Context, old, next registry.Entry) error {
	if _, _, err := decode(next); err != nil {
		return err
	}
	if err := l.Delete(ctx, old); err != nil {
		return err
	}
	return l.Create(ctx, next)
}

// Delete stops the service and removes it.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	l.deps.Stores.Forget(e.ID.String())
	return l.deps.Supervisor.Remove(e.ID.String())
}

// service is one store.sql. It implements supervisor.Service: the supervisor calls one method at a time.
type service struct {
	id      string
	deps    Deps
	config  config
	store   *Store // of the run under way
	release func() // of the database
	stop    context.CancelFunc
	swept   chan struct{} // closed when nothing is swept any more
}

// Start lets programs find the store. A database that is not there is worth another try.
func (s *service) Start(context.Context) (<-chan any, error) {
	db, err := s.deps.Databases.Get(s.config.database)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "database "+s.config.database, err).Transient()
	}
	if s.release, err = db.Acquire(); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "database "+s.config.database, err).Transient()
	}
	s.store = New(db, s.deps.Transcoder, s.config.columns)
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.swept = cancel, make(chan struct{})
	go s.sweep(ctx)
	s.deps.Stores.Add(s.id, s.store)
	status := make(chan any, 1)
	status <- "table " + s.config.columns.Table + " of " + s.config.database
	return status, nil
}

// Stop takes the store away.
func (s *service) Stop(context.Context) error {
	s.deps.Stores.Remove(s.id, s.store)
	s.stop()
	<-s.swept
	s.release()
	return nil
}

// sweep deletes what has expired every now and then. A failure is logged, and the next time tried again.
func (s *service) sweep(ctx context.Context) {
	defer close(s.swept)
	if s.config.cleanup <= 0 {
		return
	}
	tick := time.NewTicker(s.config.cleanup)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.store.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.deps.Log.Warn("expired keys were not deleted", "store", s.id, "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
