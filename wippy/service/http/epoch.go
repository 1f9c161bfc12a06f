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

// streams bounds what one HTTP/2 connection may ask for: requests at a time, bytes of
// bodies that wait to be read, and how long the other side may be silent, or take nothing,
// before it counts as gone. Resets and continuations without end are bounded by net/http.
var streams = http.HTTP2Config{
	MaxConcurrentStreams:          100,
	MaxReceiveBufferPerConnection: 1 << 20,
	MaxReceiveBufferPerStream:     256 << 10,
	SendPingTimeout:               time.Minute,
	PingTimeout:                   15 * time.Second,
	WriteByteTimeout:              2 * time.Minute,
}

// epoch serves the connections that were taken under one configuration. net/http reads its
// limits whenever it likes, so that they must not change under it.
type epoch struct {
	config *serverConfig
	http   *http.Server

	conns       chan net.Conn
	closed      chan struct{}
	close       func() // closes it, once
	addr        net.Addr
	served      sync.WaitGroup
	connections atomic.Int64
}

// epochKey is where a request's context has the epoch of its connection.
type epochKey struct{}

// newEpoch begins one; mu of the server is held.
func (s *server) newEpoch(c *serverConfig) *epoch {
	secure := c.tls
	if s.authority != nil {
		secure = s.authority.keeper.TLS()
	}
	e := &epoch{config: c, conns: make(chan net.Conn), closed: make(chan struct{}), addr: s.listener.Addr()}
	e.close = sync.OnceFunc(func() { close(e.closed) })
	base, protocol := s.base, streams
	e.http = &http.Server{
		Handler: s, TLSConfig: secure, ReadTimeout: c.read, WriteTimeout: c.write, IdleTimeout: c.idle,
		ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: headerSize, HTTP2: &protocol,
		ErrorLog:    errorLog(s.log.With("server", s.id)),
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context { return context.WithValue(ctx, epochKey{}, e) },
		ConnState:   e.count,
	}
	if e.http.IdleTimeout == 0 {
		e.http.IdleTimeout = idleTimeout
	}
	if c.read > 0 && c.read < headerTimeout {
		e.http.ReadHeaderTimeout = c.read
	}
	e.served.Go(func() {
		var err error
		if secure != nil {
			err = e.http.ServeTLS(e, "", "")
		} else {
			err = e.http.Serve(e)
		}
		if !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.log.Error("the server has failed", "server", s.id, "error", err)
		}
	})
	return e
}

func (e *epoch) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		e.connections.Add(1)
	case http.StateClosed, http.StateHijacked:
		e.connections.Add(-1)
	}
}

// take gives a connection to the epoch, unless it is over.
func (e *epoch) take(c net.Conn) bool {
	select {
	case e.conns <- c:
		return true
	case <-e.closed:
		return false
	}
}

// retire lets the epoch take no more connections. Those it has go on.
func (e *epoch) retire() { e.close() }

// stop ends it: requests under way may finish until ctx ends.
func (e *epoch) stop(ctx context.Context) error {
	err := e.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, e.http.Close())
	}
	e.close()
	e.served.Wait()
	return err
}

// Accept, with Close and Addr, makes an epoch the listener of its own server.
func (e *epoch) Accept() (net.Conn, error) {
	select {
	case c := <-e.conns:
		return c, nil
	case <-e.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (e *epoch) Close() error {
	e.close()
	return nil
}

// Addr implements net.Listener.
func (e *epoch) Addr() net.Addr { return e.addr }

// errorLog is where net/http writes to.
func errorLog(l *slog.Logger) *log.Logger { return log.New(logWriter{l}, "", 0) }

// logWriter turns the lines of net/http into records.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Debug(string(p))
	return len(p), nil
}
