// SPDX-License-Identifier: Apache-2.0

package wsrelay

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// errCut is what reading a connection gives that has ended without a close frame.
var errCut = errors.New("connection ended without a close frame")

// upgradable is the writer that the handshake takes the connection from. The library takes io.EOF for the end of a
// message, wherever it comes, so half a message would pass for a whole one; the connection says something else.
type upgradable struct {
	http.ResponseWriter
	http.Hijacker
	taken net.Conn // what Hijack has handed out
}

// newUpgradable finds what can hand out the connection behind the writers of middleware.
func newUpgradable(w http.ResponseWriter) (*upgradable, bool) {
	for inner := w; ; {
		if h, ok := inner.(http.Hijacker); ok {
			return &upgradable{ResponseWriter: w, Hijacker: h}, true
		}
		u, ok := inner.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil, false
		}
		inner = u.Unwrap()
	}
}

// Hijack implements http.Hijacker.
func (u *upgradable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := u.Hijacker.Hijack()
	u.taken = conn
	return cutConn{conn}, buffers, err
}

// cutConn is a connection whose end is an error like any other.
type cutConn struct{ net.Conn }

// Read implements io.Reader.
func (c cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		err = errCut
	}
	return n, err
}
