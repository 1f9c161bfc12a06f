// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/wippy/service/http/certs"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// authority is where a server has its certificates from, when they are not in its entry.
type authority struct {
	config *certs.Config
	keeper *certs.Keeper
	door   *door // nil for none
}

// certified makes what c asks for; parts of the old one that still do stay. Nothing has changed when there is an
// error. c is nil for no authority.
func certified(old *authority, c *certs.Config, log *slog.Logger) (*authority, error) {
	switch {
	case c == nil:
		return nil, nil
	case old != nil && old.config.Equal(c):
		return old, nil
	}
	keeper, err := certs.New(*c, log)
	if err != nil {
		return nil, err
	}
	next := &authority{config: c, keeper: keeper}
	switch {
	case c.HTTP == "":
		return next, nil
	case old != nil && old.door != nil && old.config.HTTP == c.HTTP:
		next.door = old.door
	default:
		if next.door, err = openDoor(c.HTTP, log); err != nil {
			keeper.Close(context.Background())
			return nil, err
		}
	}
	challenges := keeper.Challenges()
	next.door.handler.Store(&challenges)
	return next, nil
}

// replace ends what next, which may be nil, has no part in.
func (a *authority) replace(ctx context.Context, next *authority) {
	if a == nil || a == next {
		return
	}
	if a.door != nil && (next == nil || next.door != a.door) {
		a.door.close()
	}
	a.keeper.Close(ctx)
}

// door is a port that a certificate authority comes to without TLS.
type door struct {
	handler atomic.Pointer[http.Handler]
	http    *http.Server
	served  chan struct{}
}

func openDoor(addr string, log *slog.Logger) (*door, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "tls.acme.http_addr: listen on "+addr, err)
	}
	const limit = 10 * time.Second // there is nothing long to say
	d := &door{served: make(chan struct{})}
	d.http = &http.Server{Handler: d, ReadTimeout: limit, WriteTimeout: limit, IdleTimeout: limit, MaxHeaderBytes: 16 << 10, ErrorLog: errorLog(log)}
	log.Info("listening for the certificate authority", "address", listener.Addr().String())
	go func() {
		defer close(d.served)
		if err := d.http.Serve(listener); err != http.ErrServerClosed {
			log.Error("nobody listens for the certificate authority", "address", addr, "error", err)
		}
	}()
	return d, nil
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := d.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	http.Error(w, "not yet", http.StatusServiceUnavailable)
}

func (d *door) close() {
	_ = d.http.Close() // of the listener, which nobody uses any more
	<-d.served
}
