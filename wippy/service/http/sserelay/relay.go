// SPDX-License-Identifier: Apache-2.0

// Package sserelay connects clients that listen to an event stream with processes.
//
// # Basics
//
// The handler of a request asks for a stream with the header X-SSE-Relay of its response and writes no body. The
// middleware then keeps the response open: messages to the session of the client become events. With a target the
// session is managed: the process hears of its beginning and its end, and the stream ends with the process. Without
// one it is detached: the client is told the session's PID, and whoever gets to know it may send.
//
// # Guarantees
//
//   - A managed target hears sse.join first and sse.leave last.
//   - The session ends with the connection, and monitors hear of that. Unless the client has left, the last event of
//     the stream is done with the reason.
//   - A client that does not read holds up nobody but itself: an event that does not get through within
//     WriteTimeout ends the stream, and senders get errors once the mailbox of the session is full.
package sserelay

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/system/fault"
)

const (
	// Header is what a handler asks with.
	Header = "X-SSE-Relay"
	// WriteTimeout is how long a client may take for one event, unless the options say otherwise.
	WriteTimeout = 30 * time.Second
	// ExitValue is what sessions end with.
	ExitValue = "sse relay closed"

	defaultTopic     = "sse.message"
	defaultHeartbeat = 30 * time.Second
)

// Options are those of the middleware. The zero value are the defaults.
type Options struct {
	// Origins are what pages may come from: "*", an origin, or a pattern of one such as "https://*.example.com". With
	// none it is the origin of the request itself.
	Origins []string
	// WriteTimeout is how long a client may take for one event; 0 is the default. A client that is slower than this is
	// cut off, so a longer time lets more messages wait for it.
	WriteTimeout time.Duration
}

// New makes the middleware. The error names an origin that is no pattern.
func New(o Options) (func(http.Handler) http.Handler, error) {
	for _, pattern := range o.Origins {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fault.Wrap(fault.Invalid, "sserelay.allowed.origins: "+pattern, err)
		}
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = WriteTimeout
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := session.NewCapture(w, Header)
			next.ServeHTTP(c, r)
			text, ok := c.Asked(false)
			if !ok {
				c.Release()
				return
			}
			if !allowed(r, o.Origins) {
				http.Error(w, "origin is not allowed", http.StatusForbidden)
				return
			}
			if err := serve(w, r, text, o); err != nil {
				http.Error(w, err.Error(), status(err))
			}
		})
	}, nil
}

// allowed decides on the page that a request comes from. Who names none is no page.
func allowed(r *http.Request, origins []string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if len(origins) == 0 {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		if forwarded, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ","); forwarded != "" {
			scheme = strings.TrimSpace(forwarded)
		}
		return strings.EqualFold(origin, scheme+"://"+r.Host)
	}
	host := origin
	if u, err := url.Parse(origin); err == nil {
		host = u.Host
	}
	for _, pattern := range origins {
		text := origin
		if !strings.Contains(pattern, "://") {
			text = host
		}
		if ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(text)); ok || pattern == "*" {
			return true
		}
	}
	return false
}

// serve begins the stream and returns when it has ended. An error is one from before it began.
func serve(w http.ResponseWriter, r *http.Request, text string, o Options) error {
	host := session.HostFrom(r.Context())
	if host == nil {
		return fault.New(fault.Internal, "no session host")
	}
	members := map[string]any{}
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return fault.New(fault.Invalid, "invalid relay configuration: "+err.Error())
	}
	c, err := initial().with(members)
	if err != nil {
		return err
	}
	s, err := host.Begin()
	if err != nil {
		return err
	}
	l := &stream{host: host, timeout: o.WriteTimeout, session: s, config: c, w: w, control: http.NewResponseController(w), began: time.Now()}
	return l.run(r.Context())
}

// status is the answer for an error.
func status(err error) int {
	switch fault.KindOf(err) {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.PermissionDenied:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.AlreadyExists, fault.Conflict:
		return http.StatusConflict
	case fault.Timeout, fault.Canceled:
		return http.StatusRequestTimeout
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
