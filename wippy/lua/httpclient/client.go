// SPDX-License-Identifier: Apache-2.0

package httpclient

import (
	"container/list"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/wippyrun/kit/wippy/system/network"
)

const (
	// maxTransports bounds how many sets of connections are kept: one for each combination of socket, network
	// and TLS settings. The one that was not used for longest goes first; requests under way finish.
	maxTransports = 64
	// idlePerHost and idleTimeout bound what is kept open without being used: 64 and 90 seconds cost a busy
	// program no connection it needs again soon, and are what most servers allow.
	idlePerHost = 64
	idleTimeout = 90 * time.Second
	// dialTimeout bounds the set-up of a connection where the request's own time is longer.
	dialTimeout = 30 * time.Second
)

// tlsOptions are the TLS settings of a request; the zero value are the usual ones.
type tlsOptions struct {
	Cert, Key, CA, ServerName string
	Insecure                  bool
}

// config makes the configuration, nil for the usual one.
func (o tlsOptions) config() (*tls.Config, error) {
	if o == (tlsOptions{}) {
		return nil, nil
	}
	c := &tls.Config{ServerName: o.ServerName, InsecureSkipVerify: o.Insecure, MinVersion: tls.VersionTLS12}
	if (o.Cert == "") != (o.Key == "") {
		return nil, errors.New("both cert and key must be provided together")
	}
	if o.Cert != "" {
		pair, err := tls.X509KeyPair([]byte(o.Cert), []byte(o.Key))
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if o.CA != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(o.CA)) {
			return nil, errors.New("ca holds no certificate")
		}
	}
	return c, nil
}

// transportKey tells sets of connections apart. The TLS settings are a digest, so that no private key stays in
// memory for it.
type transportKey struct {
	socket  string
	overlay *network.Network // nil for none
	tls     [sha256.Size]byte
}

// Client holds the connections of all programs. Its methods may be called concurrently. Make one with NewClient.
type Client struct {
	mu         sync.Mutex                     // guards all below
	transports map[transportKey]*list.Element // of order
	order      *list.List                     // of *pooled, the one used last first
	closed     bool
}

type pooled struct {
	key       transportKey
	transport *http.Transport
}

// NewClient returns a client without connections.
func NewClient() *Client {
	return &Client{transports: map[transportKey]*list.Element{}, order: list.New()}
}

// Close closes the connections that are not in use. Requests that come later keep none open.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for e := c.order.Front(); e != nil; e = e.Next() {
		e.Value.(*pooled).transport.CloseIdleConnections()
	}
	clear(c.transports)
	c.order.Init()
}

// transport returns the set of connections for a request.
func (c *Client) transport(o *options, overlay *network.Network) (http.RoundTripper, error) {
	key := transportKey{socket: o.unixSocket, overlay: overlay}
	if o.tls != (tlsOptions{}) {
		text, err := json.Marshal(o.tls)
		if err != nil {
			return nil, err
		}
		key.tls = sha256.Sum256(text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.transports[key]; e != nil {
		c.order.MoveToFront(e)
		return e.Value.(*pooled).transport, nil
	}
	t, err := newTransport(o, overlay)
	if err != nil {
		return nil, err
	}
	if c.closed {
		t.DisableKeepAlives = true
		return t, nil
	}
	c.transports[key] = c.order.PushFront(&pooled{key, t})
	if c.order.Len() > maxTransports {
		oldest := c.order.Back()
		c.order.Remove(oldest)
		p := oldest.Value.(*pooled)
		delete(c.transports, p.key)
		// One in use closes its connections as they become idle: nobody takes them any more.
		p.transport.CloseIdleConnections()
	}
	return t, nil
}

// newTransport makes a set of connections.
func newTransport(o *options, overlay *network.Network) (*http.Transport, error) {
	config, err := o.tls.config()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		DialContext:           dialer(o, overlay),
		TLSClientConfig:       config,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   idlePerHost,
		IdleConnTimeout:       idleTimeout,
		TLSHandshakeTimeout:   dialTimeout,
		ExpectContinueTimeout: time.Second,
	}, nil
}

// dialer returns what makes the connections of a request.
func dialer(o *options, overlay *network.Network) network.Dial {
	switch {
	case o.unixSocket != "":
		return func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", o.unixSocket)
		}
	case overlay != nil:
		return overlay.Dial
	}
	return (&net.Dialer{Timeout: dialTimeout, ControlContext: guardDial}).DialContext
}
