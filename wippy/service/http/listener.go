// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/metrics"
	"github.com/wippyrun/kit/wippy/system/network"
	"github.com/wippyrun/kit/wippy/system/security"
)

// Deps is what the listener works with.
type Deps struct {
	Functions  *functions.Registry
	Supervisor host.Supervisor
	Sessions   session.Runtime
	Tokens     TokenStores               // may be nil when no router asks for tokens
	Gate       *security.Gate            // hears what firewalls refuse; nil for nobody
	Metrics    *metrics.Metrics          // of the middleware metrics; nil counts nothing
	Middleware map[string]Middleware     // beside those of this package
	Networks   func() *network.Directory // that servers may listen on, asked when one starts
	Files      Filesystems               // may be nil when nothing serves files
	Log        *slog.Logger
	// Advise, if set, tells where in the files of the application an error of a function came to
	// be and what may help; "" is what it does not know.
	Advise func(err error) (at, hint string)
	Warn   func(registry.Entry, []fields.Warning)
}

// Listener keeps servers, routers and endpoints. The registry calls it from one
// transaction at a time; when one is certain, each server that it concerns gets a new
// table. Requests in flight keep the one they began with.
type Listener struct {
	deps Deps

	mu        sync.Mutex // guards all below
	servers   map[string]*server
	routers   map[string]*router
	endpoints map[string]endpointConfig
	mounts    map[string]*mount
	changed   map[string]bool         // servers of the transaction under way
	tables    map[string]http.Handler // made by Commit, live from Committed on
}

// router is one http.router.
type router struct {
	config        routerConfig
	before, after chain
}

// wrap puts the middleware in front of an endpoint.
func (r *router) wrap(h http.Handler) http.Handler { return r.before.wrap(h) }

// NewListener returns a listener without entries.
func NewListener(deps Deps) *Listener {
	return &Listener{deps: deps, servers: map[string]*server{}, routers: map[string]*router{},
		endpoints: map[string]endpointConfig{}, mounts: map[string]*mount{}, changed: map[string]bool{}}
}

// Check implements fields.Checker.
func (l *Listener) Check(e registry.Entry) (unknown []fields.Warning, err error) {
	switch e.Kind {
	case KindService:
		if err = Check(e); err == nil {
			_, unknown, err = decodeServer(e)
		}
	case KindRouter:
		var c routerConfig
		if c, unknown, err = decodeRouter(e); err == nil {
			err = errors.Join(l.chainOf("middleware", c.before), l.chainOf("post_middleware", c.after))
		}
	case KindStatic:
		var c staticConfig
		if c, unknown, err = decodeStatic(e); err == nil {
			err = l.chainOf("middleware", c.before)
		}
	default:
		_, unknown, err = decodeEndpoint(e)
	}
	return unknown, err
}

// chainOf checks the names in a field.
func (l *Listener) chainOf(field string, names []string) error {
	if err := l.named(names); err != nil {
		return fields.At(field, err)
	}
	return nil
}

// Create adds an entry.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := e.ID.String()
	switch e.Kind {
	case KindService:
		c, unknown, err := decodeServer(e)
		if err != nil {
			return err
		}
		l.deps.Warn(e, unknown)
		s := newServer(id, c, l.deps.Log, l.overlay)
		if err := l.deps.Supervisor.Register(id, &hosted{server: s, runtime: l.deps.Sessions}, c.lifecycle, nil); err != nil {
			return err
		}
		l.servers[id] = s
		l.changed[id] = true
		return nil
	case KindRouter:
		return l.addRouter(id, e)
	case KindStatic:
		return l.addMount(id, e)
	}
	return l.addEndpoint(id, e)
}

func (l *Listener) addRouter(id string, e registry.Entry) error {
	c, unknown, err := decodeRouter(e)
	if err != nil {
		return err
	}
	if l.servers[c.server] == nil {
		return fault.New(fault.NotFound, "server not found").With("server", c.server)
	}
	for other, r := range l.routers {
		if other != id && r.config.server == c.server && r.config.prefix == c.prefix {
			return fields.At("prefix", fault.New(fault.AlreadyExists, "router prefix already exists").With("router", other))
		}
	}
	r := &router{config: c}
	if r.before, err = l.newChain(c.before, c.options); err != nil {
		return fields.At("middleware", fault.Wrap(fault.Internal, "failed to create middleware", err))
	}
	if r.after, err = l.newChain(c.after, c.postOption); err != nil {
		return fields.At("post_middleware", fault.Wrap(fault.Internal, "failed to create post-match middleware", err))
	}
	l.deps.Warn(e, unknown)
	l.routers[id] = r
	l.changed[c.server] = true
	return nil
}

func (l *Listener) addEndpoint(id string, e registry.Entry) error {
	c, unknown, err := decodeEndpoint(e)
	if err != nil {
		return err
	}
	r := l.routers[c.router]
	if r == nil {
		return fault.New(fault.NotFound, "router not found").With("router", c.router)
	}
	l.deps.Warn(e, unknown)
	l.endpoints[id] = c
	l.changed[r.config.server] = true
	return nil
}

// Update replaces an entry. A server that runs keeps its address.
func (l *Listener) Update(ctx context.Context, old, next registry.Entry) error {
	if next.Kind == KindService {
		l.mu.Lock()
		defer l.mu.Unlock()
		c, unknown, err := decodeServer(next)
		if err != nil {
			return err
		}
		l.deps.Warn(next, unknown)
		return l.servers[next.ID.String()].configure(c)
	}
	// The old one goes only when the new one is good.
	l.mu.Lock()
	l.forget(old)
	l.mu.Unlock()
	if err := l.Create(ctx, next); err != nil {
		return errors.Join(err, l.Create(ctx, old))
	}
	return nil
}

// Delete removes an entry. A server is stopped; routers and endpoints that are left
// without theirs answer nothing.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(e)
	if e.Kind == KindService {
		return l.deps.Supervisor.Remove(e.ID.String())
	}
	return nil
}

func (l *Listener) forget(e registry.Entry) {
	id := e.ID.String()
	switch e.Kind {
	case KindService:
		delete(l.servers, id)
	case KindRouter:
		if r := l.routers[id]; r != nil {
			l.changed[r.config.server] = true
			delete(l.routers, id)
		}
	case KindStatic:
		if m := l.mounts[id]; m != nil {
			l.changed[m.config.server] = true
			delete(l.mounts, id)
		}
	default:
		if r := l.routers[l.endpoints[id].router]; r != nil {
			l.changed[r.config.server] = true
		}
		delete(l.endpoints, id)
	}
}

// Begin opens a transaction.
func (l *Listener) Begin(context.Context) error { return nil }

// Commit makes the tables; routes that conflict reject the transaction.
func (l *Listener) Commit(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tables = map[string]http.Handler{}
	var errs []error
	for id := range l.changed {
		if l.servers[id] == nil {
			continue
		}
		var routes []route
		for endpoint, c := range l.endpoints {
			if r := l.routers[c.router]; r != nil && r.config.server == id {
				routes = append(routes, route{c.method, c.pattern(r.config.prefix), endpoint, c.function, r})
			}
		}
		table, err := l.newTable(routes, l.mountsOf(id))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l.tables[id] = table
	}
	return errors.Join(errs...)
}

// Discard forgets the tables; what the operations did was undone by their inverse.
func (l *Listener) Discard(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tables = nil
	clear(l.changed)
	return nil
}

// Committed makes the tables live.
func (l *Listener) Committed(context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, table := range l.tables {
		if s := l.servers[id]; s != nil {
			s.serve(table)
		}
	}
	l.tables = nil
	clear(l.changed)
}
