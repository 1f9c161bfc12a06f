// SPDX-License-Identifier: Apache-2.0

// Package certs gets the certificates of a server from an authority that speaks ACME (RFC 8555), such as Let's
// Encrypt, and renews them.
//
// # Basics
//
// An entry lists names of hosts and a directory; a Keeper has the certificates for exactly these names. The
// authority asks for proof on the server's own port (tls-alpn-01, the authority comes to port 443) or, with an address
// for it, over HTTP (http-01, it comes to port 80), where other requests are sent on to HTTPS.
//
// # Guarantees
//
//   - Certificates are asked for when the server starts, not when the first client comes, which waits until they are
//     there. Those in the directory are used again (TestAuthority). They are renewed while the server runs.
//   - A name that is not listed costs the authority no request (TestForeignNames).
//   - That there is no certificate is a warning that says why, at most one a minute for each name; the server goes
//     on and tries again (TestAuthorityThatDoesNotAnswer).
//   - After Close, no request goes to the authority (TestClosed).
//   - The options are checked before anything starts (TestOptions).
//
// # Costs
//
// A handshake takes a lock and a map look-up more than with a certificate of one's own. All methods may be called
// concurrently.
package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// silence is the time between two warnings about one name.
const silence = time.Minute

// Keeper has the certificates of a server. Make one with New and Close it.
type Keeper struct {
	config    Config
	log       *slog.Logger
	manager   *autocert.Manager
	transport *transport
	open      context.Context // ends with Close
	close     context.CancelFunc
	ahead     sync.WaitGroup // what asks for certificates that no client has asked for

	mu     sync.Mutex           // guards warned
	warned map[string]time.Time // when there was a warning about a name
}

// New makes a keeper. The error says that the directory of certificates cannot be used.
func New(c Config, log *slog.Logger) (*Keeper, error) {
	if err := usable(c.Cache); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "tls.acme.cache: directory "+c.Cache+" cannot be used", err)
	}
	k := &Keeper{config: c, log: log, warned: map[string]time.Time{}}
	k.open, k.close = context.WithCancel(context.Background())
	k.transport = newTransport(k.open, c.Roots)
	k.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(c.Cache), HostPolicy: k.allowed, RenewBefore: c.RenewBefore, Email: c.Email,
		Client: &acme.Client{DirectoryURL: c.Directory, UserAgent: "wippy", RetryBackoff: backoff, HTTPClient: &http.Client{
			Transport: k.transport, Timeout: requestTimeout,
		}},
	}
	if c.KeyID != "" {
		mac, err := c.mac()
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "tls.acme.account.hmac", err)
		}
		k.manager.ExternalAccountBinding = &acme.ExternalAccountBinding{KID: c.KeyID, Key: mac}
	}
	return k, nil
}

// backoff is the time before the next attempt of a request that the authority could not answer; nothing ends it, so
// that a warning can say why.
func backoff(n int, _ *http.Request, _ *http.Response) time.Duration {
	const attempts = 4
	if n > attempts {
		return -1
	}
	return time.Second << (n - 1)
}

// usable makes the directory and sees whether there can be files in it.
func usable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(filepath.Clean(f.Name())))
}

// allowed refuses names that are not listed.
func (k *Keeper) allowed(_ context.Context, host string) error {
	if !slices.Contains(k.config.Hosts, host) {
		return fmt.Errorf("no certificate for %q: it is not in tls.acme.hosts", host)
	}
	return nil
}

// TLS is the configuration of the server.
func (k *Keeper) TLS() *tls.Config {
	c := k.manager.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.GetCertificate = k.certificate
	return c
}

// certificate answers a handshake.
func (k *Keeper) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := k.manager.GetCertificate(hello)
	if err != nil && k.open.Err() == nil && slices.Contains(k.config.Hosts, hello.ServerName) && k.speak(hello.ServerName) {
		k.log.Warn("there is no certificate", "host", hello.ServerName, "directory", k.config.Directory, "error", err,
			"because", k.transport.why(hello.ServerName))
	}
	return cert, err
}

// speak tells whether it is time for a warning.
func (k *Keeper) speak(host string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if last, ok := k.warned[host]; ok && time.Since(last) < silence {
		return false
	}
	k.warned[host] = time.Now()
	return true
}

// Challenges answers the authority over HTTP and sends everybody else to HTTPS. Calling it makes the keeper offer
// that to the authority.
func (k *Keeper) Challenges() http.Handler {
	next := k.manager.HTTPHandler(nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			r.Host = host // the list has no ports
		}
		next.ServeHTTP(w, r)
	})
}

// Fetch asks for what is missing, in the background. The server must answer already: the authority comes to see.
func (k *Keeper) Fetch() {
	for _, host := range k.config.Hosts {
		k.ahead.Go(func() {
			hello := &tls.ClientHelloInfo{ServerName: host, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, SupportedVersions: []uint16{tls.VersionTLS13},
				SupportedCurves: []tls.CurveID{tls.CurveP256}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}}
			if cert, err := k.certificate(hello); err == nil {
				k.log.Info("certificate", "host", host, "until", cert.Leaf.NotAfter.UTC().Format(time.RFC3339))
			}
		})
	}
}

// Close ends what is under way and waits for it, until ctx ends.
func (k *Keeper) Close(ctx context.Context) {
	k.close()
	over := make(chan struct{})
	go func() {
		defer close(over)
		k.ahead.Wait()
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
}
