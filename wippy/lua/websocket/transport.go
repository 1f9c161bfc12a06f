// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/wippyrun/kit/wippy/system/network"
)

// newHTTPClient makes what does handshakes, through an overlay network unless it is nil. Every connection is its own:
// none is left when a handshake fails.
func newHTTPClient(overlay *network.Network) *http.Client {
	dial := (&net.Dialer{}).DialContext
	if overlay != nil {
		dial = overlay.Dial
	}
	return &http.Client{Transport: transport{&http.Transport{
		DialContext:       dial,
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
	}}}
}

// errCut is what reading a connection gives that has ended without a close frame.
var errCut = errors.New("connection ended without a close frame")

// transport makes the end of a connection an error like any other. The library takes io.EOF for the end of a
// message, wherever it comes, so half a message would pass for a whole one.
type transport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.Transport.RoundTrip(r)
	if err == nil && res.StatusCode == http.StatusSwitchingProtocols {
		if body, ok := res.Body.(io.ReadWriteCloser); ok {
			res.Body = cutConn{body}
		}
	}
	return res, err
}

type cutConn struct{ io.ReadWriteCloser }

// Read implements io.Reader.
func (c cutConn) Read(p []byte) (int, error) {
	n, err := c.ReadWriteCloser.Read(p)
	if errors.Is(err, io.EOF) {
		err = errCut
	}
	return n, err
}
