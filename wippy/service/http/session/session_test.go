// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/service/http/session/sessiontest"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func begin(t *testing.T, h *session.Host) *session.Session {
	t.Helper()
	s, err := h.Begin()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// over ends a session and its connection.
func over(s *session.Session) {
	s.End("")
	s.Gone()
}

func TestLife(t *testing.T) {
	sys := sessiontest.New(t, 0)
	p := sys.Spawn()
	s := begin(t, sys.Host)
	if s.PID().Host() != sessiontest.ServerID || !sys.Topology.Registered(s.PID()) || sys.Host.Len() != 1 {
		t.Fatalf("session %s, registered %v", s.PID(), sys.Topology.Registered(s.PID()))
	}
	p.Monitor(s.PID())
	p.Send(s.PID(), "hello", payload.New(1))
	<-s.Wake()
	m, closed := s.Next()
	if closed || m == nil || m.Topic != "hello" || m.From != p.PID {
		t.Fatalf("got %v, %v", m, closed)
	}
	if m, _ := s.Next(); m != nil {
		t.Errorf("more: %v", m)
	}
	p.Send(s.PID(), "left behind")
	s.End("over")
	s.Gone()
	if got := p.Exited(s.PID()); got != "over" {
		t.Errorf("exit value %v", got)
	}
	if err := p.TrySend(s.PID(), "late"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("a message to an ended session: %v", err)
	}
	if sys.Topology.Registered(s.PID()) || sys.Host.Len() != 0 {
		t.Error("the session is still known")
	}
}

func TestFullMailbox(t *testing.T) {
	sys := sessiontest.New(t, 3)
	p := sys.Spawn()
	s := begin(t, sys.Host)
	defer over(s)
	send := func(n int) error { return p.TrySend(s.PID(), "n", payload.New(n)) }
	for i := range 3 {
		if err := send(i); err != nil {
			t.Fatal(err)
		}
	}
	err := send(3)
	if !errors.Is(err, session.ErrFull) {
		t.Fatalf("message above the bound: %v", err)
	}
	if e := engine.WrapError(err); e.Kind() != engine.KindRateLimited || e.Message() != "session mailbox is full" {
		t.Errorf("programs see %s %q", e.Kind(), e.Message())
	}
	// What was taken comes in order, and makes room.
	for i := range 100 {
		m, _ := s.Next()
		if m == nil || m.Payload().Data != i {
			t.Fatalf("message %d: %v", i, m)
		}
		m.Release()
		if err := send(i + 3); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventsArriveInAFullMailbox(t *testing.T) {
	sys := sessiontest.New(t, 1)
	p, target := sys.Spawn(), sys.Spawn()
	s := begin(t, sys.Host)
	defer over(s)
	if err := s.Monitor(target.PID); err != nil {
		t.Fatal(err)
	}
	p.Send(s.PID(), "one")
	target.Exit(nil)
	m, _ := s.Next()
	m.Release()
	m, _ = s.Next()
	if ev := topology.EventOf(m); ev == nil || ev.From != target.PID {
		t.Errorf("got %v", m)
	}
	if err := s.Monitor(target.PID); err == nil {
		t.Error("a process that has ended can be monitored")
	}
}

func TestClose(t *testing.T) {
	sys := sessiontest.New(t, 0)
	s := begin(t, sys.Host)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sys.Host.Close(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("Close with a session: %v", err)
	}
	<-s.Wake()
	if _, closed := s.Next(); !closed {
		t.Error("the session is not told")
	}
	if _, err := sys.Host.Begin(); !errors.Is(err, session.ErrClosed) {
		t.Errorf("Begin: %v", err)
	}
	over(s)
	if err := sys.Host.Close(t.Context()); err != nil {
		t.Error(err)
	}
	again := session.NewHost(sessiontest.ServerID, 0, sys.Runtime)
	if err := again.Open(); err != nil {
		t.Errorf("the id is still taken: %v", err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Close waits for connections, not only for sessions, and tells when they have had their time.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct{ stop, drain time.Duration }{
			"no limit": {0, session.DrainTime}, "much time": {time.Minute, session.DrainTime}, "little time": {time.Second, time.Second / 2},
		} {
			sys := sessiontest.New(t, 0)
			s := begin(t, sys.Host)
			ctx, cancel := context.WithCancel(t.Context())
			if c.stop > 0 {
				ctx, cancel = context.WithTimeout(ctx, c.stop)
			}
			began := time.Now()
			closed := make(chan error)
			go func() { closed <- sys.Host.Close(ctx) }()
			<-s.Wake()
			s.End("")
			<-sys.Host.Drained().Done()
			if got := time.Since(began); got != c.drain {
				t.Errorf("%s: clients have %v, want %v", name, got, c.drain)
			}
			s.Gone()
			if err := <-closed; err != nil {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
		}
	})
}

func TestConcurrentSendersAndEnds(t *testing.T) {
	sys := sessiontest.New(t, 0)
	var all sync.WaitGroup
	for range 8 {
		p := sys.Spawn()
		s := begin(t, sys.Host)
		all.Go(func() {
			for i := range 200 {
				if err := p.TrySend(s.PID(), "n", payload.New(i)); err != nil {
					if !errors.Is(err, session.ErrNotFound) {
						t.Error(err)
					}
					return
				}
			}
		})
		all.Go(func() {
			want := 0
			for want < 100 {
				<-s.Wake()
				for m, _ := s.Next(); m != nil; m, _ = s.Next() {
					if m.Payload().Data != want {
						t.Errorf("message %v instead of %d", m.Payload().Data, want)
					}
					want++
					m.Release()
				}
			}
			over(s)
		})
	}
	all.Wait()
}

func TestEncode(t *testing.T) {
	sys := sessiontest.New(t, 0)
	for _, c := range []struct {
		p    payload.Payload
		want string
	}{
		{payload.Payload{}, `null`},
		{payload.New(nil), `null`},
		{payload.New(map[string]any{"b": []any{1, "x"}, "a": nil}), `{"a":null,"b":[1,"x"]}`},
		{payload.New([]byte{1, 2, 255}), `"AQL/"`},
		{payload.New(errors.New("broken")), `"broken"`},
		{payload.Payload{Format: payload.String, Data: "te\"xt\n"}, `"te\"xt\n"`},
		{payload.Payload{Format: payload.String, Data: []byte("text")}, `"text"`},
		{payload.Payload{Format: payload.String, Data: "\xff"}, `"/w=="`},
		{payload.Payload{Format: payload.Bytes, Data: []byte("bytes")}, `"Ynl0ZXM="`},
		{payload.Payload{Format: payload.JSON, Data: `{ "a" : [1, 2] }`}, `{"a":[1,2]}`},
		{payload.Payload{Format: payload.JSON, Data: []byte(`7`)}, `7`},
		{payload.Payload{Format: payload.YAML, Data: "a: 1"}, `{"a":1}`},
	} {
		got, err := sys.Host.Encode(c.p)
		if err != nil || string(got) != c.want {
			t.Errorf("%v %v: %s, %v, want %s", c.p, c.p.Data, got, err, c.want)
		}
	}
	for _, p := range []payload.Payload{
		{Format: payload.JSON, Data: `{"a":`}, {Format: payload.JSON, Data: 5}, payload.New(func() {}), {Format: "odd", Data: 1},
	} {
		if got, err := sys.Host.Encode(p); err == nil {
			t.Errorf("%v %v: %s", p, p.Data, got)
		}
	}
}

func TestFields(t *testing.T) {
	sys := sessiontest.New(t, 0)
	for _, c := range []struct {
		p    payload.Payload
		want string
	}{
		{payload.New(map[string]any{"a": 1}), "map[a:1]"},
		{payload.Payload{Format: payload.String, Data: `{"a":1}`}, "map[a:1]"},
		{payload.Payload{Format: payload.JSON, Data: `{"a":{"b":null}}`}, "map[a:map[b:<nil>]]"},
		{payload.New([]any{}), "map[]"},
		{payload.New(5), ""}, {payload.New("x"), ""}, {payload.New([]any{1}), ""}, {payload.New(func() {}), ""},
	} {
		m := relay.NewMessage(relay.PID{}, relay.PID{}, "t", c.p)
		got, err := sys.Host.Fields(m)
		if (err != nil) != (c.want == "") || err == nil && fmt.Sprint(got) != c.want {
			t.Errorf("%v: %v, %v, want %s", c.p.Data, got, err, c.want)
		}
	}
}
