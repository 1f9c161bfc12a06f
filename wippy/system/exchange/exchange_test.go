// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/wippy/system/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what tests wait for. It is only reached when something is broken.
const patience = 2 * time.Minute

// run answers requests with program, which has a goroutine of its own like a call has one.
// It tells how exchanges end.
func run(t *testing.T, failed bool, program func(x *exchange.Exchange, cancelled <-chan struct{})) (addr string, ends <-chan exchange.Outcome) {
	t.Helper()
	out := make(chan exchange.Outcome, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchange.New(w, r, nil)
		cancelled := make(chan struct{})
		go func() {
			program(x, cancelled)
			x.Finish()
		}()
		left := x.Serve(func() { close(cancelled) })
		o := x.End(failed, func(w http.ResponseWriter) { http.Error(w, "nobody has answered", http.StatusInternalServerError) })
		out <- o
		if left || failed && o.Begun {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), out
}

// ask sends a request as it is written and returns its connection.
func ask(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err == nil {
		_, err = io.WriteString(conn, text)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// answer reads a whole response.
func answer(t *testing.T, conn net.Conn) (*http.Response, string, error) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// within fails the test when c does not deliver.
func within[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("waited too long: " + what)
	}
	return v
}

func TestResponses(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct {
		program func(x *exchange.Exchange)
		status  int
		length  int64 // announced
		body    string
	}{
		"nothing":                 {func(*exchange.Exchange) {}, 500, 20, "nobody has answered\n"},
		"only a status":           {func(x *exchange.Exchange) { _ = x.SetStatus(204) }, 204, 0, ""},
		"handled without a word":  {func(x *exchange.Exchange) { x.Handled() }, 200, 0, ""},
		"the first status counts": {func(x *exchange.Exchange) { _ = x.SetStatus(201); _ = x.SetStatus(404) }, 201, 0, ""},
		"a body":                  {func(x *exchange.Exchange) { _, _ = x.Write("a"); _, _ = x.Write("b") }, 200, 2, "ab"},
		"a long body":             {func(x *exchange.Exchange) { _, _ = x.Write(long) }, 200, 5000, long},
		"a body for no body":      {func(x *exchange.Exchange) { _ = x.SetStatus(304); _, _ = x.Write(long) }, 304, 0, ""},
		"flushed":                 {func(x *exchange.Exchange) { _, _ = x.Write("a"); _, _ = x.Flush(); _, _ = x.Write("b") }, 200, -1, "ab"},
		"nothing flushed":         {func(x *exchange.Exchange) { _, _ = x.Flush() }, 200, -1, ""},
		"a length of its own": {func(x *exchange.Exchange) {
			_ = x.Header(func(h http.Header) { h.Set("Content-Length", "5000") })
			_, _ = x.Write(long)
		}, 200, 5000, long},
	} {
		t.Run(name, func(t *testing.T) {
			addr, ends := run(t, false, func(x *exchange.Exchange, _ <-chan struct{}) { c.program(x) })
			res, body, err := answer(t, ask(t, addr, get))
			o := within(t, ends, "the end")
			if res.StatusCode != c.status || body != c.body || err != nil || o.Err != nil {
				t.Errorf("%s %q, %v, %+v", res.Status, body, err, o)
			}
			// How a flush and the end meet is a matter of time.
			if !strings.Contains(name, "flushed") && res.ContentLength != c.length {
				t.Errorf("length %d, want %d", res.ContentLength, c.length)
			}
		})
	}
}

func TestHeadersAfterTheBlockAreIgnored(t *testing.T) {
	flushed := make(chan struct{})
	addr, ends := run(t, false, func(x *exchange.Exchange, _ <-chan struct{}) {
		_ = x.Header(func(h http.Header) { h.Set("X-Early", "1") })
		_, _ = x.Flush()
		<-flushed
		if err := x.Header(func(h http.Header) { h.Set("X-Late", "1") }); err != nil {
			t.Error(err)
		}
	})
	conn := ask(t, addr, get)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	close(flushed)
	within(t, ends, "the end") // a client that leaves before ends the request
	if err != nil || res.Header.Get("X-Early") == "" || res.Header.Get("X-Late") != "" {
		t.Errorf("%v, %v", res, err)
	}
}

// A client that takes nothing fills its window; then the program may wait, or go on without.
func TestSlowClientBlocksNobody(t *testing.T) {
	waits := make(chan error, 1)
	full := make(chan struct{})
	addr, ends := run(t, false, func(x *exchange.Exchange, _ <-chan struct{}) {
		piece := strings.Repeat("x", exchange.Window)
		for range 256 { // 16 MiB, more than any buffer of the kernel
			if _, err := x.Write(piece); err != nil {
				t.Error(err)
			}
		}
		x.Wait(func(err error) { waits <- err })
		close(full)
		if err := within(t, waits, "room"); err != nil {
			t.Error(err)
		}
	})
	conn := ask(t, addr, get)
	within(t, full, "writes that do not wait")
	if len(waits) != 0 {
		t.Error("there was room for more than the window")
	}
	_, body, err := answer(t, conn)
	if len(body) != 256*exchange.Window || err != nil {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	if o := within(t, ends, "the end"); !o.Handled || !o.Begun || o.Err != nil {
		t.Errorf("%+v", o)
	}
}

// A client that leaves ends what waits for it, whoever has noticed.
func TestAbandonedExchangeWakesWriters(t *testing.T) {
	waits := make(chan error, 1)
	full := make(chan struct{})
	addr, ends := run(t, false, func(x *exchange.Exchange, cancelled <-chan struct{}) {
		_, _ = x.Write(strings.Repeat("x", 32<<20))
		x.Wait(func(err error) { waits <- err })
		close(full)
		within(t, cancelled, "the call's end")
		if _, err := x.Write("late"); !errors.Is(err, exchange.ErrEnded) {
			t.Errorf("a late write: %v", err)
		}
		if _, err := x.Flush(); !errors.Is(err, exchange.ErrEnded) {
			t.Errorf("a late flush: %v", err)
		}
		if err := x.SetStatus(200); !errors.Is(err, exchange.ErrEnded) {
			t.Errorf("a late status: %v", err)
		}
		if err := x.Header(func(http.Header) {}); !errors.Is(err, exchange.ErrEnded) {
			t.Errorf("a late header: %v", err)
		}
		late := make(chan error, 1)
		x.Wait(func(err error) { late <- err })
		if err := <-late; !errors.Is(err, exchange.ErrEnded) {
			t.Errorf("a late wait: %v", err)
		}
	})
	conn := ask(t, addr, get)
	within(t, full, "the program")
	conn.Close()
	if err := within(t, waits, "the writer"); err == nil {
		t.Error("there was room")
	}
	within(t, ends, "the end")
}

// A client that only stops sending has left as well; what is written for it does not keep
// the exchange.
func TestHalfClosedClientHasLeft(t *testing.T) {
	begun := make(chan struct{})
	addr, ends := run(t, false, func(x *exchange.Exchange, cancelled <-chan struct{}) {
		_, _ = x.Write(strings.Repeat("x", 32<<20))
		close(begun)
		within(t, cancelled, "the call's end")
	})
	conn := ask(t, addr, get)
	within(t, begun, "the program")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	within(t, ends, "the end")
}

func TestFailedCallIsCutOff(t *testing.T) {
	addr, _ := run(t, true, func(x *exchange.Exchange, _ <-chan struct{}) { _, _ = x.Write("half") })
	if res, body, err := answer(t, ask(t, addr, get)); res.StatusCode != 200 || body != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%s %q, %v", res.Status, body, err)
	}
}

func TestBodyIsTakenOnce(t *testing.T) {
	addr, _ := run(t, false, func(x *exchange.Exchange, _ <-chan struct{}) {
		data, err := io.ReadAll(x.TakeBody())
		_, _ = x.Write(fmt.Sprint(string(data), err, x.TakeBody() == nil))
	})
	for request, want := range map[string]string{
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc": "abc<nil> true",
		get: "<nil> false",
	} {
		if _, body, err := answer(t, ask(t, addr, request)); body != want || err != nil {
			t.Errorf("%q, %v, want %q", body, err, want)
		}
	}
}

// The answer may come while the body does.
func TestDuplex(t *testing.T) {
	addr, _ := run(t, false, func(x *exchange.Exchange, _ <-chan struct{}) {
		x.Duplex()
		body := x.TakeBody()
		p := make([]byte, 10)
		for {
			n, err := body.Read(p)
			_, _ = x.Write(strings.ToUpper(string(p[:n])))
			_, _ = x.Flush()
			if err != nil {
				return
			}
		}
	})
	conn := ask(t, addr, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 2)
	for i, want := range []string{"AB", "CD"} {
		if _, err := io.ReadFull(res.Body, p); err != nil || string(p) != want {
			t.Fatalf("%q, %v", p, err)
		}
		if i == 0 {
			_, _ = io.WriteString(conn, "cd")
		}
	}
}

// A read that waits for the client ends with the call, and does not keep the connection.
func TestEndInterruptsReads(t *testing.T) {
	reads := make(chan error, 1)
	addr, ends := run(t, false, func(x *exchange.Exchange, _ <-chan struct{}) {
		began := make(chan struct{})
		body := x.TakeBody()
		go func() {
			p := make([]byte, 2)
			_, _ = io.ReadFull(body, p)
			close(began)
			_, err := body.Read(p)
			reads <- err
		}()
		<-began
		_, _ = x.Write("done")
	})
	res, body, _ := answer(t, ask(t, addr, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab"))
	if res.StatusCode != 200 || body != "done" {
		t.Errorf("%s %q", res.Status, body)
	}
	if err := within(t, reads, "the read"); !errors.Is(err, exchange.ErrEnded) {
		t.Errorf("the read: %v", err)
	}
	within(t, ends, "the end")
}

func TestCleanupRunsOnce(t *testing.T) {
	var order []int
	var x *exchange.Exchange
	addr, ends := run(t, false, func(e *exchange.Exchange, _ <-chan struct{}) {
		x = e
		for i := range 3 {
			e.Cleanup(func() { order = append(order, i) })
		}
	})
	answer(t, ask(t, addr, get))
	within(t, ends, "the end")
	x.Cleanup(func() { order = append(order, 3) })
	x.End(false, nil)
	if fmt.Sprint(order) != "[2 1 0 3]" {
		t.Error(order)
	}
}
