// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/network"
	"github.com/wippyrun/kit/wippy/system/security"
)

// A server on an overlay network that is not there, or that takes no connections, does not start.
func TestOverlayIsNotThere(t *testing.T) {
	networks := network.New("")
	networks.Put("app:proxy", func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dialed") })
	for want, c := range map[string]struct {
		strict bool
		kind   fault.Kind
		data   map[string]any
	}{
		"overlay network not found: app:net":                                               {false, fault.NotFound, map[string]any{"network": "net"}},
		"not allowed: bind on network app:proxy":                                           {true, fault.PermissionDenied, map[string]any{"network": "proxy"}},
		"network app:proxy makes connections and takes none: a server cannot listen on it": {false, fault.Invalid, map[string]any{"network": "proxy"}},
		"tls.mode=auto requires an overlay network driver":                                 {false, fault.Invalid, map[string]any{"tls": map[string]any{"mode": "auto"}}},
	} {
		c.data["addr"] = "127.0.0.1:0"
		config, _, err := decodeServer(registry.Entry{ID: registry.ParseID("app:server"), Kind: KindService, Data: c.data})
		if err != nil {
			t.Fatal(err)
		}
		l := NewListener(Deps{Networks: func() *network.Directory { return networks }, Gate: security.NewGate(c.strict)})
		if _, err := newServer("app:server", config, slog.New(slog.DiscardHandler), l.overlay).Start(t.Context()); fault.KindOf(err) != c.kind || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// An address that is taken is an error that says so.
func TestAddressIsTaken(t *testing.T) {
	first := newServer("app:a", serverConfig{addr: "127.0.0.1:0"}, slog.New(slog.DiscardHandler), nil)
	if _, err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	addr := first.listener.Addr().String()
	second := newServer("app:b", serverConfig{addr: addr}, slog.New(slog.DiscardHandler), nil)
	if _, err := second.Start(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), addr) {
		t.Error(err)
	}
	for range 2 {
		if err := first.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	// A server that was stopped starts again.
	if _, err := second.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// nowhere is a listener whose connections come otherwise.
type nowhere struct{}

func (nowhere) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (nowhere) Close() error              { return nil }
func (nowhere) Addr() net.Addr            { return &net.UnixAddr{Name: "nowhere", Net: "unix"} }

// What does not end is cut off before the time for stopping is over, so that the stop is none that failed.
func TestStopCutsOffInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs record
		s := newServer("app:server", serverConfig{}, slog.New(slog.NewTextHandler(&logs, nil)), nil)
		begun, ended := make(chan struct{}), make(chan struct{})
		s.serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
			close(ended)
		}))
		s.listener, s.base = nowhere{}, t.Context()
		s.current = s.newEpoch(s.config.Load())
		client, conn := net.Pipe()
		s.hand(conn)
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-begun
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		at := time.Now()
		if err := s.Stop(ctx); err != nil || time.Since(at) != 7*time.Second {
			t.Errorf("the stop has taken %v: %v", time.Since(at), err)
		}
		<-ended
		if answer, err := io.ReadAll(client); len(answer) > 0 || err != nil {
			t.Errorf("the client got %q, %v", answer, err)
		}
		if text := logs.take(); !strings.Contains(text, "cut off") || strings.Contains(text, "level=ERROR") {
			t.Errorf("the log:\n%s", text)
		}
	})
}

// record keeps what is written to it.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

// take returns what was written since the last time.
func (r *record) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.b.Reset()
	return r.b.String()
}

// A panic of Go code is an answer where there was none, the end of the connection where there
// was, and a record with its stack.
func TestPanicIsContained(t *testing.T) {
	var logs record
	s := newServer("app:server", serverConfig{}, slog.New(slog.NewTextHandler(&logs, nil)), nil)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for name, c := range map[string]struct {
		h      http.HandlerFunc
		status int // 0: no whole answer
		logged bool
	}{
		"before": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "1"); panic("oh no") }, 500, true},
		"after":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("half")); panic("oh no") }, 0, true},
		"abort":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, false},
	} {
		s.serve(c.h)
		req, _ := http.NewRequestWithContext(t.Context(), "GET", web.URL, nil)
		req.Header.Set(requestID, "id-1")
		res, err := http.DefaultClient.Do(req)
		var body []byte
		if err == nil {
			body, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		switch {
		case c.status == 0 && err == nil:
			t.Errorf("%s: a whole answer: %s %q", name, res.Status, body)
		case c.status != 0 && (err != nil || res.StatusCode != c.status || res.Header.Get("X-A") != "" || res.Header.Get("Content-Type") != "application/json" ||
			string(body) != `{"error":"internal server error","request":"id-1"}`+"\n"):
			t.Errorf("%s: %v %v %q", name, res, err, body)
		}
		text := logs.take()
		if got := strings.Contains(text, "oh no") && strings.Contains(text, "server_test.go"); got != c.logged {
			t.Errorf("%s: logged %v:\n%s", name, got, text)
		}
	}
}

// All middleware lets the exchange through to the connection: deadlines, flushes, full duplex.
func TestMiddlewareHandsTheConnectionThrough(t *testing.T) {
	for name, make := range NewListener(Deps{}).makers() {
		m, err := make(settings{})
		if err != nil {
			continue // one that needs something is tested where that is
		}
		s := newServer("app:server", serverConfig{}, slog.New(slog.DiscardHandler), nil)
		asked := false
		s.serve(m(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked = true
			if answerOf(w) == nil {
				t.Errorf("%s hides the answer", name)
			}
			c := http.NewResponseController(w)
			for what, err := range map[string]error{
				"read deadline": c.SetReadDeadline(time.Now().Add(time.Hour)), "write deadline": c.SetWriteDeadline(time.Now().Add(time.Hour)), "duplex": c.EnableFullDuplex(), "flush": c.Flush(),
			} {
				if err != nil {
					t.Errorf("%s: %s: %v", name, what, err)
				}
			}
		})))
		web := httptest.NewServer(s)
		if res, err := http.Get(web.URL); err == nil {
			res.Body.Close()
		}
		web.Close()
		if !asked && !strings.HasSuffix(name, "_firewall") { // which lets nobody through here
			t.Errorf("%s: no request came through", name)
		}
	}
}
