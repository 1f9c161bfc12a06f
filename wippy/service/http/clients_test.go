// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// dial connects to the server; what the client does and waits for takes a bounded time.
func (s *site) dial() net.Conn {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	return conn
}

// Clients that do not speak HTTP get an answer or lose their connection.
func TestBadClients(t *testing.T) {
	s := start(t)
	for name, c := range map[string]struct {
		text string
		want int // 0: no answer
	}{
		"no HTTP":             {"hello\r\n\r\n", 400},
		"oversized header":    {"GET /value HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n", 431},
		"bad chunk size":      {"POST /raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 200},
		"two lengths":         {"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
		"length and chunks":   {"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		"bad request target":  {"GET value HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"control characters":  {"GET /va\x00lue HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"no host":             {"GET /value HTTP/1.1\r\n\r\n", 400},
		"bad header name":     {"GET /value HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400},
		"unknown expectation": {"GET /value HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n", 417},
		"HTTP/2 in the clear": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
	} {
		conn := s.dial()
		go func() { _, _ = io.WriteString(conn, c.text) }()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case res.StatusCode != c.want:
			t.Errorf("%s: %s", name, res.Status)
		}
		conn.Close()
	}
	if res, _ := s.do("GET", "/value", ""); res.StatusCode != 200 {
		t.Error("the server is gone", res.Status)
	}
}

// A client that hangs up in its body, or between chunks, has left: the call that reads it ends.
func TestTruncatedBodies(t *testing.T) {
	s := start(t, fn{"upload", "POST", "/upload", `
		process.registry.register("slow")
		events.send("test", "waits", "/")
		process.inbox():receive()
		http.request():body()
		channel.new():receive()`})
	happens := make(chan string, 2)
	for _, what := range []string{"waits", "watches"} {
		if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", what), func(event) { happens <- what }); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"short body":     "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
		"between chunks": "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	} {
		conn := s.dial()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		s.see(happens, "waits")
		watched := make(chan string, 1)
		go func() { _, text := s.do("GET", "/watch", ""); watched <- text }()
		s.see(happens, "watches")
		conn.Close()
		if err := s.app.Send("slow", "go on"); err != nil {
			t.Fatal(name, err)
		}
		s.see(watched, "pid.exit context canceled")
	}
}

// Text that is not UTF-8 reaches the program as it is and does not break the log.
func TestInvalidUTF8(t *testing.T) {
	s := start(t, fn{"bytes", "POST", "/bytes/{part}", `
		local req = http.request()
		local body = req:body()
		http.response():write(req:param("part") .. req:query("q") .. req:header("X-Raw") .. body)`})
	conn := s.dial()
	_, _ = io.WriteString(conn, "POST /bytes/%ff%fe?q=%c3 HTTP/1.1\r\nHost: x\r\nX-Raw: \xa0\xa1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\xf0\x80")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if want := "\xff\xfe\xc3\xa0\xa1\xf0\x80"; err != nil || string(got) != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// An error after output is logged, and the client does not take what it has for all.
func TestErrorAfterOutputCutsTheConnection(t *testing.T) {
	s := start(t,
		fn{"cut", "GET", "/cut", `http.response():write("half") error("broken in the middle")`},
		fn{"cutflushed", "GET", "/cutflushed", `local res = http.response() res:write("half") res:flush() return nil, errors.new("sorry in the middle")`},
		fn{"cutlong", "GET", "/cutlong", `local res = http.response() for i = 1, 100 do res:write(("x"):rep(10000)) end error("broken at the end")`},
	)
	for path, text := range map[string]string{"/cut": "app:cut:1: broken in the middle", "/cutflushed": "sorry in the middle", "/cutlong": "broken at the end"} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
		res, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
		if logs := s.logs.String(); !strings.Contains(logs, "endpoint failed") || !strings.Contains(logs, text) {
			t.Errorf("%s: not logged:\n%s", path, logs)
		}
	}
}

// A client that goes away in the middle of a stream ends the call that writes it, which is mentioned once and costs
// no memory, however much there would have been to write.
func TestClientThatLeavesAStream(t *testing.T) {
	s := start(t,
		fn{"endless", "GET", "/endless", `
			local res, part = http.response(), ("x"):rep(100000)
			process.registry.register("slow")
			events.send("test", "waits", "/")
			process.inbox():receive()
			while true do res:write(part) end`},
		fn{"endlessevents", "GET", "/endlessevents", `
			local res, part = http.response(), ("x"):rep(100000)
			process.registry.register("slow")
			events.send("test", "waits", "/")
			process.inbox():receive()
			while true do res:write_event({name = "n", data = part}) end`})
	happens := make(chan string, 2)
	for _, what := range []string{"waits", "watches"} {
		if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", what), func(event) { happens <- what }); err != nil {
			t.Fatal(err)
		}
	}
	before := memory()
	for _, path := range []string{"/endless", "/endlessevents"} {
		conn := s.dial()
		if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		s.see(happens, "waits")
		watched := make(chan string, 1)
		go func() { _, text := s.do("GET", "/watch", ""); watched <- text }()
		s.see(happens, "watches")
		if err := s.app.Send("slow", "go on"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			_, err = io.CopyN(io.Discard, res.Body, 1_000_000)
		}
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		s.see(watched, "pid.exit context canceled")
	}
	if after := memory(); after > before+(16<<20) {
		t.Errorf("%d bytes before, %d after", before, after)
	}
	s.app.Stop()
	if n := strings.Count(s.logs.String(), "client left"); n != 2 {
		t.Errorf("mentioned %d times:\n%s", n, s.logs)
	}
	if strings.Contains(s.logs.String(), `"level":"error"`) {
		t.Errorf("the log:\n%s", s.logs)
	}
}

// As many clients that take nothing as there are workers, and more, hold up nobody else.
func TestSlowClientsBlockNobody(t *testing.T) {
	s := start(t, fn{"big", "GET", "/big", `
		local res, part = http.response(), ("x"):rep(1000000)
		events.send("test", "writes", "/")
		for i = 1, 32 do
			local err = res:write(part)
			if err then events.send("test", "fails", "/") return end
		end`})
	writes := make(chan string, 64)
	if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", "writes"), func(event) { writes <- "writes" }); err != nil {
		t.Fatal(err)
	}
	slow := make([]net.Conn, 4*runtime.GOMAXPROCS(0))
	for i := range slow {
		slow[i] = s.dial()
		if _, err := io.WriteString(slow[i], "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		s.see(writes, "writes")
	}
	for range 50 {
		if res, _ := s.do("GET", "/value", ""); res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
	}
	// One that takes it after all gets everything.
	res, err := http.ReadResponse(bufio.NewReader(slow[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, res.Body); n != 32_000_000 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// A form above the memory allowed goes to files, which are gone when the request is.
func TestMultipartSpillsToFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := start(t, fn{"spill", "POST", "/spill/{memory}", `
		local req = http.request()
		local form, err = req:parse_multipart(tonumber(req:param("memory")))
		if err then http.response():write(err:kind() .. " " .. err:message()) return end
		process.registry.register("spill") events.send("test", "parsed", "/")
		process.inbox():receive()
		http.response():write(tostring(form.files.up[1]:size()))`})
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	f, _ := w.CreateFormFile("up", "big.bin")
	_, _ = f.Write(bytes.Repeat([]byte("x"), 1<<20))
	w.Close()
	count := func() int {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	counted := make(chan int, 1)
	if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", "parsed"), func(e event) {
		counted <- count()
		_ = s.app.Send("spill", "go")
	}); err != nil {
		t.Fatal(err)
	}
	for memory, files := range map[int]int{1000: 1, 2 << 20: 0} {
		_, got := s.do("POST", fmt.Sprintf("/spill/%d", memory), b.String(), "Content-Type", w.FormDataContentType())
		if n := <-counted; n != files || got != "1048576" {
			t.Errorf("with %d bytes of memory: %d files, %q", memory, n, got)
		}
		if n := count(); n != 0 {
			t.Errorf("%d files are left", n)
		}
	}
	for _, bad := range []string{"", "no part", b.String()[:1000]} {
		if _, got := s.do("POST", "/spill/10", bad, "Content-Type", w.FormDataContentType()); !strings.HasPrefix(got, "Internal ") {
			t.Errorf("%q was taken: %s", bad, got)
		}
		if n := count(); n != 0 {
			t.Errorf("%d files are left", n)
		}
	}
}

// A body that does not come is given up, by whoever reads it too.
func TestSlowBodyTimesOut(t *testing.T) {
	s := start(t, fn{"hurry", "POST", "/hurry", `
		local body, err = http.request({timeout = 20}):body()
		http.response():write(err:kind() .. " " .. err:message())`})
	conn := s.dial()
	if _, err := io.WriteString(conn, "POST /hurry HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn) // the connection cannot be used any more
	if !strings.Contains(string(answer), "Internal request timeout after 20ms") {
		t.Errorf("%q, %v", answer, err)
	}
	// Who has read may still be on its way out of there.
	limit, tick := time.NewTimer(patience), time.NewTicker(time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	stacks := make([]byte, 4<<20)
	for {
		all := stacks[:runtime.Stack(stacks, true)]
		if !bytes.Contains(all, []byte("lua/http.(*request)")) {
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("somebody still reads:\n%s", all)
		}
	}
}

// A body that nobody reads holds the answer up for a bounded time.
func TestBodyThatNobodyReads(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/value", "/unknown"} {
		conn := s.dial()
		t.Run(path[1:], func(t *testing.T) {
			t.Parallel()
			_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", path)
			if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
				t.Error(err)
			}
		})
	}
}
