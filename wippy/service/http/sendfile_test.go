// SPDX-License-Identifier: Apache-2.0

package http

import (
	"net/http"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/service/fs"
)

// sender serves what handle answers through the middleware.
func sender(t *testing.T, s settings, handle http.HandlerFunc) http.Handler {
	t.Helper()
	service := &fs.Service{}
	service.Add("app:site", siteDirectory(t))
	l := NewListener(Deps{Files: service})
	m, err := l.newSendFile(s)
	if err != nil {
		t.Fatal(err)
	}
	return m(handle)
}

func TestSendFile(t *testing.T) {
	for name, c := range map[string]struct {
		header  []string // of the answer of the handler
		request []string
		fs      string
		status  int    // of the handler
		want    int    // of the client
		body    string // an error without its prefix, or what is in the file
	}{
		"a file":                {header: []string{"X-Sendfile", "a.txt"}, want: 200, body: "0123456789"},
		"by its other name":     {header: []string{"X-File-Path", "/a.txt"}, want: 200, body: "0123456789"},
		"a range":               {header: []string{"X-Sendfile", "a.txt"}, request: []string{"Range", "bytes=1-2"}, want: 206, body: "12"},
		"with status":           {header: []string{"X-Sendfile", "a.txt"}, status: 200, want: 200, body: "0123456789"},
		"with another status":   {header: []string{"X-Sendfile", "page.html"}, request: []string{"Range", "bytes=1-2"}, status: 404, want: 404, body: "<p>page</p>"},
		"no file":               {header: []string{"X-Sendfile", "none"}, want: 404, body: "!file not found: none"},
		"a directory":           {header: []string{"X-Sendfile", "docs"}, want: 404, body: "!file not found: docs"},
		"a link that leads out": {header: []string{"X-Sendfile", "link"}, want: 404, body: "!file not found: link"},
		"outside":               {header: []string{"X-Sendfile", "../secret"}, want: 400, body: "!invalid file path"},
		"up":                    {header: []string{"X-Sendfile", ".."}, want: 400, body: "!invalid file path"},
		"the root":              {header: []string{"X-Sendfile", "/."}, want: 400, body: "!invalid file path"},
		"no filesystem":         {header: []string{"X-Sendfile", "a.txt"}, fs: "-", want: 500, body: "!fs option not configured"},
		"unknown filesystem":    {header: []string{"X-Sendfile", "a.txt"}, fs: "app:none", want: 500, body: `!filesystem "app:none" not found`},
		"nothing to send":       {status: 204, want: 204},
		"only a name":           {header: []string{"X-File-Name", "x"}, want: 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings{"sendfile.fs": "app:site"}
			switch c.fs {
			case "":
			case "-":
				s = settings{}
			default:
				s = settings{"fs": c.fs}
			}
			h := sender(t, s, func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i < len(c.header); i += 2 {
					w.Header().Set(c.header[i], c.header[i+1])
				}
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
			})
			w := ask(h, "GET", "/", c.request...)
			body := c.body
			if text, bad := strings.CutPrefix(body, "!"); bad {
				body = "sendfile middleware: " + text + "\n"
			}
			if w.Code != c.want || w.Body.String() != body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, c.want, body)
			}
			for _, name := range []string{"X-Sendfile", "X-File-Path", "X-File-Name"} {
				if v, ok := w.Header()[http.CanonicalHeaderKey(name)]; ok {
					t.Errorf("the client sees %s: %q", name, v)
				}
			}
		})
	}
}

// TestSendFileLeavesBodiesAlone covers handlers that answer themselves, whatever headers they set.
func TestSendFileLeavesBodiesAlone(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"a body": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("mine")) },
		"a late header": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("mine"))
			w.Header().Set("X-Sendfile", "a.txt")
		},
		"both": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Sendfile", "a.txt")
			w.WriteHeader(200)
			_, _ = w.(interface{ WriteString(string) (int, error) }).WriteString("mine")
		},
		"flushed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Sendfile", "a.txt")
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write([]byte("mine"))
		},
	} {
		w := ask(sender(t, settings{"fs": "app:site"}, handle), "GET", "/")
		if w.Code != 200 || w.Body.String() != "mine" || w.Result().Header.Get("X-Sendfile") != "" {
			t.Errorf("%s: %d %q %v", name, w.Code, w.Body, w.Result().Header)
		}
	}
}

func TestSendFileNamesAttachments(t *testing.T) {
	for name, want := range map[string]string{
		"report.txt":   `attachment; filename="report.txt"`,
		"a \"b\\\r\nc": `attachment; filename="a _b___c"`,
		"Übersicht.md": `attachment; filename="Übersicht.md"; filename*=UTF-8''%C3%9Cbersicht.md`,
	} {
		h := sender(t, settings{"fs": "app:site"}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Sendfile", "a.txt")
			w.Header().Set("X-File-Name", name)
			w.Header().Set("Content-Type", "application/x-report")
		})
		w := ask(h, "GET", "/")
		if got := w.Header().Get("Content-Disposition"); got != want || w.Header().Get("Content-Type") != "application/x-report" {
			t.Errorf("%q: %s, %s", name, got, w.Header().Get("Content-Type"))
		}
	}
	h := sender(t, settings{"fs": "app:site"}, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Sendfile", "css/a.css") })
	w := ask(h, "GET", "/")
	if w.Header().Get("Content-Type") != "text/css; charset=utf-8" || w.Header().Get("ETag") == "" || w.Header().Get("Last-Modified") == "" {
		t.Errorf("header %v", w.Header())
	}
	if w := ask(h, "GET", "/", "If-None-Match", w.Header().Get("ETag")); w.Code != 304 {
		t.Errorf("the same again: %d", w.Code)
	}
}
