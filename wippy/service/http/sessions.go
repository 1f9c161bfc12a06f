// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"errors"
	"sync"

	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/service/http/sserelay"
	"github.com/wippyrun/kit/wippy/service/http/wsrelay"
)

// hosted is a server with the sessions of its clients: those of WebSockets and event
// streams, which live on a relay host with the id of the server.
type hosted struct {
	*server
	runtime session.Runtime

	mu   sync.Mutex    // guards host
	host *session.Host // nil while the server is down
}

// Start opens the host, then the server, whose requests find it.
func (h *hosted) Start(ctx context.Context) (<-chan any, error) {
	if err := h.end(ctx); err != nil { // of a server that failed
		return nil, err
	}
	host := session.NewHost(h.id, h.config.Load().mailbox, h.runtime)
	if err := host.Open(); err != nil {
		return nil, err
	}
	status, err := h.server.Start(session.With(ctx, host))
	if err != nil {
		return nil, errors.Join(err, host.Close(ctx))
	}
	h.mu.Lock()
	h.host = host
	h.mu.Unlock()
	return status, nil
}

// Stop ends the server and, at the same time, the sessions, whose requests would last for ever. It waits for both:
// clients have been told when it returns.
func (h *hosted) Stop(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- h.end(ctx) }()
	err := h.server.Stop(ctx)
	return errors.Join(err, <-ended)
}

func (h *hosted) end(ctx context.Context) error {
	h.mu.Lock()
	host := h.host
	h.host = nil
	h.mu.Unlock()
	if host == nil {
		return nil
	}
	return host.Close(ctx)
}

// origins reads the list of allowed origins of a relay.
func (s settings) origins(name string) []string {
	return items(s.get(name, "allow_origins", s.get("allowed_origins", "", "")))
}

// newWebSocketRelay makes connections of clients that a handler asks for.
func newWebSocketRelay(s settings) (middleware, error) {
	return wsrelay.New(wsrelay.Options{Origins: s.origins("wsrelay.allowed.origins")})
}

// newSSERelay makes event streams that a handler asks for.
func newSSERelay(s settings) (middleware, error) {
	return sserelay.New(sserelay.Options{Origins: s.origins("sserelay.allowed.origins")})
}
