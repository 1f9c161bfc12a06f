// SPDX-License-Identifier: Apache-2.0

package http

import (
	"errors"
	iofs "io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/wippyrun/kit/wippy/service/fs"
)

var written = time.Date(2024, 12, 29, 15, 4, 5, 0, time.UTC)

// pages are the files of the tests.
var pages = map[string]string{
	"a.txt": "0123456789", "css/a.css": "body {}", "docs/index.html": "<p>docs</p>", "app/main.js": "main()", "shell.html": "<p>shell</p>",
	"page.html": "<p>page</p>", "assets/logo.svg": "<svg/>",
}

// site returns the pages in a directory, next to a secret that links in it lead to.
func siteDirectory(t *testing.T) fs.FS {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join(dir, "site")
	for name, text := range pages {
		name = filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644), os.Chtimes(name, written, written)); err != nil {
			t.Fatal(err)
		}
	}
	secret := filepath.Join(dir, "secret")
	if err := errors.Join(os.WriteFile(secret, []byte("secret"), 0o644), os.Symlink("../secret", filepath.Join(root, "link")),
		os.Symlink("..", filepath.Join(root, "up")), os.Mkdir(filepath.Join(root, "empty"), 0o755)); err != nil {
		t.Fatal(err)
	}
	d, err := fs.NewDirectory(root, 0o755, false)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// embedded returns the pages as a program carries them: without times.
func embedded() fs.FS {
	files := fstest.MapFS{}
	for name, text := range pages {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	files["empty"] = &fstest.MapFile{Mode: iofs.ModeDir}
	return fs.NewEmbedded(files)
}

// at mounts a filesystem.
func at(files fs.FS, c staticConfig) http.Handler {
	service := &fs.Service{}
	service.Add("app:site", files)
	c.fs = "app:site"
	m := &mount{config: c, files: service}
	mux := http.NewServeMux()
	mux.Handle(c.path+"/", m.handler())
	return mux
}

func ask(h http.Handler, method, url string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestStaticFiles(t *testing.T) {
	const html = "text/html; charset=utf-8"
	plain := staticConfig{cache: "max-age=60"}
	below := staticConfig{path: "/static"}
	spa := staticConfig{spa: true, index: "shell.html", cache: "no-cache"}
	spaBelow := staticConfig{path: "/app", spa: true, index: "shell.html"}
	for name, files := range map[string]fs.FS{"directory": siteDirectory(t), "embedded": embedded()} {
		for _, c := range []struct {
			config staticConfig
			url    string
			status int
			kind   string // content type, or where a redirect leads
			body   string
		}{
			{plain, "/a.txt", 200, "text/plain; charset=utf-8", "0123456789"},
			{plain, "/css/a.css", 200, "text/css; charset=utf-8", "body {}"},
			{plain, "/docs/", 200, html, "<p>docs</p>"},
			{plain, "/docs", 301, "docs/", ""},
			{plain, "/docs/index.html", 301, "./", ""},
			{plain, "/a.txt/", 301, "../a.txt", ""},
			{plain, "/none", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{plain, "/a.txt/none", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{plain, "/%00", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{plain, "/" + strings.Repeat("x", 300), 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{plain, "/link", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{plain, "/up/secret", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{plain, "/..%2fsecret", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{plain, "/%2e%2e/secret", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{plain, "/empty/", 200, html, "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n</pre>\n"},
			{below, "/static/css/a.css", 200, "text/css; charset=utf-8", "body {}"},
			{below, "/static", 307, "/static/", ""},
			{below, "/static/none", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{below, "/a.txt", 404, "text/plain; charset=utf-8", "404 page not found\n"},
			{spa, "/users/1", 200, html, "<p>shell</p>"},
			{spa, "/", 200, html, "<p>shell</p>"},
			{spa, "/a.txt", 200, "text/plain; charset=utf-8", "0123456789"},
			{spa, "/docs/", 200, html, "<p>docs</p>"},
			{spa, "/docs", 301, "docs/", ""},
			{spa, "/assets/", 200, html, "<p>shell</p>"},
			{spa, "/assets/none.js", 200, html, "<p>shell</p>"},
			{spa, "/link", 200, html, "<p>shell</p>"},
			{spa, "/..%2fsecret", 200, html, "<p>shell</p>"},
			{spaBelow, "/app/", 200, html, "<p>shell</p>"},
			{spaBelow, "/app/users/1", 200, html, "<p>shell</p>"},
			{spaBelow, "/app/css/a.css", 200, "text/css; charset=utf-8", "body {}"},
			{spaBelow, "/app/main.js", 200, "text/javascript; charset=utf-8", "main()"},
			{staticConfig{spa: true, index: "none.html", cache: "max-age=60"}, "/users/1", 500, "text/plain; charset=utf-8", "index file not found\n"},
			{staticConfig{spa: true, index: "docs"}, "/users/1", 500, "text/plain; charset=utf-8", "index file not found\n"},
		} {
			w := ask(at(files, c.config), "GET", c.url)
			kind := w.Header().Get("Content-Type")
			if w.Code/100 == 3 {
				kind = w.Header().Get("Location")
			}
			body := w.Body.String()
			if w.Code == 307 {
				body = ""
			}
			if w.Code != c.status || kind != c.kind || body != c.body {
				t.Errorf("%s: GET %s with %+v: %d %s %q, want %d %s %q", name, c.url, c.config, w.Code, kind, w.Body, c.status, c.kind, c.body)
			}
			cache := c.config.cache
			if w.Code >= 400 || w.Code == 307 { // a failure is not to be kept; the second is not ours
				cache = ""
			}
			if got := w.Header().Get("Cache-Control"); got != cache {
				t.Errorf("%s: GET %s: Cache-Control %q, want %q", name, c.url, got, cache)
			}
			if tag := w.Header().Get("ETag"); (tag != "") != (w.Code == 200 && c.url != "/empty/") && c.url != "/a.txt/" {
				t.Errorf("%s: GET %s: ETag %q", name, c.url, tag)
			}
		}
	}
}

func TestConditionalRequestsAndRanges(t *testing.T) {
	for name, files := range map[string]fs.FS{"directory": siteDirectory(t), "embedded": embedded()} {
		h := at(files, staticConfig{spa: true, index: "shell.html"})
		first := ask(h, "GET", "/a.txt")
		tag := first.Header().Get("ETag")
		if again := ask(h, "GET", "/a.txt").Header().Get("ETag"); tag != again || !strings.HasPrefix(tag, `"`) {
			t.Errorf("%s: ETag %q, then %q", name, tag, again)
		}
		if other := ask(h, "GET", "/page.html").Header().Get("ETag"); other == tag {
			t.Errorf("%s: two files with ETag %q", name, tag)
		}
		for _, c := range []struct {
			method, url string
			header      []string
			status      int
			body        string
		}{
			{"GET", "/a.txt", []string{"If-None-Match", tag}, 304, ""},
			{"GET", "/a.txt", []string{"If-None-Match", `"other"`}, 200, "0123456789"},
			{"GET", "/a.txt", []string{"If-Match", `"other"`}, 412, ""},
			{"GET", "/a.txt", []string{"Range", "bytes=2-4"}, 206, "234"},
			{"GET", "/a.txt", []string{"Range", "bytes=-2"}, 206, "89"},
			{"GET", "/a.txt", []string{"Range", "bytes=8-"}, 206, "89"},
			{"GET", "/a.txt", []string{"Range", "bytes=20-30"}, 416, "invalid range: failed to overlap\n"},
			{"GET", "/a.txt", []string{"Range", "bytes=2-4", "If-Range", tag}, 206, "234"},
			{"GET", "/a.txt", []string{"Range", "bytes=2-4", "If-Range", `"other"`}, 200, "0123456789"},
			{"HEAD", "/a.txt", nil, 200, ""},
			{"HEAD", "/users/1", nil, 200, ""},
			{"GET", "/users/1", []string{"If-None-Match", ask(h, "GET", "/").Header().Get("ETag")}, 304, ""},
		} {
			w := ask(h, c.method, c.url, c.header...)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("%s: %s %s %v: %d %q, want %d %q", name, c.method, c.url, c.header, w.Code, w.Body, c.status, c.body)
			}
		}
		if name == "directory" {
			if got := first.Header().Get("Last-Modified"); got != written.Format(http.TimeFormat) {
				t.Errorf("Last-Modified: %q", got)
			}
			if w := ask(h, "GET", "/a.txt", "If-Modified-Since", written.Format(http.TimeFormat)); w.Code != 304 {
				t.Errorf("If-Modified-Since: %d", w.Code)
			}
		}
		if w := ask(h, "GET", "/a.txt", "Range", "bytes=0-1,4-5"); w.Code != 206 || !strings.HasPrefix(w.Header().Get("Content-Type"), "multipart/byteranges") {
			t.Errorf("%s: two ranges: %d %s", name, w.Code, w.Header())
		}
	}
}

func TestMountOutlivesItsFiles(t *testing.T) {
	service := &fs.Service{}
	m := &mount{config: staticConfig{fs: "app:site"}, files: service}
	if w := ask(m, "GET", "/a.txt"); w.Code != 500 || w.Body.String() != "filesystem not found\n" {
		t.Errorf("without: %d %q", w.Code, w.Body)
	}
	service.Add("app:site", embedded())
	if w := ask(m, "GET", "/a.txt"); w.Code != 200 {
		t.Errorf("with: %d", w.Code)
	}
	locked, err := fs.NewDirectory(t.TempDir(), 0o300, false)
	if err != nil {
		t.Fatal(err)
	}
	service.Add("app:site", locked)
	if w := ask(m, "GET", "/a.txt"); w.Code != 403 {
		t.Errorf("not readable: %d", w.Code)
	}
}
