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
	bad   bool // cannot be read any more
	cut   bool // a deadline of ours may end its reading, and the request's context with it
	both  bool // it is read while the response is written
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
	e.mu.Lock()
	e.body.both = true
	e.mu.Unlock()
	_ = http.NewResponseController(e.w).EnableFullDuplex() // HTTP/2 always does
}

// InterruptBody ends reads that wait; the rest of the body cannot be read any more.
func (e *Exchange) InterruptBody() {
	e.mu.Lock()
	done := e.body.done
	e.body.cut = e.body.cut || !done
	e.mu.Unlock()
	if done {
		return // the server watches the connection now, for the client to leave
	}
	_ = http.NewResponseController(e.w).SetReadDeadline(past)
}

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
	e.body.bad = e.body.bad || err != nil
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

// left reports whether a request whose context has ended has lost its client: reads that we
// have ended look the same.
func (e *Exchange) left() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.body.cut
}

// unread tells that there is a body, or the rest of one, which the server will look for before
// it answers. A client that sends none would hold it up for ever, see Linger; mu is held.
func (e *Exchange) unread() bool {
	b := e.Request.Body
	if b == nil || b == http.NoBody || e.body.bad || e.body.both || e.body.cut {
		return false
	}
	e.body.cut = true
	return true
}

// linger limits that.
func (e *Exchange) linger() {
	_ = http.NewResponseController(e.w).SetReadDeadline(time.Now().Add(Linger))
}

// lingered takes the limit back, so that a client that leaves later is noticed.
func (e *Exchange) lingered() {
	e.mu.Lock()
	e.body.cut = e.Request.Context().Err() != nil
	e.mu.Unlock()
	_ = http.NewResponseController(e.w).SetReadDeadline(time.Time{})
}

// discardMost is how much of a body nobody wanted net/http reads to keep a connection.
const discardMost = 256 << 10

// discardBody reads the rest of a body that was read while the response was written.
// net/http would do it too late in this case, and be surprised by the end of the body: it
// must see that before the handler returns, or not at all.
func (e *Exchange) discardBody() {
	e.mu.Lock()
	todo, cut := e.body.both && !e.body.done, e.body.cut
	e.body.cut = e.body.cut || todo
	e.mu.Unlock()
	if !todo {
		return
	}
	if !cut {
		_ = e.flushNow()
		e.linger()
		if n, err := io.CopyN(io.Discard, e.Request.Body, discardMost); n < discardMost && errors.Is(err, io.EOF) {
			return
		}
	}
	e.InterruptBody()
	_, _ = io.Copy(io.Discard, e.Request.Body) // what has arrived already
}
