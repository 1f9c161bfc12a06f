// SPDX-License-Identifier: Apache-2.0

package sserelay

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// own are the topics of the relay itself. They never become events.
var own = []string{"sse.join", "sse.leave", "sse.heartbeat", "sse.control", "sse.close"}

// past is a deadline for what has had its time.
var past = time.Unix(1, 0)

// stream is one open response. It belongs to the goroutine of the request.
type stream struct {
	host    *session.Host
	session *session.Session
	timeout time.Duration // for an event
	config  config
	w       http.ResponseWriter
	control *http.ResponseController
	began   time.Time
	last    time.Time // of the last event that was forwarded; began before
	count   int       // of those

	heartbeat, idle, hard *time.Timer
	reason                string // of the end
	deaf                  bool   // the target is gone
	gone                  bool   // so is the client
}

// run serves the stream. An error is one from before it began.
func (s *stream) run(ctx context.Context) error {
	s.last = s.began
	defer s.session.Gone()
	defer s.session.End(ExitValue)
	if target := s.config.target; !target.IsZero() {
		if err := s.session.Monitor(target); err != nil {
			return err
		}
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(s.host.Drained(), func() {
		defer close(cut)
		_ = s.control.SetWriteDeadline(past)
	})
	defer func() {
		if !stop() {
			<-cut // the writer must not be touched when the request has ended
		}
	}()
	s.open()
	s.join()
	s.timers()
	defer func() {
		if !s.gone {
			s.event("done", []byte(`{"reason":`+s.quote(s.reason)+`}`))
			_ = s.control.SetWriteDeadline(time.Time{}) // the connection may serve other requests
		}
		s.leave()
		for _, t := range []*time.Timer{s.heartbeat, s.idle, s.hard} {
			t.Stop()
		}
	}()
	for s.reason == "" && !s.gone {
		select {
		case <-ctx.Done():
			s.gone = true
		case <-s.idle.C:
			s.reason = "idle timeout"
		case <-s.hard.C:
			s.reason = "hard timeout"
		case <-s.heartbeat.C:
			s.beat()
		case <-s.session.Wake():
			s.deliver(ctx)
		}
	}
	return nil
}

// open sends the header block.
func (s *stream) open() {
	// What bounds an ordinary request does not bound this one.
	_ = s.control.SetReadDeadline(time.Time{})
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("Connection", "keep-alive")
	h.Set("X-Accel-Buffering", "no")
	h.Del("Content-Length")
	s.w.WriteHeader(http.StatusOK)
	s.write(nil)
}

// timers sets the timers as the configuration says. Idle time counts from the last event, all time from the
// beginning.
func (s *stream) timers() {
	set := func(t **time.Timer, d time.Duration, since time.Time) {
		const never = 1 << 62
		left := time.Duration(never)
		if d > 0 {
			left = max(0, d-time.Since(since))
		}
		if *t == nil {
			*t = time.NewTimer(left)
		} else {
			(*t).Reset(left)
		}
	}
	set(&s.heartbeat, s.config.heartbeat, time.Now())
	set(&s.idle, s.config.idle, s.last)
	set(&s.hard, s.config.hard, s.began)
}

// beat says that the stream lives.
func (s *stream) beat() {
	s.tell(s.config.target, "sse.heartbeat", map[string]any{
		"uptime": time.Since(s.began).Round(time.Millisecond).String(), "message_count": s.count,
	})
	s.write([]byte(": ping\n\n"))
	s.heartbeat.Reset(s.config.heartbeat)
}

// deliver handles the messages that wait, until there are none or the stream is to end.
func (s *stream) deliver(ctx context.Context) {
	for s.reason == "" && !s.gone && ctx.Err() == nil {
		m, closed := s.session.Next()
		if closed {
			s.reason = "session mailbox closed"
			return
		}
		if m == nil {
			return
		}
		s.handle(m)
		m.Release()
	}
}

// handle does what a message to the session says.
func (s *stream) handle(m *relay.Message) {
	switch {
	case m.Topic == topology.TopicEvents:
		s.hear(topology.EventOf(m))
	case strings.HasPrefix(m.Topic, "@"):
	case m.Topic == "sse.control":
		members, err := s.host.Fields(m)
		if err == nil {
			err = s.configure(members)
		}
		if err != nil {
			s.host.Log.Warn("sse.control changes nothing", "pid", s.session.PID().String(), "from", m.From.String(), "error", err)
		}
	case m.Topic == "sse.close":
		s.reason = "closed by server"
		if text, ok := session.Text(m.Payload()); ok && text != "" {
			s.reason = text
		}
	case slices.Contains(own, m.Topic):
	case s.config.topic == "*" || m.Topic == s.config.topic:
		s.forward(m)
	default:
		s.host.Log.Debug("message is not for the stream", "pid", s.session.PID().String(), "from", m.From.String(), "topic", m.Topic)
	}
}

// hear handles an event about another process.
func (s *stream) hear(ev *topology.Event) {
	switch {
	case ev == nil:
	case ev.Kind == topology.KindExit && ev.From == s.config.target:
		s.deaf = true
		s.reason = "target process exited"
	case ev.Kind == topology.KindLinkDown:
		s.reason = "linked process failed"
	case ev.Kind == topology.KindCancel:
		s.reason = "canceled"
		if ev.Reason != "" {
			s.reason = ev.Reason
		}
	}
}

// forward makes an event of each payload. An error is the last one.
func (s *stream) forward(m *relay.Message) {
	payloads := m.Payloads
	if len(payloads) == 0 {
		payloads = []payload.Payload{{}} // a signal; as null it is not lost
	}
	for _, p := range payloads {
		data, err := s.host.Encode(p)
		if err != nil {
			s.host.Log.Warn("message cannot be sent to a stream", "pid", s.session.PID().String(), "from", m.From.String(),
				"topic", m.Topic, "error", err)
			continue
		}
		s.count++
		s.event(m.Topic, data)
		if terminal(p) {
			s.reason = "terminal payload"
			return
		}
	}
	s.last = time.Now()
	if s.config.idle > 0 {
		s.idle.Reset(s.config.idle)
	}
}

// terminal reports whether a payload is an error.
func terminal(p payload.Payload) bool {
	if v, ok := p.Data.(lua.LValue); ok {
		_, isError := engine.AsError(v)
		inner, isPayload := engine.AsPayload(v)
		return isError || isPayload && terminal(inner)
	}
	return p.Format == payload.Error
}

// event writes an event: its name and a line for each one of its data.
func (s *stream) event(name string, data []byte) {
	var b bytes.Buffer
	b.WriteString("event: ")
	b.WriteString(strings.NewReplacer("\r", " ", "\n", " ").Replace(name)) // or it would be lines of its own
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		b.WriteString("\ndata: ")
		b.Write(line)
	}
	b.WriteString("\n\n")
	s.write(b.Bytes())
}

// write sends a piece of the stream.
func (s *stream) write(p []byte) {
	if s.gone {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(s.timeout)) // where there is none, the client bounds itself
	if s.host.Drained().Err() != nil {
		_ = s.control.SetWriteDeadline(past) // as it has been set, if not just before
	}
	_, err := s.w.Write(p)
	if err == nil {
		err = s.control.Flush()
	}
	if err != nil {
		s.host.Log.Debug("event stream lost", "pid", s.session.PID().String(), "error", err)
		s.gone = true
	}
}

// quote returns a text as JSON.
func (s *stream) quote(text string) string {
	b, err := s.host.Encode(payload.Payload{Format: payload.String, Data: text})
	if err != nil {
		return `""`
	}
	return string(b)
}

// configure applies a sse.control message. A new target hears of the session before the old one loses it.
func (s *stream) configure(members map[string]any) error {
	next, err := s.config.with(members)
	if err != nil {
		return err
	}
	old := s.config.target
	if next.target != old && !next.target.IsZero() {
		if err := s.session.Monitor(next.target); err != nil {
			return fault.Wrap(fault.KindOf(err), "target "+next.target.String(), err)
		}
	}
	before := s.config
	s.config = next
	if next.target != old {
		s.tell(next.target, "sse.join", nil)
		if !old.IsZero() {
			s.session.Unmonitor(old)
			s.config.metadata = before.metadata
			s.tell(old, "sse.leave", nil)
			s.config.metadata = next.metadata
		}
	}
	s.timers()
	return nil
}

// join tells of the session: the target, or the client when there is none.
func (s *stream) join() {
	if !s.config.target.IsZero() {
		s.tell(s.config.target, "sse.join", nil)
		return
	}
	members := map[string]any{"stream_pid": s.session.PID().String(), "message_topic": s.config.topic}
	if s.config.metadata != nil {
		members["metadata"] = s.config.metadata
	}
	data, err := s.host.Encode(payload.New(members))
	if err != nil {
		s.host.Log.Error("event ready cannot be sent", "error", err)
		return
	}
	s.event("ready", data)
}

// leave tells the target that the session ends.
func (s *stream) leave() {
	if !s.deaf {
		s.tell(s.config.target, "sse.leave", nil)
	}
}

// tell sends a control message to a target; the zero one hears nothing.
func (s *stream) tell(target relay.PID, topic string, members map[string]any) {
	if target.IsZero() {
		return
	}
	if members == nil {
		members = map[string]any{}
	}
	members["client_pid"] = s.session.PID().String()
	if s.config.metadata != nil {
		members["metadata"] = s.config.metadata
	}
	if err := s.session.Send(target, topic, payload.New(members)); err != nil {
		s.host.Log.Debug("target of a stream does not hear", "pid", s.session.PID().String(), "target", target.String(), "topic", topic, "error", err)
	}
}
