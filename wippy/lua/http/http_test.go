// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/appctx"
	luahttp "github.com/wippyrun/kit/wippy/lua/http"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/system/exchange"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { luatest.Main(m) }

func setup(s *luatest.System) {
	luahttp.Register(s.Dispatch)
	stream.Register(s.Dispatch)
	s.Register(luahttp.Module())
}

// client gives up only when something is broken.
var client = &http.Client{Timeout: 2 * time.Minute}

// site answers requests with the body of a Lua function.
type site struct {
	*luatest.System
	*httptest.Server
	t testing.TB
}

func newSite(t testing.TB) *site {
	s := &site{System: luatest.New(t, setup), t: t}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var route *exchange.Route
		if r.Header.Get("X-No-Route") == "" {
			route = &exchange.Route{Endpoint: "app:e", Function: "app:f", Params: map[string]string{"id": "7", "rest...": "a/b"}}
		}
		x := exchange.New(w, r, route)
		f := appctx.NewFrame()
		if err := exchange.Key.Set(f, x); err != nil {
			t.Error(err)
		}
		var failure error
		pid, err := s.Processes.ExecAsync(context.Background(), processes.Spawn{Host: luatest.Host, Source: "app:f", Frame: f}, func(end topology.Result) {
			failure = end.Err
			x.Finish()
		})
		if err != nil {
			t.Error(err)
			return
		}
		x.Serve(func() { _ = s.Processes.Terminate(pid) })
		x.End(failure != nil, func(w http.ResponseWriter) {
			text := "not handled"
			if failure != nil {
				text = failure.Error()
			}
			http.Error(w, text, http.StatusInternalServerError)
		})
	}))
	t.Cleanup(client.CloseIdleConnections)
	t.Cleanup(s.Server.Close)
	return s
}

// ask answers one request with the given body of a function.
func (s *site) ask(function, method, path string, body io.Reader, header ...string) (*http.Response, string, error) {
	s.t.Helper()
	s.Define("app:f", "return { main = function() local req, res = http.request(), http.response() "+function+"\nend }")
	r, err := http.NewRequestWithContext(context.Background(), method, s.URL+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	answer, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, string(text), err
}

func TestRequest(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct{ expression, want string }{
		{`req:method() .. req:path()`, "POST/p/a b"},
		{`(req:host():match("^127%.0%.0%.1:%d+$") and "host") .. (req:remote_addr():match("^127%.0%.0%.1:%d+$") and "addr")`, "hostaddr"},
		{`req:query("tags") .. tostring(req:query("x")) .. "[" .. req:query("empty") .. "]"`, "anil[]"},
		{`req:query_params().tags .. "|" .. req:query_params().empty`, "a,b|"},
		{`req:header("X-Custom-Header") .. req:header("x-custom-header") .. req:header("X-CUSTOM-HEADER")`, "1, 21, 21, 2"},
		{`tostring(req:header("X-None")) .. tostring(req:header("Host"))`, "nilnil"},
		{`req:content_type() .. tostring(req:content_length()) .. tostring(req:has_body())`, "text/plain; charset=utf-84true"},
		{`tostring(req:is_content_type("text/plain")) .. tostring(req:is_content_type("text/html"))`, "truefalse"},
		{`tostring(req:accepts("text/html")) .. tostring(req:accepts("text/css")) .. tostring(req:accepts("text/*"))`, "truefalsefalse"},
		{`req:param("id") .. tostring(req:param("none")) .. tostring(req:param("rest")) .. req:param("rest...")`, "7nilnila/b"},
		{`req:params().id .. req:params()["rest..."]`, "7a/b"},
		{`tostring(req) .. tostring(res)`, "http.Request{method=POST, path=/p/a b}http.Response{}"},
		{`req:body() .. tostring(select(2, req:body()))`, "bodythe request body was read already"},
		{`tostring(select(2, http.request({max_body = 3}):body())) .. select(2, http.request({max_body = 3}):body()):kind()`, "request body too largeInvalid"},
		{`http.request({max_body = 0, timeout = -1}):body()`, "body"},
		{`select(2, req:body_json()):kind()`, "Invalid"},
		{`tostring(pcall(http.request, 1))`, "false"},
		{`tostring(pcall(req.method, res)) .. tostring(pcall(res.write, req, "x"))`, "falsefalse"},
		{`select(2, req:parse_multipart()):message()`, "content type is not multipart/form-data"},
		{`http.METHOD.DELETE .. http.STATUS.UNPROCESSABLE .. http.STATUS.INTERNAL_ERROR .. http.CONTENT.STREAM .. http.TRANSFER.SSE .. http.ERROR.WRITE_FAILED`,
			"DELETE422500application/octet-streamsseWRITE_FAILED"},
		{`tostring(pcall(function() http.STATUS.OK = 1 end))`, "false"},
	} {
		_, got, err := s.ask("res:write(tostring("+c.expression+"))", "POST", "/p/a%20b?tags=a&tags=b&empty=", strings.NewReader("body"),
			"X-Custom-Header", "1", "X-Custom-Header", "2", "Content-Type", "text/plain; charset=utf-8", "Accept", "text/html, application/json;q=0.5")
		if got != c.want || err != nil {
			t.Errorf("%s = %q, %v; want %q", c.expression, got, err, c.want)
		}
	}
}

func TestRequestWithout(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct{ expression, want string }{
		{`req:body() .. req:body() .. tostring(req:content_length()) .. tostring(req:has_body())`, "0false"},
		{`tostring(req:content_type()) .. tostring(req:accepts("text/html"))`, "nilfalse"},
		{`select(2, req:body_json()):kind()`, "Invalid"}, // empty is no JSON
		{`select(2, req:param("id")):kind() .. " " .. select(2, req:params()):message()`, "Internal no route parameters found"},
	} {
		if _, got, err := s.ask("res:write(tostring("+c.expression+"))", "GET", "/", nil, "X-No-Route", "1"); got != c.want || err != nil {
			t.Errorf("%s = %q, %v; want %q", c.expression, got, err, c.want)
		}
	}
}

func TestOutsideOfARequest(t *testing.T) {
	s := luatest.New(t, setup)
	s.Check(t, `
		for _, f in ipairs({http.request, http.response}) do
			local v, err = f()
			assert(v == nil and err:kind() == "Internal" and err:message() == "no HTTP request context found", tostring(err))
		end`)
}

func TestResponse(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("0123456789", 100_000)
	for _, c := range []struct {
		function string
		status   int
		kind     string
		want     string
	}{
		{`res:set_header("X-A", "1") res:set_content_type("application/json") res:set_status(201) res:write_json({a = 1})`, 201, "application/json", `{"a":1}`},
		{`res:set_status(400) res:write_json({a = 1})`, 400, "application/json", `{"a":1}`},
		{`res:set_content_type("text/x") res:write_json({a = 1})`, 200, "application/json", `{"a":1}`},
		{`res:set_content_type("text/x") res:set_status(200) res:write_json({a = 1})`, 200, "text/x", `{"a":1}`},
		{`assert(res:set_status(200) == nil) local err = res:set_header("A", "b") res:write(err:kind() .. err:message())`, 200, "text/plain; charset=utf-8",
			"Invalidcannot set headers after they are sent"},
		{`res:write("x") res:write(res:set_content_type("a/b"):message() .. res:set_transfer("sse"):message() .. res:set_status(201):message())`, 200,
			"text/plain; charset=utf-8", "xcannot set content type after headers are sentcannot set transfer mode after headers are sentcannot set status after headers are sent"},
		{`res:write("x") res:write(res:write_event({name = "a", data = 1}):message())`, 200, "text/plain; charset=utf-8", "xcannot switch to SSE mode after headers are sent"},
		{`res:write_event({name = "n", data = {x = 1}}) res:write_event({name = "n", data = "t"})`, 200, "text/event-stream",
			"event: n\ndata: {\"x\":1}\n\nevent: n\ndata: \"t\"\n\n"},
		{`res:set_transfer("sse") res:write_event({name = "n", data = false})`, 200, "text/event-stream", "event: n\ndata: false\n\n"},
		{`res:set_transfer("chunked") res:set_content_type("text/x") res:write("abc")`, 200, "text/x", "abc"},
		{`local ok, err = pcall(res.set_transfer, res, "other") res:write(tostring(err))`, 200, "text/plain; charset=utf-8", "invalid transfer type: other"},
		{`local ok = pcall(res.write_event, res, {data = 1}) res:write(tostring(ok) .. tostring(pcall(res.write_event, res, {name = "x"})))`, 200,
			"text/plain; charset=utf-8", "falsefalse an event needs a name and data"},
		{`local t = {} t.t = t local err = res:write_json(t) res:write(err:kind() .. err:message():sub(1, 22))`, 200, "text/plain; charset=utf-8", "Invalidfailed to encode JSON:"},
		{`res:set_status(200):write_json({})`, 200, "", ""},
		{`res:set_content_type("a/b")`, 500, "text/plain; charset=utf-8", "not handled\n"},
		{`res:set_transfer("sse")`, 500, "text/plain; charset=utf-8", "not handled\n"},
		{`error("broken")`, 500, "text/plain; charset=utf-8", "app:f:1: broken\n"},
		{`http.response():set_status(201) http.response():set_header("X-A", "1") http.response():write("ok")`, 201, "text/plain; charset=utf-8", "ok"},
		{`res:write(("0123456789"):rep(100000))`, 200, "text/plain; charset=utf-8", long},
		{`for i = 1, 100000 do assert(res:write("0123456789") == nil) end`, 200, "text/plain; charset=utf-8", long},
		{`res:set_content_type("text/plain; charset=utf-8") for i = 1, 1000 do assert(res:flush() == nil) res:write(("0123456789"):rep(100)) end`, 200, "text/plain; charset=utf-8", long},
		{`local text = ("ab"):gsub(".", function(c) res:write(c) end)`, 200, "text/plain; charset=utf-8", "ab"},
	} {
		answer, got, err := s.ask(c.function, "GET", "/", nil)
		if strings.HasPrefix(c.want, "falsefalse") {
			got = strings.SplitN(got, " ", 2)[0] + " an event needs a name and data"
		}
		if strings.Contains(c.function, "pcall(res.set_transfer") {
			got = got[strings.Index(got, "invalid"):]
		}
		if kind := answer.Header.Get("Content-Type"); answer.StatusCode != c.status || kind != c.kind || got != c.want || err != nil {
			if len(got) > 200 {
				got = got[:200]
			}
			t.Errorf("%s:\n%d %q %q, %v\nwant %d %q %.200q", c.function, answer.StatusCode, kind, got, err, c.status, c.kind, c.want)
		}
	}
}

// What a program puts into a header stays in it.
func TestAttackHeaderInjection(t *testing.T) {
	s := newSite(t)
	answer, body, err := s.ask(`res:set_header("X-A", "1\r\nX-B: 2\r\n\r\nbody") res:set_header("X C: 1\r\nX-D", "2") res:write("ok")`, "GET", "/", nil)
	if err != nil || body != "ok" || answer.Header.Get("X-B") != "" || answer.Header.Get("X-D") != "" {
		t.Errorf("%v %q, %v", answer.Header, body, err)
	}
	for _, code := range []string{"99", "1000", "-1", "0", "'x'"} {
		if answer, body, _ := s.ask(`res:write(tostring(pcall(res.set_status, res, `+code+`)))`, "GET", "/", nil); answer.StatusCode != 200 || !strings.HasPrefix(body, "false") {
			t.Errorf("%s: %s %q", code, answer.Status, body)
		}
	}
}

func TestEventStreamHeaders(t *testing.T) {
	s := newSite(t)
	answer, _, _ := s.ask(`res:write_event({name = "n", data = 1})`, "GET", "/", nil)
	if answer.Header.Get("Cache-Control") != "no-cache" || answer.ContentLength != -1 {
		t.Error(answer.Header, answer.ContentLength)
	}
	answer, _, _ = s.ask(`res:set_transfer("chunked") res:write("x")`, "GET", "/", nil)
	if answer.Header.Get("Cache-Control") != "no-cache" || len(answer.TransferEncoding) != 1 || answer.TransferEncoding[0] != "chunked" {
		t.Error(answer.Header, answer.TransferEncoding)
	}
}

// slowly is a body of unknown length in pieces.
type slowly struct{ pieces []string }

func (b *slowly) Read(p []byte) (int, error) {
	if len(b.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.pieces[0])
	b.pieces = b.pieces[1:]
	return n, nil
}

func TestStreamOfTheBody(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct{ function, want string }{
		{`local b, err = req:stream() assert(b, err)
		  local parts = {}
		  while true do local p, err = b:read(2) assert(not err) if not p then break end assert(#p <= 2) parts[#parts + 1] = p end
		  res:write(table.concat(parts))`, "abcde"},
		{`local sc = req:stream():scanner("bytes") local n = 0 while sc:scan() do n = n + 1 end res:write(tostring(n))`, "5"},
		{`local st = req:stream():stat() res:write(st.size .. tostring(st.readable) .. tostring(st.writable) .. tostring(st.seekable))`, "-1truefalsefalse"},
		{`req:stream() local again, err = req:stream() res:write(tostring(again) .. err:kind())`, "nilInternal"},
		{`req:stream() res:write(select(2, req:body()):message())`, "the request body was read already"},
		{`local b = http.request({max_body = 4}):stream() local p, err repeat p, err = b:read() until not p res:write(err:kind() .. err:message())`, "Internalrequest body too large"},
		{`local b = req:stream() while true do local p = b:read() if not p then break end res:write(p:upper()) res:flush() end`, "ABCDE"},
		{`local b = req:stream() b:read(1) b:close() res:write(tostring(select(2, b:read())))`, "stream is closed"},
	} {
		if _, got, err := s.ask(c.function, "POST", "/", &slowly{[]string{"abc", "de"}}); got != c.want || err != nil {
			t.Errorf("%s: %q, %v", c.function, got, err)
		}
	}
	if _, got, _ := s.ask(`local b, err = http.request({max_body = 4}):stream() res:write(err:kind() .. err:message())`, "POST", "/", strings.NewReader("abcde")); got != "Invalidrequest body too large" {
		t.Error(got)
	}
}

// A piece of the body that does not come in time ends the stream.
func TestStreamTimesOut(t *testing.T) {
	s := newSite(t)
	for _, limit := range []int{20, 500, 10_000, 60_000} {
		r, w := io.Pipe()
		go func() { _, _ = w.Write([]byte("ab")) }()
		_, got, _ := s.ask(fmt.Sprintf(`
			local b = http.request({timeout = %d}):stream()
			local piece, err = b:read()
			if piece then _, err = b:read() end
			res:write(tostring(piece) .. " " .. err:message())`, limit), "POST", "/", r)
		w.Close()
		switch rest := fmt.Sprintf(" request timeout after %v", time.Duration(limit)*time.Millisecond); got {
		case "ab" + rest:
			return
		case "nil" + rest: // the machine is so busy that not even the first piece has come
		default:
			t.Fatalf("%q", got)
		}
	}
	t.Error("the first piece does not come")
}

func form(t *testing.T) (body, kind string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	var errs []error
	for _, v := range []string{"x", "y"} {
		errs = append(errs, w.WriteField("list", v))
	}
	errs = append(errs, w.WriteField("one", "1"))
	for _, name := range []string{"a.txt", "b.txt"} {
		f, err := w.CreateFormFile("up", name)
		errs = append(errs, err)
		_, err = f.Write([]byte("content of " + name))
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, w.Close())...); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

func TestMultipart(t *testing.T) {
	s := newSite(t)
	body, kind := form(t)
	for _, c := range []struct{ function, want string }{
		{`local f = req:parse_multipart() res:write(f.values.one .. table.concat(f.values.list, "+") .. #f.files.up)`, "1x+y2"},
		{`local f = req:parse_multipart().files.up[2] res:write(f:name() .. f:size() .. f:header("content-type") .. tostring(f:header("x")) .. tostring(f))`,
			"b.txt16application/octet-streamnilhttp.MultipartFile{name=b.txt, size=16}"},
		{`local f = req:parse_multipart(1).files.up[1]
		  local a, b = f:stream(), f:stream()
		  a:seek("set", 11)
		  local st = a:stat()
		  res:write(a:read() .. "|" .. b:read() .. st.size .. tostring(st.seekable) .. tostring(st.writable) .. tostring(select(2, a:write("x")):kind()))`,
			"a.txt|content of a.txt16truefalseInternal"},
		{`res:write(select(2, http.request({max_body = 100}):parse_multipart()):message())`, "request body too large"},
		{`req:parse_multipart() res:write(select(2, req:parse_multipart()):kind())`, "Internal"},
	} {
		if _, got, err := s.ask(c.function, "POST", "/", strings.NewReader(body), "Content-Type", kind); got != c.want || err != nil {
			t.Errorf("%s: %q, %v", c.function, got, err)
		}
		// Its length unknown, a form is the same.
		if _, got, err := s.ask(c.function, "POST", "/", &slowly{[]string{body[:200], body[200:]}}, "Content-Type", kind); got != c.want || err != nil {
			t.Errorf("chunked, %s: %q, %v", c.function, got, err)
		}
	}
}
