// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// server is one http.service. It implements supervisor.Service.
//
// What it answers and its time limits change while it serves: connections stay, requests
// under way keep what they began with. Limits of a request count from the next one on,
// also on connections that are open; those of a connection (its idle time, its
// certificate) from the next connection on.
type server struct {
	id      string
	log     *slog.Logger
	overlay func(ctx context.Context, id string) error // why the server cannot listen on a network

	table  atomic.Pointer[http.Handler]
	config atomic.Pointer[serverConfig]

	mu        sync.Mutex // guards all below
	listener  net.Listener
	base      context.Context // of requests
	current   *epoch          // takes new connections; nil while the server is down
	retired   []*epoch        // still have some
	authority *authority      // nil when the entry has the certificate, or there is none
}

func newServer(id string, c serverConfig, log *slog.Logger, overlay func(context.Context, string) error) *server {
	s := &server{id: id, log: log, overlay: overlay}
	s.config.Store(&c)
	s.serve(http.NotFoundHandler())
	return s
}

// serve makes h what requests get from now on.
func (s *server) serve(h http.Handler) { s.table.Store(&h) }

// configure takes another configuration; a server that runs must keep its address.
func (s *server) configure(c serverConfig) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && c.addr != s.config.Load().addr {
		return fields.At("addr", fault.New(fault.Conflict, "cannot change server address while running"))
	}
	if s.current == nil {
		s.config.Store(&c)
		return nil
	}
	if err := s.startable(s.base, &c); err != nil {
		return err
	}
	old := s.authority
	now, err := certified(old, c.acme, s.log.With("server", s.id))
	if err != nil {
		return err
	}
	s.config.Store(&c)
	s.authority = now
	next := s.newEpoch(&c)
	s.current.retire()
	kept := []*epoch{s.current}
	for _, e := range s.retired {
		if e.connections.Load() > 0 {
			kept = append(kept, e)
		}
	}
	s.current, s.retired = next, kept
	if now != old {
		go old.replace(context.WithoutCancel(s.base), now)
		if now != nil {
			now.keeper.Fetch()
		}
	}
	return nil
}

// startable reports what a server cannot have. ctx carries on whose behalf it works.
func (s *server) startable(ctx context.Context, c *serverConfig) error {
	switch {
	case c.network != "":
		return fields.At("network", s.overlay(ctx, c.network))
	case c.auto && c.acme == nil:
		return fields.At("tls.mode", fault.New(fault.Invalid, "tls.mode=auto requires an overlay network driver"))
	}
	return nil
}

// overlay tells why a server cannot listen on a network: there is none that it could.
func (l *Listener) overlay(ctx context.Context, id string) error {
	if _, err := l.deps.Networks().Get(id); err != nil {
		return err
	}
	if !l.deps.Gate.Allowed(appctx.FrameFrom(ctx), "network.bind", id, nil) {
		return fault.New(fault.PermissionDenied, "not allowed: bind on network "+id)
	}
	return fault.New(fault.Invalid, "network "+id+" makes connections and takes none: a server cannot listen on it")
}

// Start listens and serves. Requests inherit the actor and the scope that ctx carries.
func (s *server) Start(ctx context.Context) (<-chan any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.config.Load()
	if err := s.startable(ctx, c); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", c.addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.Wrap(fault.Unavailable, "listen on "+c.addr+": give another addr, or end the program that has this one", err)
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, "listen on "+c.addr, err)
	}
	if s.authority, err = certified(s.authority, c.acme, s.log.With("server", s.id)); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	// Requests act on behalf of the service, and end with Stop, not with ctx.
	s.listener, s.base, s.retired = listener, context.WithoutCancel(ctx), nil
	s.current = s.newEpoch(c)
	status := make(chan any, 2)
	status <- "service listening on " + listener.Addr().String()
	go func() {
		defer close(status)
		if err := s.accept(listener); err != nil {
			status <- err
		}
	}()
	if s.authority != nil {
		s.authority.keeper.Fetch()
	}
	s.log.Info("listening", "server", s.id, "address", listener.Addr().String())
	return status, nil
}

// accept hands connections to the epoch of the moment until the listener is closed. What
// the system may have again soon, such as file descriptors, it waits for.
func (s *server) accept(l net.Listener) error {
	const longest = time.Second
	delay := 5 * time.Millisecond
	for {
		conn, err := l.Accept()
		if err == nil {
			delay = 5 * time.Millisecond
			s.hand(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		//lint:ignore SA1019 nothing else tells that there are too many open files
		if t, ok := errors.AsType[net.Error](err); !ok || !t.Temporary() {
			return err
		}
		s.log.Warn("cannot take a connection", "server", s.id, "error", err, "again in", delay)
		time.Sleep(delay)
		delay = min(2*delay, longest)
	}
}

func (s *server) hand(conn net.Conn) {
	for {
		s.mu.Lock()
		e := s.current
		s.mu.Unlock()
		if e == nil { // the server is going down
			conn.Close()
			return
		}
		if e.take(conn) {
			return
		}
	}
}

// Stop takes no new connections and waits for the requests under way; shortly before ctx ends
// it closes their connections. Streams of events go on for ever, so that is no failure.
func (s *server) Stop(ctx context.Context) error {
	s.mu.Lock()
	if s.current == nil {
		s.mu.Unlock()
		return nil
	}
	listener, all, authority := s.listener, append(s.retired, s.current), s.authority
	s.current, s.retired, s.authority = nil, nil, nil
	s.mu.Unlock()
	if deadline, ok := ctx.Deadline(); ok {
		whole := time.Until(deadline)
		grace, cancel := context.WithTimeout(ctx, whole-whole/8)
		defer cancel()
		ctx = grace
	}
	errs := []error{listener.Close()}
	results := make(chan error, len(all))
	var closed sync.WaitGroup
	defer closed.Wait()
	closed.Go(func() { authority.replace(ctx, nil) })
	for _, e := range all {
		go func() { results <- e.stop(ctx) }()
	}
	for range all {
		switch err := <-results; {
		case errors.Is(err, context.DeadlineExceeded):
			s.log.Info("requests that had not ended were cut off", "server", s.id)
		case err != nil:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
