// SPDX-License-Identifier: Apache-2.0

package httpclient_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/httpclient"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/system/network"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/security"
)

func spawn(source string) processes.Spawn {
	return processes.Spawn{Host: luatest.Host, Source: source}
}

// denying makes a system that denies what is listed, "action resource".
func denying(t *testing.T, denied ...string) *luatest.System {
	return newSystem(t, func(d *httpclient.Deps) {
		d.Allow = func(_ *engine.Process, action, resource string, _ map[string]any) bool {
			for _, one := range denied {
				if one == action+" "+resource {
					return false
				}
			}
			return true
		}
	})
}

func TestDenied(t *testing.T) {
	server := site(t)
	for _, c := range []struct{ denied, options, text string }{
		{"http_client.request " + server.URL, "", "not allowed: " + server.URL},
		{"http_client.unix_socket /s", "unix_socket = '/s'", "not allowed: unix socket /s"},
		{"http_client.insecure_tls " + server.URL, "tls = {insecure_skip_verify = true}", "not allowed: insecure TLS for " + server.URL},
		{"network.select app:vpn", "overlay_network = 'app:vpn'", "not allowed: network app:vpn"},
	} {
		s := denying(t, c.denied)
		s.Check(t, `
			local url, text = ...
			local r, err = http_client.get(url, {query = {a = "b"}, `+c.options+`})
			assert(r == nil and err:kind() == "PermissionDenied" and err:message() == text and err:retryable() == false, tostring(err))
			r, err = http_client.request_batch({{"GET", url .. "/never"}, {"GET", url, {`+c.options+`}}})
			assert(r == nil and err:kind() == "PermissionDenied" and err:message() == text, tostring(err))`, server.URL, c.text)
	}
	// The order: the URL last for one request, first in a batch.
	denying(t, "http_client.request "+server.URL, "http_client.unix_socket /s").Check(t, `
		local url = ...
		local r, err = http_client.get(url, {unix_socket = "/s"})
		assert(err:message() == "not allowed: unix socket /s")
		r, err = http_client.request_batch({{"GET", url, {unix_socket = "/s"}}})
		assert(err:message() == "not allowed: " .. url)`, server.URL)
}

// only is a policy that allows what is listed, "action resource".
type only []string

func (only) ID() string { return "app:only" }

func (o only) Evaluate(r security.Request) security.Decision {
	if slices.Contains(o, r.Action+" "+r.Resource) {
		return security.Allow
	}
	return security.Undefined
}

// guarded makes a system whose programs have an actor and may reach the private addresses given.
func guarded(t *testing.T, allowed ...string) *luatest.System {
	t.Helper()
	return guardedWith(t, nil, allowed...)
}

func guardedWith(t *testing.T, networks *network.Directory, allowed ...string) *luatest.System {
	t.Helper()
	var policy only
	for _, ip := range allowed {
		policy = append(policy, "http_client.private_ip "+ip)
	}
	s := newSystem(t, func(d *httpclient.Deps) { d.Gate, d.Networks = security.NewGate(false), networks })
	s.Frame = appctx.NewFrame()
	if err := security.Enter(s.Frame, &security.Actor{ID: "ada"}, security.NewScope(policy)); err != nil {
		t.Fatal(err)
	}
	s.Frame.Seal()
	return s
}

// Without actor and scope the mode decides.
func TestPrivateAddressesWithoutActor(t *testing.T) {
	server := site(t)
	for strict, body := range map[bool]string{
		false: `assert(http_client.get((...) .. "/echo").status_code == 200)`,
		true: `
			local r, err = http_client.get((...) .. "/echo")
			assert(r == nil and err:message() == "not allowed: private IP 127.0.0.1", tostring(err))`,
	} {
		newSystem(t, func(d *httpclient.Deps) { d.Gate = security.NewGate(strict) }).Check(t, body, server.URL)
	}
}

func TestPrivateAddresses(t *testing.T) {
	server := site(t)
	s := guarded(t)
	for url, ip := range map[string]string{
		server.URL + "/echo": "127.0.0.1",
		strings.Replace(server.URL, "127.0.0.1", "localhost", 1): "", // either of them
		"http://10.1.2.3":                 "10.1.2.3",
		"http://172.16.0.1":               "172.16.0.1",
		"http://192.168.0.1:99":           "192.168.0.1",
		"http://169.254.169.254/latest":   "169.254.169.254",
		"http://0.0.0.0":                  "0.0.0.0",
		"http://[::1]":                    "::1",
		"http://[::]":                     "::",
		"http://[fd00::1]":                "fd00::1",
		"http://[fe80::1]":                "fe80::1",
		"http://[fe80::1%25lo]":           "fe80::1",
		"http://[::ffff:127.0.0.1]":       "127.0.0.1",
		"http://user:secret@127.0.0.1:1/": "127.0.0.1",
	} {
		s.Check(t, `
			local url, ip = ...
			local r, err = http_client.get(url)
			assert(r == nil and err:kind() == "PermissionDenied" and err:message():find("not allowed: private IP " .. ip, 1, true), url .. tostring(err))
			r, err = http_client.request_batch({{"GET", url}})
			assert(r == nil and err:kind() == "PermissionDenied", tostring(err))`, url, ip)
	}
	guarded(t, "127.0.0.1").Check(t, `assert(http_client.get((...) .. "/echo").status_code == 200)`, server.URL)
}

// A redirect leads to a private address no more than a request does.
func TestPrivateAddressBehindARedirect(t *testing.T) {
	inner := site(t)
	server := httptest.NewServer(http.RedirectHandler(strings.Replace(inner.URL, "127.0.0.1", "127.0.0.2", 1), http.StatusFound))
	t.Cleanup(server.Close)
	guarded(t, "127.0.0.1").Check(t, `
		local r, err = http_client.get((...))
		assert(r == nil and err:kind() == "PermissionDenied" and err:message() == "not allowed: private IP 127.0.0.2", tostring(err))`, server.URL)
}

// What is not an address for the check may be one for the system: "127.1" is 127.0.0.1. It fails either way.
func TestPrivateAddressInDisguise(t *testing.T) {
	server := site(t)
	s := guarded(t)
	for _, host := range []string{"127.1", "2130706433", "0x7f000001", "0177.0.0.1"} {
		s.Check(t, `assert(http_client.get((...), {timeout = "5s"}) == nil)`, strings.Replace(server.URL, "127.0.0.1", host, 1))
	}
}

// An overlay looks names up by itself; addresses are checked all the same.
func TestPrivateAddressesBehindAnOverlay(t *testing.T) {
	server := site(t)
	networks := network.New("")
	networks.Put("app:vpn", func(ctx context.Context, kind, address string) (net.Conn, error) {
		if address != "localhost:80" {
			t.Errorf("the overlay is asked for %s", address)
		}
		return (&net.Dialer{}).DialContext(ctx, kind, strings.TrimPrefix(server.URL, "http://"))
	})
	s := guardedWith(t, networks)
	s.Check(t, `
		local r, err = http_client.get("http://localhost/host", {overlay_network = "app:vpn"})
		assert(r and r.body == "localhost", tostring(err))
		r, err = http_client.get("http://127.0.0.1/host", {overlay_network = "app:vpn"})
		assert(r == nil and err:message() == "not allowed: private IP 127.0.0.1", tostring(err))`)
	// What a request through one network has opened, one through another, or through none, does not use.
	networks.Put("app:vpn", func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed })
	s.Check(t, `assert(http_client.get("http://localhost/host", {overlay_network = "app:vpn"}) == nil)`)
}
