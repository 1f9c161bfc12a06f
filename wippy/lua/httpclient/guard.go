// SPDX-License-Identifier: Apache-2.0

package httpclient

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"syscall"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/security"
)

// guard decides on the addresses of private networks; nil lets everything pass.
type guard func(netip.Addr) bool

// newGuard returns the guard for the program that has a frame. It keeps who the program works for and what counts
// for it, so it may be asked after the end of the program.
func newGuard(g *security.Gate, f *appctx.Frame) guard {
	actor, scope := security.ActorOf(f), security.ScopeOf(f)
	switch {
	case g == nil:
		return nil
	case actor != nil && scope != nil:
		return func(ip netip.Addr) bool {
			return scope.Evaluate(security.Request{Actor: actor, Action: "http_client.private_ip", Resource: ip.String()}) == security.Allow
		}
	case g.Strict():
		return func(netip.Addr) bool { return false }
	}
	return nil
}

// private reports whether an address is of this machine or of a private network.
func private(ip netip.Addr) bool {
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()
}

// check returns the error for an address that is private and not allowed.
func (g guard) check(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if g == nil || !private(ip) || g(ip) {
		return nil
	}
	return access.Denied("not allowed: private IP " + ip.String())
}

// checkURL checks the host of a URL: the address it is, or every address its name has, unless an overlay network looks
// names up by itself. A name that has none, or a URL that is wrong, passes: the request fails by itself.
func (g guard) checkURL(ctx context.Context, u *url.URL, resolve bool) error {
	host := u.Hostname()
	if g == nil || host == "" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.check(ip)
	}
	if !resolve {
		return nil
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for _, ip := range addresses {
		if err := g.check(ip); err != nil {
			return err
		}
	}
	return nil
}

// guardKey is where the context of a request has its guard.
type guardKey struct{}

// guardDial checks the address that a connection is about to be made to. It is the net.Dialer's ControlContext:
// what was looked up does not change any more.
func guardDial(ctx context.Context, _, address string, _ syscall.RawConn) error {
	g, _ := ctx.Value(guardKey{}).(guard)
	if g == nil {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	return g.check(ap.Addr())
}
