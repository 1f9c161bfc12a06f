// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// body is the state of a request's body, guarded by Exchange.mu.
type body struct {
	taken bool
	done  bool // read to its end
	reads int  // under way
	idle  *sync.Cond
}

// TakeBody returns the body of the request, once; nil after that. A request without a body
// has an empty one every time. Reads may wait for the client; InterruptBody and the end of
// the exchange end them.
func (e *Exchange) TakeBody() io.Reader {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.Request.Body == nil || e.Request.Body == http.NoBody {
		return http.NoBody
	}
	if e.body.taken {
		return nil
	}
	e.body.taken = true
	return bodyReader{e}
}

// Duplex lets the response begin before the body has been read. Without it the first write
// reads the rest of the body, or gives it up.
func (e *Exchange) Duplex() {
	_ = http.NewResponseController(e.w).EnableFullDuplex() // HTTP/2 always does
}

// InterruptBody ends reads that wait; the body cannot be read any more.
func (e *Exchange) InterruptBody() { _ = http.NewResponseController(e.w).SetReadDeadline(past) }

// bodyReader reads the body as long as the exchange lasts.
type bodyReader struct{ e *Exchange }

func (r bodyReader) Read(p []byte) (int, error) {
	e := r.e
	e.mu.Lock()
	if e.ended {
		e.mu.Unlock()
		return 0, ErrEnded
	}
	e.body.reads++
	e.mu.Unlock()
	n, err := e.Request.Body.Read(p)
	e.mu.Lock()
	e.body.reads--
	e.body.done = e.body.done || errors.Is(err, io.EOF)
	ended := e.ended
	if e.body.idle != nil {
		e.body.idle.Broadcast()
	}
	e.mu.Unlock()
	if ended && err != nil && !errors.Is(err, io.EOF) {
		err = ErrEnded
	}
	return n, err
}

// wait returns when no read is under way. The exchange has ended, so that none begins.
func (b *body) wait(e *Exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if b.idle == nil {
		b.idle = sync.NewCond(&e.mu)
	}
	for b.reads > 0 {
		b.idle.Wait()
	}
}

// limitBody bounds what the server does with a body that was not read: it looks at the rest
// before it answers, and a client that sends none would hold it up for ever.
func (e *Exchange) limitBody() {
	e.mu.Lock()
	unread := e.Request.Body != nil && e.Request.Body != http.NoBody && !e.body.done
	e.mu.Unlock()
	if unread {
		_ = http.NewResponseController(e.w).SetReadDeadline(time.Now().Add(Linger))
	}
}
