// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// requestTimeout bounds a request to the authority.
	requestTimeout = 30 * time.Second
	// responseLimit bounds what it may answer.
	responseLimit = 1 << 20
)

// errClosed is what requests to the authority get after Close.
var errClosed = errors.New("the server has stopped")

// transport makes requests to the authority as long as its keeper is open, and remembers why it refuses: who asks for
// certificates is told only that there is no more to try.
type transport struct {
	http *http.Transport
	open context.Context

	mu      sync.Mutex        // guards refused
	refused map[string]string // why there is no certificate for a name
}

// newTransport makes one that trusts roots, those of the system when there are none.
func newTransport(open context.Context, roots string) *transport {
	t := &transport{open: open, refused: map[string]string{}}
	t.http = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: requestTimeout / 2}
	if roots != "" {
		t.http.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		t.http.TLSClientConfig.RootCAs.AppendCertsFromPEM([]byte(roots))
	}
	return t
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.open.Err() != nil {
		t.http.CloseIdleConnections()
		return nil, errClosed
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(t.open, func() { cancel(errClosed) })()
	res, err := t.http.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, responseLimit+1))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if len(data) > responseLimit {
		return nil, fmt.Errorf("the certificate authority answers with more than %d bytes", responseLimit)
	}
	t.note(data)
	res.Body = io.NopCloser(bytes.NewReader(data))
	return res, nil
}

// note keeps what an authorization says that has failed.
func (t *transport) note(data []byte) {
	var authorization struct {
		Status     string
		Identifier struct{ Value string }
		Challenges []struct {
			Type  string
			Error struct{ Detail string }
		}
	}
	if json.Unmarshal(data, &authorization) != nil || authorization.Identifier.Value == "" {
		return
	}
	var reasons []string
	for _, c := range authorization.Challenges {
		if c.Error.Detail != "" {
			reasons = append(reasons, c.Type+": "+c.Error.Detail)
		}
	}
	if authorization.Status != "invalid" || len(reasons) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[authorization.Identifier.Value] = strings.Join(reasons, "; ")
}

// why is what the authority has said about a name.
func (t *transport) why(host string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused[host]
}
