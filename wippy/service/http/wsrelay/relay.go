// SPDX-License-Identifier: Apache-2.0

// Package wsrelay connects WebSocket clients with processes.
//
// # Basics
//
// The handler of a request names a process in the header X-WS-Relay of its response and writes nothing. The
// middleware then upgrades the connection: what the client sends becomes messages to that process, and messages to
// the client's session become frames.
//
// # Guarantees
//
//   - The process hears ws.join first, ws.leave last, and between them the client's messages in their order.
//   - However the connection ends, the session ends with it, and so do its monitors' waits. When the process ends, the
//     client gets what it had sent and then a close frame.
//   - A client that does not read holds up nobody but itself: a frame that does not get through within WriteTimeout
//     ends the connection, and senders get errors once the mailbox of the session is full.
//   - A server that stops tells the clients so and waits for their answer, at most session.DrainTime: then those that
//     take nothing, or do not answer, are cut off.
//   - A message of the client above MessageLimit, or text that is none, ends the connection with the code for it.
package wsrelay

import (
	"encoding/json"
	"net/http"
	"path"
	"time"

	"github.com/coder/websocket"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/system/fault"
)

const (
	// Header is what a handler asks with.
	Header = "X-WS-Relay"
	// WriteTimeout is how long a client may take for one frame, unless the options say otherwise.
	WriteTimeout = 30 * time.Second
	// MessageLimit bounds the messages of clients, in bytes.
	MessageLimit = 32 << 10
	// ExitValue is what sessions end with.
	ExitValue = "websocket connection closed"

	defaultTopic     = "ws.message"
	defaultHeartbeat = 30 * time.Second
)

// Options are those of the middleware. The zero value are the defaults.
type Options struct {
	// Origins are patterns of hosts that pages may come from besides that of the request: "*.example.com" or, with a
	// scheme, "https://example.*".
	Origins []string
	// WriteTimeout is how long a client may take for one frame; 0 is the default. A client that is slower than this is
	// cut off, so a longer time lets more messages wait for it.
	WriteTimeout time.Duration
}

// New makes the middleware. The error names an origin that is no pattern.
func New(o Options) (func(http.Handler) http.Handler, error) {
	for _, pattern := range o.Origins {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fault.Wrap(fault.Invalid, "wsrelay.allowed.origins: "+pattern, err)
		}
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = WriteTimeout
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := session.NewCapture(w, Header)
			next.ServeHTTP(c, r)
			if text, ok := c.Asked(true); ok {
				upgrade(w, r, text, o)
				return
			}
			c.Release()
		})
	}, nil
}

// config is what a handler or a ws.control message asks for. What is missing is nil.
type config struct {
	target    *string
	topic     *string
	heartbeat *time.Duration
	metadata  any
	hasMeta   bool
}

// read reads a configuration. Members of another type count as empty.
func read(members map[string]any) config {
	var c config
	text := func(name string) *string {
		v, ok := members[name]
		if !ok || v == nil {
			return nil
		}
		s, _ := v.(string)
		return &s
	}
	c.target, c.topic = text("target_pid"), text("message_topic")
	if s := text("heartbeat_interval"); s != nil {
		d, err := time.ParseDuration(*s)
		if err != nil || d < 0 {
			d = defaultHeartbeat
		}
		c.heartbeat = &d
	}
	c.metadata, c.hasMeta = members["metadata"]
	return c
}

// upgrade answers a request whose handler asked for a relay.
func upgrade(w http.ResponseWriter, r *http.Request, text string, o Options) {
	host := session.HostFrom(r.Context())
	if host == nil {
		http.Error(w, "no session host", http.StatusInternalServerError)
		return
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		host.Log.Error("websocket relay configuration is no JSON object", "path", r.URL.Path, "error", err)
		return
	}
	c := read(members)
	if c.target == nil {
		c.target = new(string)
	}
	target, err := relay.ParsePID(*c.target)
	if err != nil {
		http.Error(w, "Invalid target PID: "+err.Error(), http.StatusBadRequest)
		return
	}
	u, ok := newUpgradable(w)
	if !ok {
		http.Error(w, "this connection cannot become a websocket", http.StatusNotImplemented)
		return
	}
	conn, err := websocket.Accept(u, r, &websocket.AcceptOptions{OriginPatterns: o.Origins})
	if err != nil {
		host.Log.Info("websocket refused", "path", r.URL.Path, "origin", r.Header.Get("Origin"), "error", err)
		return // it has answered
	}
	conn.SetReadLimit(MessageLimit)
	s, err := host.Begin()
	if err != nil {
		_ = conn.Close(websocket.StatusGoingAway, "server is stopping") // the client may be gone
		return
	}
	l := &link{host: host, timeout: o.WriteTimeout, session: s, conn: conn, raw: u.taken, began: time.Now(), heartbeat: defaultHeartbeat,
		metadata: c.metadata, route: route{target: target, topic: defaultTopic}}
	c.target = nil
	l.configure(c)
	l.run()
}
