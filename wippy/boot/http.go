// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/http"
	"github.com/wippyrun/kit/wippy/system/network"
)

// loadHTTP makes servers, routers and endpoints live.
func (r *Runtime) loadHTTP() error {
	l := http.NewListener(http.Deps{
		Functions:  KeyFunctions.MustGet(r.dict),
		Supervisor: KeySupervisor.MustGet(r.dict),
		Sessions:   r.sessionRuntime(),
		Tokens:     KeyTokens.MustGet(r.dict),
		Gate:       r.gate,
		Metrics:    KeyMetrics.MustGet(r.dict),
		Middleware: map[string]http.Middleware{"otel": r.tracing.Middleware},
		Networks:   func() *network.Directory { return KeyNetworks.MustGet(r.dict) }, // which loads later
		Files:      KeyFilesystems.MustGet(r.dict),
		Log:        r.log.With("logger", "http"),
		Advise:     r.advise,
		Warn:       r.warnFields,
	})
	r.checkWith(l, http.Kinds()...)
	expanded := r.expand(l).(*expandingFinisher)
	return r.listenAsIs(&httpEntries{expanded}, http.Kinds()...)
}

// httpEntries looks at entries as they are written, before their variables take the place of
// other fields.
type httpEntries struct{ *expandingFinisher }

// Create implements registry.Listener.
func (h *httpEntries) Create(ctx context.Context, e registry.Entry) error {
	if err := http.Check(e); err != nil {
		return err
	}
	return h.expandingFinisher.Create(ctx, e)
}

// Update implements registry.Listener.
func (h *httpEntries) Update(ctx context.Context, old, next registry.Entry) error {
	if err := http.Check(next); err != nil {
		return err
	}
	return h.expandingFinisher.Update(ctx, old, next)
}
