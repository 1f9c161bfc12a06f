// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// certified starts a site whose server gets its certificates from p.
func (p *pebble) certified(cache, hosts, more string) *site {
	p.Helper()
	return secure(p.T, "{mode: auto, acme: {hosts: ["+hosts+"], cache: "+inline(cache)+", directory: "+inline(p.directory())+
		", ca: "+inline(p.id.cert)+", accept_terms: true"+more+"}}")
}

// visit makes a request to the site under a name.
func (p *pebble) visit(s *site, host string) (*tls.ConnectionState, error) {
	p.Helper()
	c := tlsClient(p.T, &tls.Config{RootCAs: p.roots})
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(s.url, "https://"))
	}
	res, body, err := fetch(c, "https://"+host+"/value")
	if err != nil {
		return nil, err
	}
	if res.StatusCode != 200 || res.ProtoMajor != 2 {
		p.Errorf("%s: %s %s %q", host, res.Proto, res.Status, body)
	}
	return res.TLS, nil
}

// A certificate authority gives a server its certificates; they outlive the server and the authority.
func TestCertificatesOfAnAuthority(t *testing.T) {
	p := newPebble(t)
	cache := filepath.Join(t.TempDir(), "certificates")
	s := p.certified(cache, "app.example.test, WWW.example.test", ", email: admin@example.test")
	p.run(port(t, s.url), 1, nil)
	first, err := p.visit(s, "app.example.test")
	if err != nil {
		t.Fatal(err, s.logs)
	}
	if got := first.PeerCertificates[0].DNSNames; len(got) != 1 || got[0] != "app.example.test" {
		t.Errorf("a certificate for %v", got)
	}
	if _, err := p.visit(s, "www.example.test"); err != nil {
		t.Error(err)
	}
	if _, err := p.visit(s, "other.example.test"); err == nil {
		t.Error("a name that is not listed has a certificate")
	}
	if info, err := os.Stat(cache); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory of keys: %v, %v", info, err)
	}
	// Another host, while the server runs.
	acme := map[string]any{"hosts": []any{"app.example.test", "new.example.test"}, "cache": cache, "directory": p.directory(), "ca": p.id.cert, "accept_terms": true}
	if err := s.server(map[string]any{"tls": map[string]any{"mode": "auto", "acme": acme}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.visit(s, "new.example.test"); err != nil {
		t.Error(err)
	}
	if _, err := p.visit(s, "www.example.test"); err == nil {
		t.Error("a name that is no longer listed has a certificate")
	}
	// The certificates are kept.
	s.app.Stop()
	p.stop()
	s = p.certified(cache, "app.example.test", "")
	again, err := p.visit(s, "app.example.test")
	if err != nil {
		t.Fatal(err, s.logs)
	}
	if !again.PeerCertificates[0].Equal(first.PeerCertificates[0]) {
		t.Error("the certificate is another one")
	}
}

// Where the authority cannot come to the port of the server it comes to one without TLS, which sends everybody else to
// the server. The account is one that the authority knows.
func TestCertificatesByHTTP(t *testing.T) {
	p := newPebble(t)
	const key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
	s := p.certified(t.TempDir(), "app.example.test", ", http_addr: \"127.0.0.1:0\", account: {kid: kid-1, hmac: "+key+"}")
	door, _ := s.logged("listening for the certificate authority")["address"].(string)
	p.run(1, port(t, door), map[string]string{"kid-1": key})
	if _, err := p.visit(s, "app.example.test"); err != nil {
		t.Fatal(err, s.logs)
	}
	c := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+door+"/path?q=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "app.example.test"
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 302 || res.Header.Get("Location") != "https://app.example.test/path?q=1" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
}

// The errors of a server that cannot have certificates.
func TestCertificatesThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := start(t)
	for want, change := range map[string]map[string]any{
		"tls.mode=auto requires an overlay network driver":       nil,
		"tls.acme.cache: directory " + file + " cannot be used":  {"cache": file},
		"tls.acme.http_addr: listen on " + taken.Addr().String(): {"http_addr": taken.Addr().String()},
		"tls.acme.accept_terms must be true":                     {"accept_terms": false},
	} {
		field := map[string]any{"mode": "auto"}
		if change != nil {
			acme := map[string]any{"hosts": []any{"a.example"}, "cache": t.TempDir(), "accept_terms": true, "directory": "https://127.0.0.1:1/dir"}
			for k, v := range change {
				acme[k] = v
			}
			field["acme"] = acme
		}
		if err := s.server(map[string]any{"tls": field}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if res, _ := s.do("GET", "/value", ""); res.StatusCode != 200 {
		t.Errorf("what was refused has changed the server: %s", res.Status)
	}
}
