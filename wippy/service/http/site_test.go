// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
)

// withSite is an application with static files of a directory.
func withSite(t *testing.T, entries string, more ...fn) *site {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"css/a.css": "body {}", "index.html": "<p>index</p>", "report.txt": strings.Repeat("report ", 1000)} {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return serveWith(t, index+"  - {name: files, kind: fs.directory, directory: \""+dir+"\"}\n"+strings.ReplaceAll(entries, "%", "%%"), more...)
}

func TestStaticEntries(t *testing.T) {
	s := withSite(t, `
  - {name: static, kind: http.static, meta: {server: server}, path: /static, fs: files, static_options: {cache: "public, max-age=60"}}
  - {name: spa, kind: http.static, meta: {server: server}, path: /, fs: "app:files", options: {spa: "true", index: index.html, cache: no-cache}}
  - name: packed
    kind: http.static
    meta: {server: server}
    path: /packed/
    fs: files
    middleware: [compress, cors]
    options: {compress.min.length: 100, cors.allow.origins: "*"}
`)
	for _, c := range []struct {
		path, cache, body string
		status            int
	}{
		{"/static/css/a.css", "public, max-age=60", "body {}", 200},
		{"/static/none", "", "404 page not found\n", 404},
		{"/users/1", "no-cache", "<p>index</p>", 200},
		{"/", "no-cache", "<p>index</p>", 200},
		{"/value", "", "", 200}, // an endpoint is more specific than a mount
		{"/api/none", "no-cache", "<p>index</p>", 200},
	} {
		if res, body := s.do("GET", c.path, ""); res.StatusCode != c.status || body != c.body || res.Header.Get("Cache-Control") != c.cache {
			t.Errorf("GET %s: %d %q %q", c.path, res.StatusCode, res.Header.Get("Cache-Control"), body)
		}
	}
	res, _ := s.do("GET", "/packed/report.txt", "", "Accept-Encoding", "gzip", "Origin", "https://example.org")
	if res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("Access-Control-Allow-Origin") != "https://example.org" {
		t.Errorf("header %v", res.Header)
	}
	if res, _ := s.do("OPTIONS", "/packed/report.txt", "", "Origin", "https://example.org", "Access-Control-Request-Method", "GET"); res.StatusCode != 204 {
		t.Errorf("preflight: %s", res.Status)
	}
}

// TestMountsFollowTheirEntries changes mounts while the server serves; what is wrong changes nothing.
func TestMountsFollowTheirEntries(t *testing.T) {
	s := withSite(t, "")
	r := s.app.Registry()
	apply := func(change func(*registry.Changeset)) error {
		var c registry.Changeset
		change(&c)
		_, err := r.Apply(t.Context(), c)
		return err
	}
	mount := func(name string, data map[string]any) registry.Entry {
		return registry.Entry{ID: registry.ParseID("app:" + name), Kind: "http.static", Meta: map[string]any{"server": "server"}, Data: data}
	}
	first := mount("m", map[string]any{"path": "/m", "fs": "files"})
	if err := apply(func(c *registry.Changeset) { c.CreateEntry(first) }); err != nil {
		t.Fatal(err)
	}
	if _, body := s.do("GET", "/m/css/a.css", ""); body != "body {}" {
		t.Error(body)
	}
	for name, c := range map[string]struct {
		entry registry.Entry
		want  string
	}{
		"no index":   {mount("x", map[string]any{"path": "/x", "fs": "files", "static_options": map[string]any{"spa": true}}), "index file must be specified for SPA mode"},
		"no fs":      {mount("x", map[string]any{"path": "/x"}), "fs is required"},
		"unknown fs": {mount("x", map[string]any{"path": "/x", "fs": "none"}), "filesystem not found"},
		"path":       {mount("x", map[string]any{"path": "x", "fs": "files"}), "path must start with /"},
		"no path":    {mount("x", map[string]any{"fs": "files"}), "path must start with /"},
		"wildcard":   {mount("x", map[string]any{"path": "/{x}", "fs": "files"}), "no wildcards"},
		"same path":  {mount("x", map[string]any{"path": "/m/", "fs": "files"}), "mount path already exists"},
		"middleware": {mount("x", map[string]any{"path": "/x", "fs": "files", "middleware": []any{"compres"}}), `middleware not found: compres, did you mean "compress"?`},
		"server": {registry.Entry{ID: registry.ParseID("app:x"), Kind: "http.static", Data: map[string]any{"path": "/x", "fs": "files"}},
			"server metadata is required"},
	} {
		err := apply(func(ch *registry.Changeset) { ch.CreateEntry(c.entry) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if err := apply(func(c *registry.Changeset) {
		c.UpdateEntry(mount("m", map[string]any{"path": "/moved", "fs": "files"}))
	}); err != nil {
		t.Fatal(err)
	}
	bad := apply(func(c *registry.Changeset) { c.UpdateEntry(mount("m", map[string]any{"path": "/gone", "fs": "none"})) })
	if bad == nil {
		t.Error("an update to no filesystem was taken")
	}
	for path, want := range map[string]int{"/m/css/a.css": 404, "/moved/css/a.css": 200, "/gone/css/a.css": 404} {
		if res, _ := s.do("GET", path, ""); res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if err := apply(func(c *registry.Changeset) { c.DeleteEntry(first.ID) }); err != nil {
		t.Fatal(err)
	}
	if res, _ := s.do("GET", "/moved/css/a.css", ""); res.StatusCode != 404 {
		t.Error("a deleted mount is live", res.Status)
	}
}

func TestSendFileOfAnEndpoint(t *testing.T) {
	s := withSite(t, `
  - {name: down, kind: http.router, meta: {server: server}, prefix: /down, middleware: [sendfile], options: {sendfile.fs: files}}
  - {name: report, kind: http.endpoint, meta: {router: down}, method: GET, path: /report, func: reports}
  - {name: json, kind: http.endpoint, meta: {router: down}, method: GET, path: /json, func: json.fn}
  - {name: broken, kind: http.endpoint, meta: {router: down}, method: GET, path: /broken, func: fails}
  - {name: status, kind: http.endpoint, meta: {router: down}, method: GET, path: /status, func: status.fn}
`,
		fn{"reports", "GET", "/reports", `
		local res = http.response()
		res:set_header("X-Sendfile", "report.txt")
		res:set_header("X-File-Name", "your report.txt")`},
		fn{"json.fn", "GET", "/json", `http.response():write_json({a = 1})`},
		fn{"status.fn", "GET", "/status", `local res = http.response() res:set_header("X-Sendfile", "none.txt") res:set_status(200)`})
	res, body := s.do("GET", "/down/report", "", "Range", "bytes=0-5")
	if res.StatusCode != 206 || body != "report" || res.Header.Get("Content-Disposition") != `attachment; filename="your report.txt"` || res.Header.Get("X-Sendfile") != "" {
		t.Errorf("%s %q %v", res.Status, body, res.Header)
	}
	if res, body := s.do("GET", "/down/report", ""); res.StatusCode != 200 || len(body) != 7000 || res.ContentLength != 7000 {
		t.Errorf("%s %d bytes, Content-Length %d", res.Status, len(body), res.ContentLength)
	}
	if res, body := s.do("GET", "/down/json", ""); res.StatusCode != 200 || body != `{"a":1}` || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %q %v", res.Status, body, res.Header)
	}
	if res, body := s.do("GET", "/down/broken", ""); res.StatusCode != 500 || !strings.Contains(body, "broken") {
		t.Errorf("%s %q", res.Status, body)
	}
	if res, body := s.do("GET", "/down/status", ""); res.StatusCode != 404 || body != "sendfile middleware: file not found: none.txt\n" {
		t.Errorf("%s %q", res.Status, body)
	}
}
