// SPDX-License-Identifier: Apache-2.0

package httpclient_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/internal/porttest"
	"github.com/wippyrun/kit/wippy/lua/httpclient"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
)

func newSystem(tb testing.TB, change ...func(*httpclient.Deps)) *luatest.System {
	deps := httpclient.Deps{Client: httpclient.NewClient()}
	tb.Cleanup(deps.Client.Close)
	for _, c := range change {
		c(&deps)
	}
	return luatest.New(tb, func(s *luatest.System) {
		httpclient.Register(s.Dispatch)
		stream.Register(s.Dispatch)
		s.Register(httpclient.Module(deps))
	})
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.RequestURI(), body)
	for _, name := range []string{"Content-Type", "Cookie", "Authorization", "X-A", "X-B"} {
		if v := r.Header.Get(name); v != "" {
			_, _ = fmt.Fprintf(w, "\n%s: %s", name, v)
		}
	}
}

// Requests say what they belong to, unless the program says so itself.
func TestTrace(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Join(r.Header["Traceparent"], "+"))
	}))
	t.Cleanup(server.Close)
	frames := make(chan *appctx.Frame, 10)
	sys := newSystem(t, func(d *httpclient.Deps) {
		d.Trace = func(f *appctx.Frame, h http.Header) {
			frames <- f
			h.Set("traceparent", "00-1-2-01")
		}
	})
	sys.Frame = appctx.NewFrame()
	check(t, sys, server.URL, map[string]string{"": `
		assert(http_client.get(url).body == "00-1-2-01")
		assert(http_client.get(url, {headers = {traceparent = "own"}}).body == "own")
		local batch = assert(http_client.request_batch({{"GET", url}, {"GET", url, {headers = {TraceParent = "own"}}}}))
		assert(batch[1].body == "00-1-2-01" and batch[2].body == "own")`})
	for range 4 {
		if f := <-frames; f == nil {
			t.Error("no frame")
		}
	}
}

// site is a server with something for everything the client can meet.
func site(tb testing.TB) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/host", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })
	mux.HandleFunc("/form", form)
	mux.HandleFunc("/status/404", http.NotFound)
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/cookies", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.Header().Add("x-many", "first")
		w.Header().Add("x-many", "second")
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "unpacked")
		_ = z.Close()
	})
	mux.HandleFunc("/once", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/echo?moved=1", http.StatusFound) })
	mux.HandleFunc("/forever", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/forever", http.StatusFound) })
	mux.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "short")
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1000)) })
	mux.HandleFunc("/peer", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })
	s := httptest.NewServer(mux)
	tb.Cleanup(s.Close)
	return s
}

func form(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out := map[string]any{"values": r.MultipartForm.Value}
	files := []string{}
	for field, list := range r.MultipartForm.File {
		for _, f := range list {
			in, err := f.Open()
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			content, _ := io.ReadAll(in)
			_ = in.Close()
			files = append(files, fmt.Sprintf("%s %s %s %s", field, f.Filename, f.Header.Get("Content-Type"), content))
		}
	}
	slices.Sort(files)
	out["files"] = files
	_ = json.NewEncoder(w).Encode(out)
}

func check(t *testing.T, s *luatest.System, url string, cases map[string]string) {
	t.Helper()
	for name, body := range cases {
		t.Run(name, func(t *testing.T) { s.Check(t, "local url = ... "+body, url) })
	}
}

func TestRequests(t *testing.T) {
	check(t, newSystem(t), site(t).URL, map[string]string{
		"methods": `
			for name, method in pairs({get = "GET", post = "POST", put = "PUT", delete = "DELETE", patch = "PATCH"}) do
				local r, err = http_client[name](url .. "/echo")
				assert(err == nil and r.status_code == 200 and r.body == method .. " /echo ", r.body)
			end
			local r = http_client.head(url .. "/echo")
			assert(r.status_code == 200 and r.body == nil and r.body_size == 0)
			assert(http_client.request("options", url .. "/echo").body == "OPTIONS /echo ")`,
		"response": `
			local r = http_client.get(url .. "/cookies")
			assert(r.cookies.a == "1" and r.cookies.b == "2")
			assert(r.headers["X-Many"] == "first" and r.headers["x-many"] == nil)
			assert(r.url == url .. "/cookies" and r.body == nil and r.body_size == 0 and r.stream == nil)
			assert(http_client.get(url .. "/empty").cookies == nil)`,
		"a status is no error": `
			local r, err = http_client.get(url .. "/status/404")
			assert(r.status_code == 404 and err == nil and r.body == "404 page not found\n" and r.body_size == #r.body)`,
		"query": `
			assert(http_client.get(url .. "/echo", {query = {a = "1", n = 2}}).body == "GET /echo?a=1 ")
			local r = http_client.get(url .. "/echo?z=0&a=old", {query = {a = "x y", b = "&"}})
			assert(r.body == "GET /echo?a=x+y&b=%26&z=0 ", r.body)
			assert(r.url == url .. "/echo?a=x+y&b=%26&z=0")
			-- Without query the URL stays as it is.
			assert(http_client.get(url .. "/echo?z=0&a=1", {query = {n = 1}}).body == "GET /echo?z=0&a=1 ")`,
		"body": `
			local r = http_client.post(url .. "/echo", {body = "data", headers = {["x-a"] = "1", ["X-B"] = 2}})
			assert(r.body == "POST /echo data\nX-A: 1", r.body)
			r = http_client.post(url .. "/echo", {body = "{}", headers = {["Content-Type"] = "application/json"}})
			assert(r.body == "POST /echo {}\nContent-Type: application/json", r.body)`,
		"form": `
			local r = http_client.post(url .. "/echo", {form = {b = "x y", a = "1", n = 1}, body = "not this"})
			assert(r.body == "POST /echo a=1&b=x+y\nContent-Type: application/x-www-form-urlencoded", r.body)`,
		"files": `
			local r = http_client.post(url .. "/form", {form = {name = "Ada"}, body = "not this", files = {
				{name = "up", filename = "a.txt", content = "aaa", content_type = "text/plain"},
				{name = "up", content = "bb"}, {name = "none"}, {content = "nameless"}, "wrong", {name = "n", content = 1},
			}})
			assert(r.body == '{"files":["up a.txt application/octet-stream aaa","up up application/octet-stream bb"],"values":{"name":["Ada"]}}\n', r.body)`,
		"cookies and auth": `
			local r = http_client.get(url .. "/echo", {cookies = {b = "2", a = "1"}, auth = {user = "u", pass = "p"}})
			assert(r.body == "GET /echo \nCookie: a=1; b=2\nAuthorization: Basic dTpw", r.body)
			assert(http_client.get(url .. "/echo", {auth = {pass = "p"}}).body == "GET /echo ")`,
		"host":     `assert(http_client.get(url .. "/host", {headers = {host = "example.com"}}).body == "example.com")`,
		"gzip":     `local r = http_client.get(url .. "/gzip") assert(r.body == "unpacked" and r.body_size == 8)`,
		"redirect": `local r = http_client.post(url .. "/once", {body = "x"}) assert(r.body == "GET /echo?moved=1 " and r.url == url .. "/echo?moved=1")`,
		"wrong options are left out": `
			local r = http_client.get(url .. "/echo", {headers = 1, body = {}, query = "x", form = false, files = "f", cookies = 3, auth = "a",
				timeout = "soon", stream = "yes", max_response_body = "1", unix_socket = 7, tls = 1, overlay_network = {}, unknown = 1})
			assert(r.body == "GET /echo ")
			assert(http_client.get(url .. "/echo", {tls = {}, timeout = -1, max_response_body = -5}).status_code == 200)`,
		"connections are kept": `assert(http_client.get(url .. "/peer").body == http_client.get(url .. "/peer").body)`,
		"other coroutines go on": `
			local done = channel.new()
			coroutine.spawn(function() http_client.get(url .. "/half", {timeout = "50ms"}) done:send(true) end)
			assert(http_client.get(url .. "/echo").status_code == 200)
			done:receive()`,
	})
}

func TestFailures(t *testing.T) {
	nobody := "http://" + porttest.Address(t)
	s, url := newSystem(t), site(t).URL
	for name, c := range map[string]struct{ call, message string }{
		"nobody listens":    {`http_client.get("` + nobody + `")`, "connection refused"},
		"bad URL":           {`http_client.get("http://a b/")`, "invalid character"},
		"no scheme":         {`http_client.get("example")`, "unsupported protocol scheme"},
		"bad method":        {`http_client.request("B D", url)`, "invalid method"},
		"bad header":        {`http_client.get(url, {headers = {["a b"] = "c"}})`, "invalid header field name"},
		"header with lines": {`http_client.get(url, {headers = {a = "b\r\nc: d"}})`, "invalid header field value"},
		"endless redirects": {`http_client.get(url .. "/forever")`, "stopped after 10 redirects"},
		"cut":               {`http_client.get(url .. "/cut")`, "unexpected EOF"},
		"no answer":         {`http_client.get(url .. "/never", {timeout = "20ms"})`, "Client.Timeout exceeded"},
		"seconds":           {`http_client.get(url .. "/never", {timeout = 0.02})`, "Client.Timeout exceeded"},
		"no end":            {`http_client.get(url .. "/half", {timeout = "20ms"})`, "Client.Timeout"},
		"too large":         {`http_client.get(url .. "/large", {max_response_body = 999})`, "response body too large (max 999 bytes)"},
		"cert without key":  {`http_client.get(url, {tls = {cert = "x"}})`, "both cert and key must be provided together"},
		"bad pair":          {`http_client.get(url, {tls = {cert = "x", key = "y"}})`, "tls: failed to find any PEM data"},
		"bad ca":            {`http_client.get(url, {tls = {ca = "x"}})`, "ca holds no certificate"},
		"no socket":         {`http_client.get(url, {unix_socket = "/nonexistent/socket"})`, "no such file"},
		"no network":        {`http_client.get(url, {overlay_network = "app:vpn"})`, "overlay network not found: app:vpn"},
	} {
		t.Run(name, func(t *testing.T) {
			s.Check(t, `
				local url, want = ...
				local r, err = `+c.call+`
				assert(r == nil and err:kind() == "Internal" and err:retryable() == true, tostring(err))
				assert(err:message():find(want, 1, true), err:message())`, url, c.message)
		})
	}
	s.Check(t, `
		local url = ...
		assert(http_client.get(url .. "/large", {max_response_body = 1000}).body_size == 1000)
		for _, bad in ipairs({{http_client.get}, {http_client.get, ""}, {http_client.get, {}}, {http_client.request, ""}, {http_client.request, "GET"},
			{http_client.request, "", url}, {http_client.request_batch, {}}, {http_client.request_batch}, {http_client.get, url, "x"}, {http_client.encode_uri}}) do
			assert(not pcall(unpack(bad)))
		end`, url)
}

func TestURIs(t *testing.T) {
	newSystem(t).Check(t, `
		assert(http_client.encode_uri("a b&c") == "a+b%26c")
		assert(http_client.decode_uri("a+b%26c") == "a b&c")
		local v, err = http_client.decode_uri("%zz")
		assert(v == nil and err:kind() == "Invalid" and err:message() == 'invalid URL escape "%zz"', err)`)
}

func TestBatch(t *testing.T) {
	s, url := newSystem(t), site(t).URL
	check(t, s, url, map[string]string{
		"all": `
			local all, errs = http_client.request_batch({{"get", url .. "/echo"}, {"POST", url .. "/echo", {body = "x"}}, {"GET", url .. "/empty"}})
			assert(errs == nil and #all == 3)
			assert(all[1].body == "GET /echo " and all[2].body == "POST /echo x" and all[3].body == nil)`,
		"some fail": `
			local all, errs = http_client.request_batch({{"GET", url .. "/cut"}, {"GET", url .. "/echo"}, {"GET", url .. "/never", {timeout = "10ms"}}})
			assert(all[1] == nil and all[2].status_code == 200 and all[3] == nil)
			assert(errs[1]:kind() == "Internal" and errs[1]:retryable() == true and errs[2] == nil and errs[3]:message():find("Timeout"))`,
		"refused": `
			for text, bad in pairs({
				["each request must be a table"] = "x", ["method must be a string"] = {1, url}, ["URL must be a string"] = {"GET"},
				["streaming not supported in batch requests"] = {"GET", url, {stream = true}},
			}) do
				local all, err = http_client.request_batch({{"GET", url .. "/never"}, bad})
				assert(all == nil and err:kind() == "Invalid" and err:message() == text and err:retryable() == false, err)
			end`,
	})
	var many sync.WaitGroup
	arrived := make(chan struct{})
	many.Add(20)
	together := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		many.Done()
		<-arrived
	}))
	t.Cleanup(together.Close)
	go func() { many.Wait(); close(arrived) }()
	s.Check(t, `
		local list = {}
		for i = 1, 20 do list[i] = {"GET", (...)} end
		local all, errs = http_client.request_batch(list)
		assert(#all == 20 and errs == nil)`, together.URL)
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(echo)}}
	server.Start()
	t.Cleanup(server.Close)
	newSystem(t).Check(t, `
		local r, err = http_client.get("http://nobody.invalid/echo", {unix_socket = (...)})
		assert(r and r.body == "GET /echo ", tostring(err))`, path)
}

// Requests end with the process that sent them.
func TestRequestsEndWithTheirProcess(t *testing.T) {
	arrived, left := make(chan struct{}, 2), make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	}))
	t.Cleanup(server.Close)
	s := newSystem(t)
	for _, call := range []string{`http_client.get("` + server.URL + `")`, `http_client.request_batch({{"GET", "` + server.URL + `"}})`} {
		s.Define("app:asks", `return { main = function() `+call+` end }`)
		pid, err := s.Processes.Start(t.Context(), spawn("app:asks"))
		if err != nil {
			t.Fatal(err)
		}
		<-arrived
		if err := s.Processes.Terminate(pid); err != nil {
			t.Fatal(err)
		}
		<-left
	}
}
