// SPDX-License-Identifier: Apache-2.0

// Package exchange is one HTTP request and its response, between the server that
// received it and the call that answers it. The call finds it in its frame; what the call
// calls in turn does not.
package exchange

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/wippyrun/kit/appctx"
)

// Key is where the frame of the call that answers a request has it.
var Key = appctx.NewFrameKey[*Exchange]("http.exchange")

// Route is what a request was found to be for.
type Route struct {
	Endpoint string            // entry id
	Function string            // id of what is called
	Params   map[string]string // values of the path's wildcards; empty ones are left out
}

// ErrEnded is what writes get when the request is over: the client has left, or the call
// outlived its time.
var ErrEnded = errors.New("the request has ended")

// Exchange is a request with its response. The response's methods may be called from any
// goroutine; after End they fail and write nothing.
//
// The header block goes out with the first byte of the body, a flush or the end, although
// SetStatus says that it has: so a body that is JSON can still say so.
type Exchange struct {
	Request *http.Request
	Route   Route

	mu      sync.Mutex // guards all below
	w       http.ResponseWriter
	status  int
	written bool // the header block is out
	handled bool // the program has answered
	ended   bool
	taken   bool // the body
}

// New makes the exchange of a request.
func New(w http.ResponseWriter, r *http.Request, route Route) *Exchange {
	return &Exchange{Request: r, Route: route, w: w}
}

// TakeBody returns the body of the request, once; nil after that. A request without a
// body has an empty one every time.
func (e *Exchange) TakeBody() io.Reader {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.Request.Body == nil || e.Request.Body == http.NoBody {
		return http.NoBody
	}
	if e.taken {
		return nil
	}
	e.taken = true
	return e.Request.Body
}

// Header calls f with the header of the response, unless it is out.
func (e *Exchange) Header(f func(http.Header)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return ErrEnded
	}
	f(e.w.Header())
	return nil
}

// SetStatus chooses the status, once.
func (e *Exchange) SetStatus(code int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return ErrEnded
	}
	e.handled = true
	if e.status == 0 {
		e.status = code
	}
	return nil
}

// Write writes a piece of the body. It blocks while the client is slow.
func (e *Exchange) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return 0, ErrEnded
	}
	e.handled = true
	e.head()
	return e.w.Write(p)
}

// Flush sends what was written.
func (e *Exchange) Flush() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return ErrEnded
	}
	e.handled = true
	e.head()
	err := http.NewResponseController(e.w).Flush()
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// head sends the header block.
func (e *Exchange) head() {
	if e.written {
		return
	}
	e.written = true
	if e.status != 0 {
		e.w.WriteHeader(e.status)
	}
}

// Handled marks the request as answered, whatever was written.
func (e *Exchange) Handled() {
	e.mu.Lock()
	e.handled = true
	e.mu.Unlock()
}

// End makes the response final. Unless the program has answered, answer does, with the
// writer to itself.
func (e *Exchange) End(answer func(w http.ResponseWriter)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return
	}
	e.ended = true
	if e.handled {
		e.head()
		return
	}
	answer(e.w)
}

// Abandon drops the response: the client has left.
func (e *Exchange) Abandon() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
}
