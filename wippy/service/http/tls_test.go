// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// identity is a certificate of this machine, signed by itself, with its key.
type identity struct {
	cert, key string
	pair      tls.Certificate
	pool      *x509.CertPool
}

func newIdentity(t *testing.T, name string) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	id := identity{pool: x509.NewCertPool()}
	id.cert = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	id.key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
	if id.pair, err = tls.X509KeyPair([]byte(id.cert), []byte(id.key)); err != nil {
		t.Fatal(err)
	}
	id.pool.AppendCertsFromPEM([]byte(id.cert))
	return id
}

// secure starts a site whose server has this as its tls field.
func secure(t *testing.T, field string, more ...fn) *site {
	t.Helper()
	s := serveWith(t, strings.Replace(index, "addr: ", "tls: "+field+", addr: ", 1), more...)
	s.url = strings.Replace(s.url, "http://", "https://", 1)
	return s
}

func inline(text string) string { return fmt.Sprintf("%q", text) }

func tlsClient(t *testing.T, c *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func fetch(c *http.Client, url string) (*http.Response, string, error) {
	res, err := c.Get(url)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// A server has its certificate in its entry, in files beside it, or in variables.
func TestTLS(t *testing.T) {
	id := newIdentity(t, "one")
	t.Setenv("HTTP_TEST_CERT", id.cert)
	t.Setenv("HTTP_TEST_KEY", id.key)
	const variables = `
  - {name: os, kind: env.storage.os}
  - {name: cert, kind: env.variable, storage: "app:os", variable: HTTP_TEST_CERT}
  - {name: key, kind: env.variable, storage: "app:os", variable: HTTP_TEST_KEY}
  - {name: server`
	for name, field := range map[string]string{
		"inline":       "{mode: manual, cert: " + inline(id.cert) + ", key: " + inline(id.key) + "}",
		"files":        `{mode: manual, cert: "file://cert.pem", key: "file://key.pem"}`,
		"variables":    "{mode: manual, cert_env: HTTP_TEST_CERT, key_env: HTTP_TEST_KEY}",
		"placeholders": "{mode: manual, cert: \"${env:app:cert}\", key: \"${env:HTTP_TEST_KEY}\"}",
	} {
		t.Run(name, func(t *testing.T) {
			s := serveWith(t, strings.Replace(strings.Replace(index, "\n  - {name: server", variables, 1), "addr: ", "tls: "+field+", addr: ", 1),
				fn{name: "cert.pem", body: id.cert}, fn{name: "key.pem", body: id.key})
			s.url = strings.Replace(s.url, "http://", "https://", 1)
			res, _, err := fetch(tlsClient(t, &tls.Config{RootCAs: id.pool}), s.url+"/value")
			if err != nil || res.StatusCode != 200 || res.ProtoMajor != 2 {
				t.Fatal(res, err)
			}
			old := &tls.Config{RootCAs: id.pool, MaxVersion: tls.VersionTLS11}
			if _, _, err := fetch(tlsClient(t, old), s.url+"/value"); err == nil {
				t.Error("an old version of TLS was taken")
			}
			// Without TLS there is no answer of an endpoint.
			if res, _, err := fetch(client, strings.Replace(s.url, "https", "http", 1)+"/value"); err == nil && res.StatusCode != 400 {
				t.Error(res.Status)
			}
		})
	}
}

// New connections get a new certificate; those that are open go on.
func TestCertificateChangesWhileServing(t *testing.T) {
	one, two := newIdentity(t, "one"), newIdentity(t, "two")
	s := secure(t, "{mode: manual, cert: "+inline(one.cert)+", key: "+inline(one.key)+"}")
	first := tlsClient(t, &tls.Config{RootCAs: one.pool})
	if _, _, err := fetch(first, s.url+"/value"); err != nil {
		t.Fatal(err)
	}
	if err := s.server(map[string]any{"tls": map[string]any{"mode": "manual", "cert": two.cert, "key": two.key}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := fetch(first, s.url+"/value"); err != nil {
		t.Error("the open connection:", err)
	}
	if _, _, err := fetch(tlsClient(t, &tls.Config{RootCAs: two.pool}), s.url+"/value"); err != nil {
		t.Error("a new connection:", err)
	}
	err := s.server(map[string]any{"tls": map[string]any{"mode": "manual", "cert": two.cert, "key": one.key}})
	if err == nil {
		t.Error("a key that does not fit was taken")
	}
}

func TestClientCertificates(t *testing.T) {
	id, own, stranger := newIdentity(t, "server"), newIdentity(t, "client"), newIdentity(t, "stranger")
	for policy, want := range map[string][3]bool{ // without, with its own, with one nobody knows
		"request": {true, true, true}, "require_any": {false, true, true}, "verify_if_given": {true, true, false}, "require_and_verify": {false, true, false},
	} {
		s := secure(t, "{mode: manual, cert: "+inline(id.cert)+", key: "+inline(id.key)+", client_auth: "+policy+", client_ca: "+inline(own.cert)+"}")
		for i, pairs := range [][]tls.Certificate{nil, {own.pair}, {stranger.pair}} {
			// The certificate is sent whoever the server says it knows.
			c := &tls.Config{RootCAs: id.pool}
			if pairs != nil {
				c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pairs[0], nil }
			}
			if _, _, err := fetch(tlsClient(t, c), s.url+"/value"); (err == nil) != want[i] {
				t.Errorf("%s, client %d: %v", policy, i, err)
			}
		}
	}
}

// A stream that its client resets ends its call, and not the others of the connection.
func TestHTTP2(t *testing.T) {
	id := newIdentity(t, "h2")
	s := secure(t, "{mode: manual, cert: "+inline(id.cert)+", key: "+inline(id.key)+"}")
	happens := make(chan string, 2)
	for _, what := range []string{"waits", "watches"} {
		if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", what), func(event) { happens <- what }); err != nil {
			t.Fatal(err)
		}
	}
	c := tlsClient(t, &tls.Config{RootCAs: id.pool})
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/slow", nil)
	left := make(chan error, 1)
	go func() { _, err := c.Do(req); left <- err }()
	s.see(happens, "waits")
	watched := make(chan string, 1)
	go func() {
		res, text, err := fetch(c, s.url+"/watch")
		if err != nil || res.ProtoMajor != 2 {
			text = fmt.Sprint(res, err)
		}
		watched <- text
	}()
	s.see(happens, "watches")
	cancel()
	<-left
	s.see(watched, "pid.exit context canceled")
}

// frames speaks HTTP/2 by hand.
func frames(t *testing.T, s *site, id identity) (*http2.Framer, func(stream uint32, path string)) {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{RootCAs: id.pool, NextProtos: []string{"h2"}})
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err == nil {
		_, err = io.WriteString(conn, http2.ClientPreface)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	f := http2.NewFramer(conn, conn)
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	return f, func(stream uint32, path string) {
		block.Reset()
		for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", path}} {
			_ = encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
		}
		// What the server has closed shows in what is read.
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
	}
}

// A flood of streams, of resets or of continuations costs its connection, and nothing else.
func TestAttackHTTP2Floods(t *testing.T) {
	id := newIdentity(t, "h2")
	s := secure(t, "{mode: manual, cert: "+inline(id.cert)+", key: "+inline(id.key)+"}")
	for name, attack := range map[string]func(f *http2.Framer, get func(uint32, string)) bool{
		"streams": func(f *http2.Framer, get func(uint32, string)) bool {
			for i := range uint32(1000) {
				get(2*i+1, "/slow")
			}
			return false
		},
		"resets": func(f *http2.Framer, get func(uint32, string)) bool {
			for i := range uint32(5000) {
				get(2*i+1, "/slow")
				_ = f.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
			}
			return false // those that waited were never begun
		},
		"continuations": func(f *http2.Framer, _ func(uint32, string)) bool {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}})
			for range 20_000 {
				if f.WriteContinuation(1, false, bytes.Repeat([]byte{0x82}, 1000)) != nil {
					return true
				}
			}
			return true
		},
		"settings": func(f *http2.Framer, _ func(uint32, string)) bool {
			for range 20_000 {
				if f.WriteSettings() != nil {
					break
				}
			}
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, get := frames(t, s, id)
			over := make(chan error, 1)
			go func() { // what the server answers is taken or not, as the attacker likes
				for {
					if _, err := f.ReadFrame(); err != nil {
						over <- err
						return
					}
				}
			}()
			if ends := attack(f, get); ends {
				select {
				case <-over:
				case <-time.After(patience):
					t.Error("the connection lives on")
				}
			}
			if _, _, err := fetch(tlsClient(t, &tls.Config{RootCAs: id.pool}), s.url+"/value"); err != nil {
				t.Error("the server answers nobody:", err)
			}
		})
	}
}
