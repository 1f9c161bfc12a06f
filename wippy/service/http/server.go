// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/system/fault"
)

const (
	// headerTimeout is how long a client may take for the header of a request, headerSize
	// how large that may be: who is slower or has more holds up nobody else.
	headerTimeout = 30 * time.Second
	headerSize    = 1 << 20
	// idleTimeout ends connections that are kept and not used, unless the entry says
	// otherwise.
	idleTimeout = 2 * time.Minute
)

// server is one http.service. It implements supervisor.Service.
type server struct {
	id    string
	log   *slog.Logger
	table atomic.Pointer[http.Handler]

	mu     sync.Mutex // guards all below
	config serverConfig
	http   *http.Server // nil while it is down
}

func newServer(id string, c serverConfig, log *slog.Logger) *server {
	s := &server{id: id, config: c, log: log}
	s.serve(http.NotFoundHandler())
	return s
}

// serve makes h what requests get from now on.
func (s *server) serve(h http.Handler) { s.table.Store(&h) }

// ServeHTTP hands a request to the table of the moment.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*s.table.Load()).ServeHTTP(w, r) }

// configure takes another configuration; a server that runs must keep its address. Time
// limits count from the next start.
func (s *server) configure(c serverConfig) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil && c.addr != s.config.addr {
		return fault.New(fault.Conflict, "cannot change server address while running")
	}
	s.config = c
	return nil
}

// Start listens and serves. Requests inherit the actor and the scope that ctx carries.
func (s *server) Start(ctx context.Context) (<-chan any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.config
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", c.addr)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "listen on "+c.addr, err)
	}
	h := &http.Server{
		Handler: s, TLSConfig: c.tls, ReadTimeout: c.read, WriteTimeout: c.write, IdleTimeout: c.idle,
		ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: headerSize,
		ErrorLog: log.New(logWriter{s.log.With("server", s.id)}, "", 0),
	}
	if own := appctx.FrameFrom(ctx); own != nil { // requests act on behalf of the server
		h.BaseContext = func(net.Listener) context.Context { return appctx.WithFrame(context.Background(), own) }
	}
	if h.IdleTimeout == 0 {
		h.IdleTimeout = idleTimeout
	}
	s.http = h
	status := make(chan any, 2)
	status <- "service listening on " + listener.Addr().String()
	go func() {
		defer close(status)
		var err error
		if c.tls != nil {
			err = h.ServeTLS(listener, "", "")
		} else {
			err = h.Serve(listener)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			status <- err
		}
	}()
	s.log.Info("listening", "server", s.id, "address", listener.Addr().String())
	return status, nil
}

// Stop takes no new connections and waits for the requests under way until ctx ends; then
// it closes them.
func (s *server) Stop(ctx context.Context) error {
	s.mu.Lock()
	h := s.http
	s.http = nil
	s.mu.Unlock()
	if h == nil {
		return nil
	}
	if err := h.Shutdown(ctx); err != nil {
		return errors.Join(err, h.Close())
	}
	return nil
}

// logWriter turns the lines of net/http into records.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Debug(string(p))
	return len(p), nil
}
