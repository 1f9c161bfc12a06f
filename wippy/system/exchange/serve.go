// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// past is a deadline that ends what waits.
var past = time.Unix(1, 0)

// Linger is how long a client may take, after the answer is there, to send the rest of a
// body that nobody wanted to read. It gets its answer only then.
const Linger = 5 * time.Second

// Serve writes what the program answers, until the call has ended. A client that leaves
// meanwhile abandons the exchange; cancel, which must not block, then ends the call, and
// left is true. Call it on the goroutine of the request.
func (e *Exchange) Serve(cancel func()) (left bool) {
	ctx := e.Request.Context()
	gone := ctx.Done()
	leave := func() {
		left, gone = true, nil
		e.Abandon()
		cancel()
	}
	// Writes that wait for the client must end with it, too.
	var watched func()
	defer func() {
		if watched != nil {
			watched()
		}
	}()
	for {
		select {
		case <-gone:
			if gone = nil; e.left() {
				leave()
			}
			continue
		case <-e.wake:
		}
		pieces, flush, unread, finished := e.take()
		if finished {
			return left
		}
		if len(pieces) == 0 && !flush || left {
			continue
		}
		if watched == nil {
			watched = e.watch(ctx, e.Abandon)
		}
		if unread {
			e.linger()
		}
		e.head()
		err := writeAll(e.w, pieces)
		if err == nil && flush {
			err = e.flushNow()
		}
		if unread {
			e.lingered()
		}
		e.wrote(pieces, err)
		if err != nil {
			leave()
		}
	}
}

// watch ends writes that wait, after gone, when the client leaves. It goes on until stop has
// returned: the writer must not be touched when the request has ended.
func (e *Exchange) watch(ctx context.Context, gone func()) (stop func()) {
	over := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(over)
		if e.left() {
			gone()
			_ = http.NewResponseController(e.w).SetWriteDeadline(past)
		}
	})
	return func() {
		if !cancel() {
			<-over
		}
	}
}

// take removes what is to be written. When the call has ended the rest is left to End.
func (e *Exchange) take() (pieces []string, flush, unread, finished bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.finished {
		return nil, false, false, true
	}
	pieces, flush = e.pending, e.flush
	e.pending, e.flush = nil, false
	if flush || len(pieces) > 0 {
		unread = e.unread()
	}
	return pieces, flush, unread, false
}

// wrote makes room for more.
func (e *Exchange) wrote(pieces []string, err error) {
	e.mu.Lock()
	for _, p := range pieces {
		e.size -= len(p)
	}
	e.size = max(e.size, 0) // an exchange that was abandoned meanwhile has counted from zero
	if e.err == nil {
		e.err = err
	}
	var waiters []func(error)
	if e.size < Window || err != nil {
		waiters = e.takeWaiters()
	}
	e.mu.Unlock()
	for _, done := range waiters {
		done(err)
	}
}

func (e *Exchange) flushNow() error {
	err := http.NewResponseController(e.w).Flush()
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// head sends the header block. From then on the program does not touch the header any more.
func (e *Exchange) head() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.written || e.ended && !e.finished {
		return
	}
	e.written = true
	if e.body.taken && !e.body.done && e.Request.ProtoMajor == 1 {
		// What is left of the body must not be taken for a request, and a read of it that
		// is interrupted ends the context of the connection.
		e.w.Header().Set("Connection", "close")
	}
	if e.status != 0 {
		e.w.WriteHeader(e.status)
	}
}

// Outcome is what End made of an exchange.
type Outcome struct {
	Handled bool  // the program had answered
	Begun   bool  // the program had begun the body
	Err     error // of a write: the client did not get all
}

// End makes the response final, after Serve. Unless the program has answered, answer does,
// with the writer to itself. A failed call that has begun its body is cut off: the client
// gets what there is, and no end of it.
func (e *Exchange) End(failed bool, answer func(w http.ResponseWriter)) Outcome {
	e.mu.Lock()
	abandoned := e.ended
	e.ended, e.finished = true, true
	o := Outcome{Handled: e.handled, Begun: e.begun, Err: e.err}
	pieces, size, flush, cleanup := e.pending, e.size, e.flush || failed && e.begun, e.cleanup
	e.pending, e.cleanup = nil, nil
	reading := e.body.reads > 0
	waiters := e.takeWaiters()
	if !abandoned && e.handled {
		if !e.written && !flush && size >= plainSize {
			e.length(size)
		}
	}
	unread := e.unread()
	e.mu.Unlock()

	for _, done := range waiters { // of coroutines that ended with the call
		done(ErrEnded)
	}
	if reading {
		e.InterruptBody()
		e.body.wait(e)
	}
	for i := len(cleanup) - 1; i >= 0; i-- {
		cleanup[i]()
	}
	if unread && !reading {
		e.linger()
	}
	switch {
	case abandoned:
	case o.Handled:
		e.rest(pieces, size, flush, unread && !reading, &o)
	default:
		answer(e.w)
	}
	e.discardBody()
	return o
}

// rest writes what End found. A client that leaves ends the wait for it.
func (e *Exchange) rest(pieces []string, size int, flush, unread bool, o *Outcome) {
	if len(pieces) > 0 || flush || e.status != 0 {
		e.head()
	}
	if size >= plainSize {
		defer e.watch(e.Request.Context(), func() {})()
	}
	var err error
	if unread && size > plainSize {
		// The body is looked for before the first bytes go out, and never after.
		pieces, err = writeSome(e.w, pieces, 2*plainSize)
		e.lingered()
	}
	if err == nil {
		err = writeAll(e.w, pieces)
	}
	if errors.Is(err, http.ErrBodyNotAllowed) {
		err = nil // the status has no body, and a HEAD request wants none
	}
	if err == nil && flush {
		err = e.flushNow()
	}
	if o.Err == nil {
		o.Err = err
	}
}

// plainSize is up to which size net/http finds out the length of a body by itself. A body
// that short does not wait for the client either: it fits into the buffers.
const plainSize = 2048

// length announces the size of a body that is complete, so that it needs no chunks; mu is
// held.
func (e *Exchange) length(size int) {
	h := e.w.Header()
	if e.status != 0 && (e.status < 200 || e.status == http.StatusNoContent || e.status == http.StatusNotModified) {
		return
	}
	if h["Content-Length"] == nil && h["Transfer-Encoding"] == nil {
		h["Content-Length"] = []string{strconv.Itoa(size)}
	}
}
