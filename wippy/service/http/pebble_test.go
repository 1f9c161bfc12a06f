// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wippyrun/kit/wippy/internal/porttest"
)

// pebbleModule is a certificate authority for tests. It is a tool of this package's tests, no part of the program.
const pebbleModule = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3"

// pebble is a running certificate authority. Its address is known before it runs: it comes to servers whose address is
// only known when they do.
type pebble struct {
	*testing.T
	binary string
	id     identity
	front  net.Listener
	ready  chan struct{} // closed when it runs

	// Known when it runs.
	addr  string
	roots *x509.CertPool // of the certificates that it gives
	stop  func()
}

// newPebble installs one. That needs a module proxy, or a cache that has it.
func newPebble(t *testing.T) *pebble {
	t.Helper()
	dir := t.TempDir()
	install := exec.Command("go", "install", pebbleModule)
	install.Env = append(os.Environ(), "GOBIN="+dir, "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("there is no certificate authority here: %v\n%s", err, out)
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pebble{T: t, binary: filepath.Join(dir, "pebble"), id: newIdentity(t, "pebble"), front: front, ready: make(chan struct{})}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = front.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			conn, err := front.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.pass(conn) })
		}
	})
	return p
}

// pass connects a client with the program, once it runs.
func (p *pebble) pass(client net.Conn) {
	defer client.Close()
	select {
	case <-p.ready:
	case <-p.Context().Done():
		return
	}
	server, err := net.Dial("tcp", p.addr)
	if err != nil {
		return // it has been stopped
	}
	defer server.Close()
	var one sync.WaitGroup
	one.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	_, _ = io.Copy(client, server)
	_ = client.Close()
	one.Wait()
}

// directory is the URL for the configuration of a server.
func (p *pebble) directory() string { return "https://" + p.front.Addr().String() + "/dir" }

// run starts it: it will come to these ports. Accounts need what external says: an id and its key.
func (p *pebble) run(tlsPort, httpPort int, external map[string]string) {
	p.Helper()
	dir := p.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(cert, []byte(p.id.cert), 0o600), os.WriteFile(key, []byte(p.id.key), 0o600)); err != nil {
		p.Fatal(err)
	}
	resolver := names(p.T)
	for range 10 { // where ports cannot be kept, somebody else may have one
		p.addr = porttest.Address(p.T)
		management := porttest.Address(p.T)
		config, err := json.Marshal(map[string]any{"pebble": map[string]any{
			"listenAddress": p.addr, "managementListenAddress": management, "certificate": cert, "privateKey": key,
			"httpPort": httpPort, "tlsPort": tlsPort,
			"externalAccountBindingRequired": external != nil, "externalAccountMACKeys": external,
			"profiles": map[string]any{"default": map[string]any{"description": "for tests", "validityPeriod": 7776000}},
		}})
		if err != nil {
			p.Fatal(err)
		}
		file := filepath.Join(dir, "config.json")
		if err := os.WriteFile(file, config, 0o600); err != nil {
			p.Fatal(err)
		}
		program := exec.Command(p.binary, "-config", file, "-dnsserver", resolver, "-strict")
		program.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
		output := &text{}
		program.Stdout, program.Stderr = output, output
		if err := program.Start(); err != nil {
			p.Fatal(err)
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			_ = program.Wait() // it is killed
		}()
		p.stop = sync.OnceFunc(func() {
			_ = program.Process.Kill()
			<-over
		})
		p.Cleanup(p.stop)
		p.Cleanup(func() {
			if p.Failed() {
				p.Logf("the authority:\n%s", output)
			}
		})
		if p.answers(management, over) {
			close(p.ready)
			return
		}
	}
	p.Fatal("the certificate authority does not run")
}

// answers waits until the program serves, and takes its root certificate; false when it has ended.
func (p *pebble) answers(management string, over <-chan struct{}) bool {
	p.Helper()
	c := tlsClient(p.T, &tls.Config{RootCAs: p.id.pool})
	deadline := time.After(patience)
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		_, _, err := fetch(c, "https://"+p.addr+"/dir")
		if err == nil {
			var root string
			if _, root, err = fetch(c, "https://"+management+"/roots/0"); err == nil {
				p.roots = x509.NewCertPool()
				return p.roots.AppendCertsFromPEM([]byte(root))
			}
		}
		select {
		case <-over:
			return false
		case <-deadline:
			p.Fatal(err)
		case <-retry.C:
		}
	}
}

// names serves, over TCP, a zone in which every name is this machine, and returns the address.
func names(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		served.Wait()
	})
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				for answerName(conn) == nil {
				}
			})
		}
	})
	return l.Addr().String()
}

// answerName answers one question.
func answerName(conn net.Conn) error {
	var size uint16
	if err := binary.Read(conn, binary.BigEndian, &size); err != nil {
		return err
	}
	question := make([]byte, size)
	if _, err := io.ReadFull(conn, question); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return err
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			})
		}
	}
	answer, err := m.Pack()
	if err == nil {
		_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
	return err
}

// port is that of a URL.
func port(t *testing.T, url string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(url[strings.LastIndex(url, ":")+1:], &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// logged is the record with this message.
func (s *site) logged(message string) map[string]any {
	s.Helper()
	for line := range bytes.Lines([]byte(s.logs.String())) {
		record := map[string]any{}
		if json.Unmarshal(line, &record) == nil && record["msg"] == message {
			return record
		}
	}
	s.Fatalf("nothing says %q:\n%s", message, s.logs)
	return nil
}
