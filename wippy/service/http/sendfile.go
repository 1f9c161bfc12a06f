// SPDX-License-Identifier: Apache-2.0

package http

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
)

// The headers by which a handler names the file to serve instead of a body.
const (
	sendFile     = "X-Sendfile"
	sendFilePath = "X-File-Path"
	sendFileName = "X-File-Name"
)

// newSendFile lets a handler answer with a file of a filesystem: it names the file in a header and writes no body.
func (l *Listener) newSendFile(s settings) (middleware, error) {
	id := s.get("sendfile.fs", "fs", "")
	var tags tags
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			held := &heldWriter{ResponseWriter: w}
			next.ServeHTTP(held, r)
			if held.begun {
				return
			}
			h := w.Header()
			if name := named(h); name != "" {
				l.serveNamed(w, r, id, name, held.status, &tags)
			} else {
				dropNames(h)
				held.begin()
			}
		})
	}, nil
}

// named returns the file that a handler has named, "" for none.
func named(h http.Header) string {
	if name := h.Get(sendFile); name != "" {
		return name
	}
	return h.Get(sendFilePath)
}

// dropNames removes what is not for clients.
func dropNames(h http.Header) {
	for _, name := range []string{sendFile, sendFilePath, sendFileName} {
		h.Del(name)
	}
}

// serveNamed serves the file, with the status that the handler chose if it is another one than 200.
func (l *Listener) serveNamed(w http.ResponseWriter, r *http.Request, id, name string, status int, tags *tags) {
	h := w.Header()
	as := h.Get(sendFileName)
	dropNames(h)
	h.Del("Content-Length") // of the body that is not there
	fail := func(status int, text string) { http.Error(w, "sendfile middleware: "+text, status) }
	if id == "" {
		fail(http.StatusInternalServerError, "fs option not configured")
		return
	}
	if l.deps.Files == nil {
		fail(http.StatusInternalServerError, `filesystem "`+id+`" not found`)
		return
	}
	files, err := l.deps.Files.Get(id)
	if err != nil {
		fail(http.StatusInternalServerError, `filesystem "`+id+`" not found`)
		return
	}
	switch p := path.Clean(strings.TrimLeft(name, "/")); {
	case p == ".", p == "..", strings.HasPrefix(p, "../"), strings.IndexByte(p, 0) >= 0:
		fail(http.StatusBadRequest, "invalid file path")
		return
	}
	f, err := files.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		fail(http.StatusNotFound, "file not found: "+name)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		fail(http.StatusInternalServerError, "failed to stat file")
		return
	}
	if !info.Mode().IsRegular() {
		fail(http.StatusNotFound, "file not found: "+name)
		return
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		fail(http.StatusInternalServerError, "file does not support seeking")
		return
	}
	if as != "" {
		h.Set("Content-Disposition", attachment(as))
	}
	if status != 0 && status != http.StatusOK {
		// Another status goes with the whole file, whatever the client has of it.
		w = &otherStatus{w, status}
		r = r.Clone(r.Context())
		for _, name := range []string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
			r.Header.Del(name)
		}
	} else if h.Get("ETag") == "" {
		tags.set(h, files, name, f, info)
	}
	http.ServeContent(w, r, path.Base(name), info.ModTime(), f)
}

// attachment is the value of Content-Disposition for a file to keep under a name. Clients that know RFC 6266 take the
// second form where the name has more than ASCII.
func attachment(name string) string {
	ascii := true
	quoted := strings.Map(func(c rune) rune {
		switch {
		case c == '"' || c == '\\' || c < ' ' || c == 0x7f:
			return '_'
		case c > 0x7f:
			ascii = false
		}
		return c
	}, name)
	if ascii {
		return `attachment; filename="` + quoted + `"`
	}
	return `attachment; filename="` + quoted + `"; filename*=UTF-8''` + url.PathEscape(name)
}

// heldWriter keeps the status back until there is a body, when no file can take its place any more.
type heldWriter struct {
	http.ResponseWriter
	status int
	begun  bool
}

// begin lets the header go.
func (h *heldWriter) begin() {
	if h.begun {
		return
	}
	h.begun = true
	dropNames(h.Header())
	if h.status != 0 {
		h.ResponseWriter.WriteHeader(h.status)
	}
}

// WriteHeader implements http.ResponseWriter.
func (h *heldWriter) WriteHeader(status int) {
	switch {
	case status < http.StatusOK:
		h.ResponseWriter.WriteHeader(status)
	case h.status == 0:
		h.status = status
		if named(h.Header()) == "" {
			h.begin()
		}
	}
}

// Write implements http.ResponseWriter.
func (h *heldWriter) Write(p []byte) (int, error) {
	h.begin()
	return h.ResponseWriter.Write(p)
}

// WriteString implements io.StringWriter.
func (h *heldWriter) WriteString(p string) (int, error) {
	h.begin()
	return io.WriteString(h.ResponseWriter, p)
}

// ReadFrom implements io.ReaderFrom.
func (h *heldWriter) ReadFrom(r io.Reader) (int64, error) {
	h.begin()
	return io.Copy(h.ResponseWriter, r)
}

// FlushError is what http.ResponseController looks for.
func (h *heldWriter) FlushError() error {
	h.begin()
	return http.NewResponseController(h.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (h *heldWriter) Flush() { _ = h.FlushError() }

// Unwrap is how http.ResponseController finds the rest.
func (h *heldWriter) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// otherStatus replaces the status of a success.
type otherStatus struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (s *otherStatus) WriteHeader(status int) {
	if status == http.StatusOK {
		status = s.status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is how http.ResponseController finds the rest.
func (s *otherStatus) Unwrap() http.ResponseWriter { return s.ResponseWriter }
