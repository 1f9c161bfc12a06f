// SPDX-License-Identifier: Apache-2.0

package httpclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// pair makes a certificate and its key as PEM.
func pair(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			name = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		_, _ = io.WriteString(w, name+" "+r.TLS.ServerName+" "+r.Proto)
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	cert, key := pair(t, "ada")
	newSystem(t).Check(t, `
		local url, ca, cert, key = ...
		local r, err = http_client.get(url)
		assert(r == nil and err:kind() == "Internal" and err:message():find("certificate"), tostring(err))
		assert(http_client.get(url, {tls = {insecure_skip_verify = true}}).body == "nobody  HTTP/2.0")
		assert(http_client.get(url, {tls = {ca = ca}}).status_code == 200)
		assert(http_client.get(url, {tls = {ca = ca, server_name = "example.com"}}).body == "nobody example.com HTTP/2.0")
		r, err = http_client.get(url, {tls = {ca = ca, server_name = "example.org"}})
		assert(r == nil and err:message():find("example.org"))
		assert(http_client.get(url, {tls = {ca = ca, cert = cert, key = key}}).body == "ada  HTTP/2.0")
		-- What one request trusted is not what the next one does.
		assert(http_client.get(url) == nil)`, server.URL, ca, cert, key)
}
