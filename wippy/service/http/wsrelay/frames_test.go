// SPDX-License-Identifier: Apache-2.0

package wsrelay_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/service/http/session/sessiontest"
	"github.com/wippyrun/kit/wippy/service/http/wsrelay"
)

// raw is a client that writes its frames itself.
type raw struct {
	*site
	conn net.Conn
	in   *bufio.Reader
}

func (s *site) raw() *raw {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.server.URL, "http://"))
	if err != nil {
		s.Fatal(err)
	}
	return s.upgrade(conn)
}

// upgrade makes the handshake on a connection.
func (s *site) upgrade(conn net.Conn) *raw {
	s.Helper()
	s.Cleanup(func() { _ = conn.Close() })
	c := &raw{s, conn, bufio.NewReader(conn)}
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	if err != nil {
		s.Fatal(err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		s.Fatal(res, err)
	}
	return c
}

// frame makes a frame with a mask of zeros. size is what the header says.
func frame(first byte, size int, data string) string {
	b := []byte{first}
	switch {
	case size < 126:
		b = append(b, 0x80|byte(size))
	case size < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(size))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(size))
	}
	return string(append(b, 0, 0, 0, 0)) + data
}

func whole(first byte, data string) string { return frame(first, len(data), data) }

// closeCode reads frames until that which closes; 0 when the connection ends without one.
func (c *raw) closeCode() websocket.StatusCode {
	for {
		var h [2]byte
		if _, err := io.ReadFull(c.in, h[:]); err != nil {
			return 0
		}
		size := uint16(h[1])
		if size == 126 {
			if err := binary.Read(c.in, binary.BigEndian, &size); err != nil {
				return 0
			}
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(c.in, data); err != nil {
			return 0
		}
		if h[0] == 0x88 && len(data) >= 2 {
			return websocket.StatusCode(binary.BigEndian.Uint16(data))
		}
	}
}

const (
	fin          = 0x80
	continuation = 0x0
	text         = 0x1
	binaryFrame  = 0x2
	closing      = 0x8
	ping         = 0x9
)

// Frames that are none end the connection, with the code for it where they can be told from noise, and the session
// with the connection.
func TestMalformedFrames(t *testing.T) {
	long := strings.Repeat("x", wsrelay.MessageLimit+1)
	for name, c := range map[string]struct {
		data string
		code websocket.StatusCode
	}{
		"unmasked":                {"\x81\x01a", 0},
		"reserved opcode":         {whole(fin|0x3, "a"), websocket.StatusProtocolError},
		"reserved bits":           {whole(fin|0x70|text, "a"), websocket.StatusProtocolError},
		"fragmented control":      {whole(ping, "a"), websocket.StatusProtocolError},
		"long control":            {whole(fin|ping, strings.Repeat("x", 126)), websocket.StatusProtocolError},
		"continuation of nothing": {whole(fin|continuation, "a"), websocket.StatusProtocolError},
		"message in a message":    {whole(text, "a") + whole(fin|text, "b"), websocket.StatusProtocolError},
		"close with a bad code":   {whole(fin|closing, "\x03\xed"), websocket.StatusProtocolError},
		"close with half a code":  {whole(fin|closing, "\x03"), websocket.StatusProtocolError},
		"no UTF-8":                {whole(fin|text, "\xff\xfe"), websocket.StatusInvalidFramePayloadData},
		"too big":                 {whole(fin|text, long), websocket.StatusMessageTooBig},
		"too big in pieces":       {whole(text, long[:20_000]) + whole(fin|continuation, long[:20_000]), websocket.StatusMessageTooBig},
		"says to be huge":         {frame(fin|binaryFrame, 1<<62, long), websocket.StatusMessageTooBig},
		"negative size":           {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, nil)
			client := s.raw()
			pid := s.p.Joined("ws.join")
			s.p.Monitor(pid)
			if _, err := io.WriteString(client.conn, c.data); err != nil {
				t.Fatal(err)
			}
			if code := client.closeCode(); code != c.code {
				t.Errorf("close code %d, want %d", code, c.code)
			}
			_ = client.conn.Close()
			s.p.Next("ws.leave")
			s.p.Exited(pid)
		})
	}
}

// Messages come whole, also when they were sent in pieces or wait in the same packet as the handshake's end.
func TestFragments(t *testing.T) {
	s := start(t, nil)
	c := s.raw()
	s.p.Joined("ws.join")
	full := strings.Repeat("x", wsrelay.MessageLimit)
	_, err := io.WriteString(c.conn, whole(text, "a")+whole(fin|ping, "p")+whole(continuation, "")+whole(fin|continuation, "bc")+whole(fin|binaryFrame, full))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.p.Next("ws.message").Payload().Data; got != "abc" {
		t.Errorf("message %v", got)
	}
	if got, _ := s.p.Next("ws.message").Payload().Data.([]byte); len(got) != wsrelay.MessageLimit {
		t.Errorf("message of %d bytes", len(got))
	}
	if _, err := io.WriteString(c.conn, whole(fin|closing, "")); err != nil {
		t.Fatal(err)
	}
	s.p.Next("ws.leave")
}

// A client that is gone without a word ends its session.
func TestClientVanishes(t *testing.T) {
	for name, vanish := range map[string]func(*raw){
		"closes":       func(c *raw) { _ = c.conn.Close() },
		"resets":       func(c *raw) { _ = c.conn.(*net.TCPConn).SetLinger(0); _ = c.conn.Close() },
		"in a header":  func(c *raw) { _, _ = io.WriteString(c.conn, "\x81"); _ = c.conn.Close() },
		"in a frame":   func(c *raw) { _, _ = io.WriteString(c.conn, frame(fin|text, 100, "half")); _ = c.conn.Close() },
		"in a message": func(c *raw) { _, _ = io.WriteString(c.conn, whole(text, "half")); _ = c.conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, nil)
			c := s.raw()
			pid := s.p.Joined("ws.join")
			s.p.Monitor(pid)
			vanish(c)
			s.p.Next("ws.leave")
			s.p.Exited(pid)
			if err := s.p.TrySend(pid, "late"); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("a message to the session: %v", err)
			}
		})
	}
}

// flood sends to a session until its mailbox is full.
func flood(t *testing.T, s *site, pid relay.PID) {
	t.Helper()
	large := payload.New(strings.Repeat("x", 1<<20))
	for {
		switch err := s.p.TrySend(pid, "large", large); {
		case errors.Is(err, session.ErrFull):
			return
		case err != nil:
			t.Fatal(err)
		}
	}
}

// A client that does not read holds up nobody else, and what waits for it is bounded.
func TestSlowClient(t *testing.T) {
	s := startWith(t, 10, nil, wsrelay.Options{})
	slow := s.raw()
	pid := s.p.Joined("ws.join")
	s.p.Monitor(pid)
	flood(t, s, pid)
	quick := s.dial()
	other := s.p.Joined("ws.join")
	quick.sync(other)
	quick.Write(websocket.MessageText, "hi")
	s.p.Next("ws.message")
	_ = slow.conn.Close()
	s.p.Next("ws.leave")
	s.p.Exited(pid)
}

// inMemory tests with a client that must take each byte that the server writes.
func inMemory(t *testing.T, o wsrelay.Options, test func(s *site, c *raw, pid relay.PID)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &site{System: sessiontest.New(t, 10)}
		s.p = s.Spawn()
		middleware, err := wsrelay.New(o)
		if err != nil {
			t.Fatal(err)
		}
		dial := s.Pipes(middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.ask(w, nil) })))
		c := s.upgrade(dial())
		pid := s.p.Joined("ws.join")
		s.p.Monitor(pid)
		test(s, c, pid)
		s.p.Next("ws.leave")
		s.p.Exited(pid)
	})
}

// A server that stops does not wait for ever for a client that takes nothing.
func TestStopWithStuckClient(t *testing.T) {
	inMemory(t, wsrelay.Options{WriteTimeout: time.Hour}, func(s *site, _ *raw, pid relay.PID) {
		s.p.Send(pid, "large", payload.New(strings.Repeat("x", 1<<20)))
		began := time.Now()
		if err := s.Host.Close(s.Context()); err != nil {
			s.Error(err)
		}
		if d := time.Since(began); d != session.DrainTime {
			s.Errorf("the stop has waited for %v", d)
		}
	})
}

// Nor for one that takes the close frame and does not answer.
func TestStopWithSilentClient(t *testing.T) {
	inMemory(t, wsrelay.Options{}, func(s *site, c *raw, _ relay.PID) {
		heard := make(chan websocket.StatusCode, 1)
		go func() { heard <- c.closeCode() }()
		began := time.Now()
		ctx, cancel := context.WithTimeout(s.Context(), 4*time.Second)
		defer cancel()
		if err := s.Host.Close(ctx); err != nil {
			s.Error(err)
		}
		if d := time.Since(began); d != 2*time.Second {
			s.Errorf("the stop has waited for %v", d)
		}
		if code := <-heard; code != websocket.StatusGoingAway {
			s.Errorf("close code %d", code)
		}
	})
}

// When Close returns, the close frame is on its way, and so is the end of the connection; what is being written at
// that moment is not lost.
func TestStopWaitsForTheClosingHandshake(t *testing.T) {
	inMemory(t, wsrelay.Options{}, func(s *site, c *raw, pid relay.PID) {
		const updates = 10 // as many as the mailbox holds
		for range updates {
			s.p.Send(pid, "update", payload.New(strings.Repeat("x", 1000)))
		}
		closed := make(chan error, 1)
		go func() { closed <- s.Host.Close(s.Context()) }()
		if code := c.closeCode(); code != websocket.StatusGoingAway { // after some of the updates, each of them whole
			s.Fatalf("close code %d", code)
		}
		synctest.Wait()
		select {
		case err := <-closed:
			s.Fatalf("Close has not waited for the answer: %v", err)
		default:
		}
		if _, err := io.WriteString(c.conn, whole(fin|text, "late")+whole(fin|closing, "\x03\xe9")); err != nil {
			s.Fatal(err)
		}
		if err := <-closed; err != nil {
			s.Error(err)
		}
		if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
			s.Errorf("after the handshake: %q, %v", rest, err)
		}
		// What came after ws.leave is nobody's: the target hears of the end of the session next.
	})
}

// A client that takes nothing for too long is cut off.
func TestStuckClient(t *testing.T) {
	inMemory(t, wsrelay.Options{WriteTimeout: 10 * time.Second}, func(s *site, _ *raw, pid relay.PID) {
		s.p.Send(pid, "large", payload.New(strings.Repeat("x", 1<<20)))
	})
}
