// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/subscription"
)

const (
	text   = int(websocket.MessageText)
	binary = int(websocket.MessageBinary)

	// maxReason is what a close frame has room for.
	maxReason = 123
)

// Errors of clients whose connection is not there any more.
var (
	errNotFound = errors.New("websocket connection not found")
	errClosed   = errors.New("websocket connection closed")
)

// client is one connection. Its methods may be called from any goroutine.
type client struct {
	sub     *subscription.Subscription
	options options
	window  *window
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc

	mu    sync.Mutex      // guards all below
	conn  *websocket.Conn // nil before and after
	state error           // why there is none: errNotFound, errClosed
}

func newClient(sub *subscription.Subscription, o options) *client {
	c := &client{sub: sub, options: o, window: newWindow(Window)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// dial connects and begins to receive.
func (c *client) dial(http *http.Client, url string) error {
	ctx, cancel := bounded(c.ctx, c.options.dialTimeout)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: http, HTTPHeader: c.options.header, Host: c.options.host, Subprotocols: c.options.protocols,
		CompressionMode: c.options.compression, CompressionThreshold: c.options.threshold,
	})
	if err != nil {
		return err
	}
	conn.SetReadLimit(c.options.limit)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != nil { // the process has ended meanwhile
		_ = conn.CloseNow()
		return c.state
	}
	c.conn = conn
	go c.receive(conn)
	return nil
}

// bounded is ctx with a time limit, when there is one.
func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d > 0 {
		return context.WithTimeout(ctx, d)
	}
	return context.WithCancel(ctx)
}

// receive passes on what the server sends until the connection ends.
func (c *client) receive(conn *websocket.Conn) {
	defer func() {
		c.mu.Lock()
		c.conn = nil
		if c.state == nil {
			c.state = errClosed
		}
		c.mu.Unlock()
		c.cancel()
		c.sub.Finish()
		_ = conn.CloseNow() // which one that ended by itself is; one that is being closed is waited for
	}()
	for c.window.wait(c.ctx) {
		kind, data, err := c.read(conn)
		if err != nil {
			return
		}
		m := &message{kind: kind, data: data, window: c.window}
		c.window.take(m.size())
		c.sub.Deliver(m)
	}
}

func (c *client) read(conn *websocket.Conn) (websocket.MessageType, []byte, error) {
	ctx, cancel := bounded(c.ctx, c.options.readTimeout)
	defer cancel()
	return conn.Read(ctx)
}

// use returns the connection, or why there is none.
func (c *client) use() (*websocket.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return nil, c.state
	}
	return c.conn, nil
}

// failed is the error of an operation: that the connection is gone, if it is.
func (c *client) failed(err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != nil {
		return fmt.Errorf("%w: %w", c.state, err)
	}
	return err
}

// send sends a message.
func (c *client) send(kind int, data string) error {
	conn, err := c.use()
	if err != nil {
		return err
	}
	ctx, cancel := bounded(c.ctx, c.options.writeTime)
	defer cancel()
	return c.failed(conn.Write(ctx, websocket.MessageType(kind), []byte(data)))
}

// ping waits for the answer to a ping.
func (c *client) ping() error {
	conn, err := c.use()
	if err != nil {
		return err
	}
	return c.failed(conn.Ping(c.ctx))
}

// close closes the connection and waits for the server to agree, a few seconds at most.
func (c *client) close(code int, reason string) error {
	conn, err := c.leave()
	if err != nil {
		return err
	}
	return conn.Close(websocket.StatusCode(code), cut(reason))
}

// leave makes the connection the caller's to close.
func (c *client) leave() (*websocket.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn, state := c.conn, c.state
	c.conn = nil
	if c.state == nil {
		c.state = errNotFound
	}
	if conn == nil && state == nil {
		state = errNotFound
	}
	c.window.open() // the answer of the server is behind what waits
	return conn, state
}

// abandon closes the connection because its process has ended. It does not wait.
func (c *client) abandon() {
	conn, _ := c.leave()
	if conn == nil {
		c.cancel()
		return
	}
	go func() {
		_ = conn.Close(websocket.StatusGoingAway, "") // nobody is left to tell
		c.cancel()
	}()
}

// cut shortens a reason to what fits, between two characters.
func cut(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	n := maxReason
	for n > 0 && !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}

// message is one of the server, on its way to the program.
type message struct {
	kind   websocket.MessageType
	data   []byte
	window *window
}

// size is what a message takes of the window.
func (m *message) size() int { return len(m.data) + 64 }

// LuaValue makes the value of the program, which has taken the message. It implements engine.LuaValuer.
func (m *message) LuaValue() lua.LValue {
	m.window.give(m.size())
	t := engine.NewObject(2)
	kind := "text"
	if m.kind == websocket.MessageBinary {
		kind = "binary"
	}
	t.RawSetString("type", lua.LString(kind))
	t.RawSetString("data", lua.LString(m.data))
	return t
}
