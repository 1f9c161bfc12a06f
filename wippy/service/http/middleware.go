// SPDX-License-Identifier: Apache-2.0

package http

import (
	"maps"
	"net/http"
	"slices"

	"github.com/wippyrun/kit/wippy/system/exchange"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// middleware wraps a handler.
type middleware func(http.Handler) http.Handler

// chain is middleware in its order, the outermost first.
type chain []middleware

func (c chain) wrap(h http.Handler) http.Handler {
	for _, m := range slices.Backward(c) {
		h = m(h)
	}
	return h
}

// settings are the options of a list of middleware.
type settings map[string]string

// get returns an option by its name, by its older one, or its default.
func (s settings) get(name, legacy, def string) string {
	if v, ok := s[name]; ok {
		return v
	}
	if v, ok := s[legacy]; ok && legacy != "" {
		return v
	}
	return def
}

// makers are the middleware there is. Each is made once per router.
func (l *Listener) makers() map[string]func(settings) (middleware, error) {
	all := map[string]func(settings) (middleware, error){
		"cors":              newCORS,
		"real_ip":           newRealIP,
		"compress":          newCompress,
		"ratelimit":         newRateLimit,
		"token_auth":        l.newTokenAuth,
		"endpoint_firewall": l.newEndpointFirewall,
		"resource_firewall": l.newResourceFirewall,
		"metrics":           newMetrics(l.deps.Metrics),
		"sendfile":          l.newSendFile,
		"websocket_relay":   newWebSocketRelay,
		"sse_relay":         newSSERelay,
	}
	for name, make := range l.deps.Middleware {
		all[name] = func(s settings) (middleware, error) { return make(s) }
	}
	return all
}

// Middleware makes a middleware of others, with the options of its router.
type Middleware func(options map[string]string) (func(http.Handler) http.Handler, error)

// RouteOf returns what a request was found to be for, nil in front of the match.
func RouteOf(r *http.Request) *exchange.Route { return routeOf(r) }

func (l *Listener) newChain(names []string, options map[string]string) (chain, error) {
	var c chain
	if err := l.named(names); err != nil {
		return nil, err
	}
	makers := l.makers()
	for _, name := range names {
		m, err := makers[name](options)
		if err != nil {
			return nil, err
		}
		c = append(c, m)
	}
	return c, nil
}

// named tells of the first name that no middleware has.
func (l *Listener) named(names []string) error {
	makers := l.makers()
	for _, name := range names {
		if _, ok := makers[name]; ok {
			continue
		}
		text := "middleware not found: " + name
		if hint := suggest.Hint(name, slices.Collect(maps.Keys(makers))); hint != "" {
			text += ", " + hint
		}
		return fault.New(fault.NotFound, text)
	}
	return nil
}
