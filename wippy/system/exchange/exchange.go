// SPDX-License-Identifier: Apache-2.0

// Package exchange is one HTTP request and its response, between the server that
// received it and the call that answers it. The call finds it in its frame; what the call
// calls in turn does not.
//
// # Basics
//
// The server makes an exchange with New, starts the call, and runs Serve and End on the
// goroutine of the request. The call answers with SetStatus, Header, Write and Flush, and
// takes the body with TakeBody; whoever runs it reports its end with Finish.
//
// # Guarantees
//
//   - What the program calls never waits for the client: pieces of the response queue up
//     here, and only the goroutine of the request writes them. A program that has written
//     more than Window bytes is told to Wait (TestSlowClientBlocksNobody).
//   - Abandon, which drops the response, waits for nothing either; it wakes a write
//     or a read that waits for the client (TestAbandonedExchangeWakesWriters).
//   - The body is not read any more when End has returned, and what was attached with
//     Cleanup is gone (TestEndInterruptsReads, TestCleanupRunsOnce).
//
// The writer of the request must let deadlines be set through http.ResponseController, or
// reads and writes that wait can only be ended by the client.
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

// Window is how many bytes of a response wait here for the client before the program has to
// wait too. It is what the kernel takes from a connection at a time, so that the queue is
// full again before the connection is idle; it costs this much for each slow client.
const Window = 64 << 10

// Route is what a request was found to be for.
type Route struct {
	Endpoint string            // entry id
	Function string            // id of what is called
	Params   map[string]string // values of the path's wildcards; empty ones are left out
}

// ErrEnded is what writes and reads get when the request is over: the client has left, or
// the call outlived its time.
var ErrEnded = errors.New("the request has ended")

// Exchange is a request with its response. Except for Serve and End all methods may be
// called from any goroutine; after End they fail and change nothing.
//
// The header block goes out with the first byte of the body, a flush or the end, although
// SetStatus says that it has: so a body that is JSON can still say so.
type Exchange struct {
	Request *http.Request
	Route   *Route // nil when the request was not found to be for an endpoint

	w    http.ResponseWriter // used by Serve and End, whose goroutine owns it
	wake chan struct{}       // has room for one: there is something to write, or the call has ended

	mu       sync.Mutex // guards all below, and w.Header() until the header block is out
	status   int
	written  bool // the header block is out
	handled  bool // the program has answered
	begun    bool // the program has begun the body
	finished bool // the call has ended
	ended    bool
	err      error    // of the first write that failed
	pending  []string // what the program has written and the client has not got
	size     int      // of pending, and of what is being written
	flush    bool     // send it now
	waiters  []func(error)
	cleanup  []func()
	body     body
}

// New makes the exchange of a request. route is nil for none.
func New(w http.ResponseWriter, r *http.Request, route *Route) *Exchange {
	return &Exchange{Request: r, Route: route, w: w, wake: make(chan struct{}, 1)}
}

// Header calls f with the header of the response; it does nothing when that is out.
func (e *Exchange) Header(f func(http.Header)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return ErrEnded
	}
	if !e.written {
		f(e.w.Header())
	}
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

// Write adds a piece to the body. It does not wait for the client: room is false when the
// program should, see Wait. The error is that of an earlier piece.
func (e *Exchange) Write(p string) (room bool, err error) { return e.add(p, false) }

// Flush sends what was written. Like Write it only asks for that.
func (e *Exchange) Flush() (room bool, err error) { return e.add("", true) }

func (e *Exchange) add(p string, flush bool) (room bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return true, ErrEnded
	}
	if e.err != nil {
		return true, e.err
	}
	e.handled, e.begun = true, true
	if p != "" {
		e.pending = append(e.pending, p)
		e.size += len(p)
	}
	e.flush = e.flush || flush
	room = e.size < Window
	if e.flush || !room {
		e.signal()
	}
	return room, nil
}

// Wait calls done when there is room for more, or no use in more. It is called once, on
// the goroutine of the request or on this one, and must not block.
func (e *Exchange) Wait(done func(error)) {
	e.mu.Lock()
	if !e.ended && e.err == nil && e.size >= Window {
		e.waiters = append(e.waiters, done)
		e.mu.Unlock()
		return
	}
	err := e.err
	if e.ended {
		err = ErrEnded
	}
	e.mu.Unlock()
	done(err)
}

// Handled marks the request as answered, whatever was written.
func (e *Exchange) Handled() {
	e.mu.Lock()
	e.handled = true
	e.mu.Unlock()
}

// Cleanup runs f when the exchange has ended, the last one first; at once if it has.
func (e *Exchange) Cleanup(f func()) {
	e.mu.Lock()
	ended := e.ended && e.finished
	if !ended {
		e.cleanup = append(e.cleanup, f)
	}
	e.mu.Unlock()
	if ended {
		f()
	}
}

// Finish reports that the call has ended. It does not block.
func (e *Exchange) Finish() {
	e.mu.Lock()
	e.finished = true
	e.mu.Unlock()
	e.signal()
}

func (e *Exchange) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Abandon drops the response: the client has left, or nobody wants it any more. It waits
// for nothing, and wakes who does.
func (e *Exchange) Abandon() {
	e.mu.Lock()
	e.ended = true
	e.pending, e.size = nil, 0
	reading := e.body.reads > 0
	waiters := e.takeWaiters()
	e.mu.Unlock()
	if reading {
		e.InterruptBody()
	}
	for _, done := range waiters {
		done(ErrEnded)
	}
}

// takeWaiters empties the list; mu is held.
func (e *Exchange) takeWaiters() []func(error) {
	w := e.waiters
	e.waiters = nil
	return w
}

// writeAll writes pieces one after the other.
func writeAll(w io.Writer, pieces []string) error {
	for _, p := range pieces {
		if _, err := io.WriteString(w, p); err != nil {
			return err
		}
	}
	return nil
}

// writeSome writes n bytes, or all there are, and returns the rest.
func writeSome(w io.Writer, pieces []string, n int) (rest []string, err error) {
	for len(pieces) > 0 && n > 0 && err == nil {
		p := pieces[0]
		if len(p) > n {
			p = p[:n]
			pieces = append([]string{pieces[0][n:]}, pieces[1:]...)
		} else {
			pieces = pieces[1:]
		}
		n -= len(p)
		_, err = io.WriteString(w, p)
	}
	return pieces, err
}
