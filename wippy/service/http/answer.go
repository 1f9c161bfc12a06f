// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/wippyrun/kit/wippy/system/exchange"
)

// requestID is the header that names a request, in the answer and in the log too. A name
// that the client or a proxy gave it stays.
const requestID = "X-Request-Id"

// answer is the outermost response writer: it knows what was answered.
type answer struct {
	http.ResponseWriter
	request *http.Request
	route   *exchange.Route // once matched
	dev     bool            // show programmers what failed
	own     bool            // an endpoint has taken the request, and minds its body
	status  int             // 0 while the header block is not out
	bytes   int64
	made    [1]string // the request's id, when it had none
}

// ServeHTTP hands a request to the table of the moment.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	c := s.config.Load()
	a := &answer{ResponseWriter: w, request: r, dev: c.dev}
	id := r.Header.Get(requestID)
	if plausible(id) {
		w.Header()[requestID] = []string{id}
	} else {
		a.made[0] = strconv.FormatUint(rand.Uint64()|1<<60, 16)
		r.Header[requestID], w.Header()[requestID] = a.made[:], a.made[:]
	}
	if e, _ := r.Context().Value(epochKey{}).(*epoch); e != nil && e.config != c {
		c.limit(w, r, begin)
	}
	defer s.end(a, c, begin)
	(*s.table.Load()).ServeHTTP(a, r)
}

// limit sets the time limits of a request whose connection began with others. One without a body has been read: the
// server watches its connection for the client to leave, and a limit for that would be one for the answer.
func (c *serverConfig) limit(w http.ResponseWriter, r *http.Request, begin time.Time) {
	control := http.NewResponseController(w)
	var read, write time.Time
	if c.read > 0 {
		read = begin.Add(c.read)
	}
	if c.write > 0 {
		write = begin.Add(c.write)
	}
	if r.Body != http.NoBody {
		_ = control.SetReadDeadline(read)
	}
	_ = control.SetWriteDeadline(write)
}

// plausible accepts what others may call a request: it goes into logs and headers.
func plausible(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// end logs a request and contains a panic.
func (s *server) end(a *answer, c *serverConfig, begin time.Time) {
	v := recover()
	aborted := v != nil
	if err, ok := v.(error); aborted && !(ok && errors.Is(err, http.ErrAbortHandler)) {
		s.log.Error("panic", "server", s.id, "request", a.request.Header.Get(requestID), "method", a.request.Method, "path", a.request.URL.Path,
			"panic", v, "stack", string(debug.Stack()))
		if a.status == 0 {
			aborted = false
			h := a.Header()
			clear(h)
			h.Set(requestID, a.request.Header.Get(requestID))
			h.Set("Content-Type", "application/json")
			a.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(a).Encode(map[string]string{"error": "internal server error", "request": a.request.Header.Get(requestID)})
		}
	}
	level := slog.LevelDebug
	if c.access {
		level = slog.LevelInfo
	}
	if s.log.Enabled(context.Background(), level) {
		s.access(a, level, time.Since(begin), aborted)
	}
	if aborted {
		panic(http.ErrAbortHandler)
	}
	if !aborted && !a.own && a.request.Body != http.NoBody {
		a.linger() // harmless when all was read
	}
}

// access writes the record of a request.
func (s *server) access(a *answer, level slog.Level, took time.Duration, aborted bool) {
	r := a.request
	status := a.status
	if status == 0 {
		status = http.StatusOK // what net/http answers when nobody has
	}
	args := make([]any, 0, 22)
	args = append(args, "server", s.id, "method", r.Method, "path", r.URL.Path, "status", status, "bytes", a.bytes,
		"duration", took, "remote", r.RemoteAddr, "protocol", r.Proto, "request", r.Header.Get(requestID))
	if a.route != nil {
		args = append(args, "endpoint", a.route.Endpoint)
	}
	if aborted {
		args = append(args, "aborted", true)
	}
	s.log.Log(context.Background(), level, "request", args...)
}

// linger bounds how long the server looks for a body that nobody has read.
func (a *answer) linger() {
	_ = http.NewResponseController(a.ResponseWriter).SetReadDeadline(time.Now().Add(exchange.Linger))
}

func (a *answer) begin(status int) {
	if a.status != 0 || status < 200 {
		return
	}
	a.status = status
	if !a.own && a.request.Body != http.NoBody {
		a.linger()
	}
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	a.begin(status)
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.begin(http.StatusOK)
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// WriteString implements io.StringWriter.
func (a *answer) WriteString(p string) (int, error) {
	a.begin(http.StatusOK)
	n, err := io.WriteString(a.ResponseWriter, p)
	a.bytes += int64(n)
	return n, err
}

// ReadFrom lets files go out without a copy of ours.
func (a *answer) ReadFrom(r io.Reader) (int64, error) {
	a.begin(http.StatusOK)
	n, err := io.Copy(a.ResponseWriter, r)
	a.bytes += n
	return n, err
}

// Flush implements http.Flusher.
func (a *answer) Flush() { _ = a.FlushError() }

// FlushError is what http.ResponseController looks for.
func (a *answer) FlushError() error {
	a.begin(http.StatusOK)
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Unwrap is how http.ResponseController finds the rest.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// answerOf finds the outermost writer behind what middleware put before it.
func answerOf(w http.ResponseWriter) *answer {
	for w != nil {
		if a, ok := w.(*answer); ok {
			return a
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
	return nil
}
