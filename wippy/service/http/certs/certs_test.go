// SPDX-License-Identifier: Apache-2.0

package certs_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/http/certs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOptions(t *testing.T) {
	for want, change := range map[string]map[string]any{
		"":                                     {},
		"tls.acme.hosts is required":           {"hosts": nil},
		"*.example.org: there are no":          {"hosts": []any{"*.example.org"}},
		"localhost is no name":                 {"hosts": []any{"localhost"}},
		"127.0.0.1 is no name":                 {"hosts": []any{"127.0.0.1"}},
		"a.example:443 is no name":             {"hosts": []any{"a.example:443"}},
		"a b.example is no name":               {"hosts": []any{"a b.example"}},
		"tls.acme.cache is required":           {"cache": ""},
		"must be an https URL, got http://x/":  {"directory": "http://x/"},
		"must be an https URL, got nonsense":   {"directory": "nonsense"},
		"tls.acme.ca holds no certificate":     {"ca": "nonsense"},
		"renew_before must be non-negative":    {"renew_before": "-1h"},
		"tls.acme.email is no address: nobody": {"email": "nobody"},
		"accept_terms must be true":            {"accept_terms": nil},
		"kid is required":                      {"account": map[string]any{"hmac": "aaaa"}},
		"hmac is not base64url":                {"account": map[string]any{"kid": "a", "hmac": "!"}},
		"account must be a map":                {"account": "x"},
	} {
		data := map[string]any{"hosts": []any{"Example.org", "bücher.example"}, "cache": "dir", "accept_terms": true}
		for k, v := range change {
			data[k] = v
		}
		r := fields.New(data)
		c := certs.Decode(r)
		switch err := r.Err(); {
		case want == "":
			if err != nil || len(r.Unknown()) > 0 || strings.Join(c.Hosts, " ") != "example.org xn--bcher-kva.example" || c.Directory != "https://acme-v02.api.letsencrypt.org/directory" {
				t.Errorf("%+v, %v", c, err)
			}
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%v: %v, want %s", change, err, want)
		}
	}
	a, b := &certs.Config{Hosts: []string{"a"}, Cache: "c"}, &certs.Config{Hosts: []string{"a"}, Cache: "c"}
	if !a.Equal(b) || a.Equal(nil) || !(*certs.Config)(nil).Equal(nil) {
		t.Error("Equal")
	}
	if b.Hosts[0] = "b"; a.Equal(b) {
		t.Error("Equal ignores hosts")
	}
	if b.Hosts[0], b.KeyMAC = "a", "x"; a.Equal(b) {
		t.Error("Equal ignores the account")
	}
}

// authority is one that refuses everything.
type authority struct {
	config   certs.Config
	log      *slog.Logger
	records  bytes.Buffer
	requests atomic.Int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a.requests.Add(1)
		http.Error(w, "closed for ever", http.StatusGone)
	}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	a.config = certs.Config{Hosts: []string{"a.example"}, Cache: t.TempDir(), Directory: s.URL, Roots: root}
	a.log = slog.New(slog.NewJSONHandler(&a.records, nil))
	return a
}

func keeper(t *testing.T, a *authority) *certs.Keeper {
	t.Helper()
	k, err := certs.New(a.config, a.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close(t.Context()) })
	return k
}

func hello(name string) *tls.ClientHelloInfo { return &tls.ClientHelloInfo{ServerName: name} }

// Names that are not listed are nothing to ask an authority about.
func TestForeignNames(t *testing.T) {
	a := newAuthority(t)
	k := keeper(t, a)
	for _, name := range []string{"b.example", "", "localhost", "a.example.evil.example"} {
		if _, err := k.TLS().GetCertificate(hello(name)); err == nil {
			t.Errorf("a certificate for %q", name)
		}
	}
	if n := a.requests.Load(); n > 0 || a.records.Len() > 0 {
		t.Errorf("%d requests, log %s", n, &a.records)
	}
}

// That there is no certificate is a warning, once in a while.
func TestAuthorityThatDoesNotAnswer(t *testing.T) {
	a := newAuthority(t)
	k := keeper(t, a)
	for range 3 {
		if _, err := k.TLS().GetCertificate(hello("a.example")); err == nil {
			t.Error("there is a certificate")
		}
	}
	var record map[string]any
	if err := json.Unmarshal(a.records.Bytes(), &record); err != nil {
		t.Fatalf("%v in %s", err, &a.records)
	}
	if record["level"] != "WARN" || record["msg"] != "there is no certificate" || record["host"] != "a.example" || !strings.Contains(record["error"].(string), "410") {
		t.Errorf("%v", record)
	}
}

// What is stopped asks nobody.
func TestClosed(t *testing.T) {
	a := newAuthority(t)
	k := keeper(t, a)
	k.Close(t.Context())
	k.Fetch()
	k.Close(t.Context())
	if n := a.requests.Load(); n > 0 || a.records.Len() > 0 {
		t.Errorf("%d requests, log %s", n, &a.records)
	}
}

// Requests that are not those of an authority go to where TLS is.
func TestRedirect(t *testing.T) {
	k := keeper(t, newAuthority(t))
	for target, want := range map[string]int{"http://a.example:80/x": http.StatusFound, "http://a.example/.well-known/acme-challenge/none": http.StatusNotFound,
		"http://b.example/.well-known/acme-challenge/none": http.StatusForbidden} {
		w := httptest.NewRecorder()
		k.Challenges().ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Code != want {
			body, _ := io.ReadAll(w.Body)
			t.Errorf("%s: %d %s", target, w.Code, body)
		}
	}
}
