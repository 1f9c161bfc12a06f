// SPDX-License-Identifier: Apache-2.0

// Package network makes overlay networks of entries: SOCKS5 proxies.
//
// An entry is a network from the moment it is there; it connects when somebody dials. A proxy makes TCP connections
// and looks names up itself; it can neither listen nor carry datagrams.
package network

import (
	"context"
	"crypto/rand"
	"net"
	"strconv"

	"golang.org/x/net/proxy"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/network"
)

// KindSOCKS5 is the kind of SOCKS5 proxies.
const KindSOCKS5 = "network.socks5"

// Listener keeps networks as the entries say.
type Listener struct {
	networks *network.Directory
	warn     func(registry.Entry, []fields.Warning)
}

// NewListener keeps networks; warn hears of fields nobody knows.
func NewListener(networks *network.Directory, warn func(registry.Entry, []fields.Warning)) *Listener {
	return &Listener{networks, warn}
}

// Check implements fields.Checker.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decode(e)
	return unknown, err
}

// Create adds a network.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	c, unknown, err := decode(e)
	if err != nil {
		return err
	}
	l.warn(e, unknown)
	l.networks.Put(e.ID.String(), c.dial)
	return nil
}

// Update replaces one for those who dial from now on; connections stay.
func (l *Listener) Update(ctx context.Context, _, next registry.Entry) error {
	return l.Create(ctx, next)
}

// Delete removes one; connections stay.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	l.networks.Remove(e.ID.String())
	return nil
}

// socks5 is a proxy.
type socks5 struct {
	address            string
	username, password string
	isolate            bool // other credentials for each connection
}

func decode(e registry.Entry) (socks5, []fields.Warning, error) {
	r := fields.New(e.Data)
	r.Ignore("lifecycle")
	host, port := r.String("host", ""), r.Int("port", 0)
	if host == "" {
		r.Reject("host", "network: host is required")
	}
	if port < 1 || port > 65535 {
		r.Reject("port", "network: invalid port")
	}
	c := socks5{
		address:  net.JoinHostPort(host, strconv.Itoa(port)),
		username: r.String("username", ""), password: r.String("password", ""),
		isolate: r.Bool("isolate_streams", false),
	}
	return c, r.Unknown(), r.Err()
}

// dial makes a connection through the proxy.
func (c socks5) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	switch kind {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, fault.New(fault.Invalid, "socks5: operation not supported ("+kind+")")
	}
	var auth *proxy.Auth
	switch {
	case c.isolate:
		auth = &proxy.Auth{User: rand.Text(), Password: rand.Text()}
	case c.username != "":
		auth = &proxy.Auth{User: c.username, Password: c.password}
	}
	d, err := proxy.SOCKS5("tcp", c.address, auth, &net.Dialer{})
	if err != nil {
		return nil, err
	}
	return d.(proxy.ContextDialer).DialContext(ctx, kind, address)
}
