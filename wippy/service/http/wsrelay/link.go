// SPDX-License-Identifier: Apache-2.0

package wsrelay

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// maxReason is what a close frame has room for.
const maxReason = 123

// link is one connection. Its fields belong to the goroutine of run, but for what says otherwise.
type link struct {
	host      *session.Host
	session   *session.Session
	conn      *websocket.Conn
	raw       net.Conn      // below conn
	timeout   time.Duration // for a frame
	began     time.Time
	heartbeat time.Duration // 0 for none
	ticker    *time.Ticker
	metadata  any

	mu    sync.Mutex // guards what follows; held while the reader sends, so that nothing comes after ws.leave
	route route      // where the reader sends; changed by run
	over  bool       // the reader sends nothing more
	count uint64     // of the client's messages; changed by the reader

	deaf   bool // the target is gone; of run
	code   websocket.StatusCode
	reason string // of the close frame
}

// route is where the messages of the client go.
type route struct {
	target relay.PID
	topic  string
}

// run serves the connection until it ends.
func (l *link) run() {
	defer l.session.Gone()
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan struct{})
	defer func() {
		l.leave()
		l.session.End(ExitValue)
		l.hangUp()
		cancel()
		<-left
	}()
	if err := l.session.Monitor(l.to().target); err != nil {
		close(left)
		l.deaf = true
		l.close(websocket.StatusInternalError, "Failed to monitor target PID")
		return
	}
	l.tell(l.to().target, "ws.join", nil)
	go func() {
		defer close(left)
		l.receive(ctx)
	}()
	l.ticker = time.NewTicker(time.Hour)
	defer l.ticker.Stop()
	l.beat(l.heartbeat)
	for {
		select {
		case <-left:
			return
		case <-l.ticker.C:
			l.tell(l.to().target, "ws.heartbeat", map[string]any{
				"uptime":        time.Since(l.began).Round(time.Millisecond).String(),
				"message_count": l.messages(),
			})
		case <-l.session.Wake():
			if !l.deliver() {
				return
			}
		}
	}
}

// beat changes the time between heartbeats.
func (l *link) beat(d time.Duration) {
	if l.heartbeat = d; l.ticker == nil {
		return
	}
	if d == 0 {
		l.ticker.Stop()
		return
	}
	l.ticker.Reset(d)
}

// close chooses how the connection ends.
func (l *link) close(code websocket.StatusCode, reason string) { l.code, l.reason = code, reason }

// hangUp closes the connection: with the frame that says why and the client's answer to it, unless that takes longer
// than a server that stops can wait.
func (l *link) hangUp() {
	if l.code == 0 {
		_ = l.conn.CloseNow() // closed already
		return
	}
	defer context.AfterFunc(l.host.Drained(), func() { _ = l.raw.Close() })() // then Close has nothing to wait for
	_ = l.conn.Close(l.code, cut(l.reason))                                   // the client may leave without answering
}

// to is where the messages of the client go.
func (l *link) to() route {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.route
}

// messages is how many of the client there were.
func (l *link) messages() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// receive passes the messages of the client on until it leaves.
func (l *link) receive(ctx context.Context) {
	for {
		kind, data, err := l.conn.Read(ctx)
		if err != nil {
			return // a message too long, or frames that are none, have been answered with their code
		}
		p := payload.Payload{Format: payload.Bytes, Data: data}
		if kind == websocket.MessageText {
			if !utf8.Valid(data) {
				_ = l.conn.Close(websocket.StatusInvalidFramePayloadData, "text is not UTF-8")
				return
			}
			p = payload.Payload{Format: payload.String, Data: string(data)}
		}
		l.pass(p)
	}
}

// pass sends a message of the client to the target. Nobody waits: a mailbox takes it or does not.
func (l *link) pass(p payload.Payload) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return // the target has been told that there is nothing more
	}
	l.count++
	to := l.route
	if err := l.session.Send(to.target, to.topic, p); err != nil {
		l.host.Log.Debug("message of a websocket has no addressee", "pid", l.session.PID().String(), "to", to.target.String(), "error", err)
	}
}

// deliver handles the messages that wait, and returns false when the connection is to end.
func (l *link) deliver() bool {
	for {
		m, closed := l.session.Next()
		switch {
		case closed:
			l.close(websocket.StatusGoingAway, "server is stopping")
			return false
		case m == nil:
			return true
		}
		more := l.handle(m)
		m.Release()
		if !more {
			return false
		}
	}
}

// handle does what a message to the session says.
func (l *link) handle(m *relay.Message) bool {
	switch {
	case m.Topic == topology.TopicEvents:
		return l.event(topology.EventOf(m))
	case strings.HasPrefix(m.Topic, "@"):
		return true
	case m.Topic == "ws.control":
		members, err := l.host.Fields(m)
		if err != nil {
			l.host.Log.Warn("ws.control is no table", "pid", l.session.PID().String(), "from", m.From.String(), "error", err)
			return true
		}
		l.configure(read(members))
		return true
	case m.Topic == "ws.close":
		l.close(websocket.StatusNormalClosure, l.closeReason(m.Payload()))
		return false
	}
	return l.forward(m)
}

// event hears of other processes.
func (l *link) event(ev *topology.Event) bool {
	switch {
	case ev == nil:
	case ev.Kind == topology.KindExit && ev.From == l.to().target:
		l.deaf = true
		l.close(websocket.StatusGoingAway, "target process exited")
		return false
	case ev.Kind == topology.KindLinkDown:
		l.close(websocket.StatusGoingAway, "linked process failed")
		return false
	case ev.Kind == topology.KindCancel:
		reason := ev.Reason
		if reason == "" {
			reason = "canceled"
		}
		l.close(websocket.StatusNormalClosure, reason)
		return false
	}
	return true
}

// closeReason is what a ws.close message says.
func (l *link) closeReason(p payload.Payload) string {
	if text, ok := session.Text(p); ok {
		return text
	}
	if b, err := l.host.Encode(p); err == nil && string(b) != "null" {
		return string(b)
	}
	return "Connection closed by server"
}

// forward sends a message to the client, a frame for each payload.
func (l *link) forward(m *relay.Message) bool {
	payloads := m.Payloads
	if len(payloads) == 0 {
		payloads = []payload.Payload{{}} // a signal; as null it is not lost
	}
	for _, p := range payloads {
		frame, err := l.frame(m.Topic, p)
		if err != nil {
			l.host.Log.Warn("message cannot be sent to a websocket", "pid", l.session.PID().String(), "from", m.From.String(),
				"topic", m.Topic, "error", err)
			continue
		}
		ctx, cancel := context.WithTimeout(l.host.Drained(), l.timeout)
		err = l.conn.Write(ctx, websocket.MessageText, frame)
		cancel()
		if err != nil {
			l.host.Log.Debug("websocket lost", "pid", l.session.PID().String(), "error", err)
			return false
		}
	}
	return true
}

// frame is {"data": …, "topic": …}.
func (l *link) frame(topic string, p payload.Payload) ([]byte, error) {
	data, err := l.host.Encode(p)
	if err != nil {
		return nil, err
	}
	name, err := l.host.Encode(payload.Payload{Format: payload.String, Data: topic})
	if err != nil {
		return nil, err
	}
	frame := make([]byte, 0, len(data)+len(name)+20)
	frame = append(append(frame, `{"data":`...), data...)
	frame = append(append(frame, `,"topic":`...), name...)
	return append(frame, '}'), nil
}

// configure applies what is present. A new target is monitored before the old one is left: when it cannot be, the
// old one stays.
func (l *link) configure(c config) {
	if c.hasMeta {
		l.metadata = c.metadata
	}
	if c.heartbeat != nil {
		l.beat(*c.heartbeat)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.topic != nil {
		l.route.topic = *c.topic
		if l.route.topic == "" {
			l.route.topic = defaultTopic
		}
	}
	if c.target == nil || *c.target == l.route.target.String() {
		return
	}
	target, err := relay.ParsePID(*c.target)
	if err == nil {
		err = l.session.Monitor(target)
	}
	if err != nil {
		l.host.Log.Warn("websocket keeps its target", "pid", l.session.PID().String(), "target", *c.target, "error", err)
		return
	}
	l.session.Unmonitor(l.route.target)
	l.tell(l.route.target, "ws.leave", nil)
	l.route.target = target
	l.tell(target, "ws.join", nil)
}

// tell sends a control message to a target.
func (l *link) tell(target relay.PID, topic string, members map[string]any) {
	if members == nil {
		members = map[string]any{}
	}
	members["client_pid"] = l.session.PID().String()
	if l.metadata != nil {
		members["metadata"] = l.metadata
	}
	if err := l.session.Send(target, topic, payload.New(members)); err != nil {
		l.host.Log.Debug("target of a websocket does not hear", "pid", l.session.PID().String(), "target", target.String(), "topic", topic, "error", err)
	}
}

// leave tells the target that the client has left: it hears nothing after that.
func (l *link) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if !l.deaf {
		l.tell(l.route.target, "ws.leave", nil)
	}
}

// cut shortens a reason to what fits, between two characters.
func cut(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	n := maxReason
	for n > 0 && !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}
