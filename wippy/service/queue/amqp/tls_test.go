// SPDX-License-Identifier: Apache-2.0

package amqp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// pair is a certificate with its key, in PEM form.
type pair struct{ cert, key string }

// certificates are an authority, what it has signed, and a certificate that another one has signed.
type certificates struct {
	ca                      string
	server, client, foreign pair
}

func newCertificates() (*certificates, error) {
	out := &certificates{}
	ca, caKey, caPair, err := sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	if err != nil {
		return nil, err
	}
	out.ca = caPair.cert
	_, _, out.server, err = sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "broker"}, DNSNames: []string{"broker.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	if err != nil {
		return nil, err
	}
	client := func() *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: "guest"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	}
	if _, _, out.client, err = sign(client(), ca, caKey); err != nil {
		return nil, err
	}
	_, _, out.foreign, err = sign(client(), nil, nil)
	return out, err
}

// sign makes a certificate, which signs itself without a parent.
func sign(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, pair{}, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, nil, pair{}, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	template.KeyUsage |= x509.KeyUsageDigitalSignature
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, nil, pair{}, err
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, pair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	return made, key, pair{
		cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	}, err
}

func TestTLS(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	c := b.certificates
	asPlain := strings.Replace(b.secureURL(), "amqps://", "amqp://", 1)
	for name, test := range map[string]struct {
		url  string
		tls  object
		more object
		want string // what the error has in it, "" when all is well
	}{
		"authority":                         {url: b.secureURL(), tls: object{"enabled": true, "ca": c.ca}},
		"the address says enough":           {url: b.secureURL(), tls: object{"ca": c.ca}},
		"the entry says enough":             {url: asPlain, tls: object{"enabled": true, "ca": c.ca}},
		"name of the server":                {url: b.secureURL(), tls: object{"enabled": true, "ca": c.ca, "server_name": "broker.test"}},
		"not verified":                      {url: b.secureURL(), tls: object{"enabled": true, "insecure_skip_verify": true}},
		"certificate of the client":         {url: b.secureURL(), tls: object{"enabled": true, "ca": c.ca, "cert": c.client.cert, "key": c.client.key}, more: object{"auth_mechanism": "EXTERNAL"}},
		"unknown authority":                 {url: b.secureURL(), tls: object{"enabled": true}, want: "certificate signed by unknown authority"},
		"unknown authority, no field":       {url: b.secureURL(), want: "certificate signed by unknown authority"},
		"another authority":                 {url: b.secureURL(), tls: object{"enabled": true, "ca": c.foreign.cert}, want: "certificate signed by unknown authority"},
		"another server":                    {url: b.secureURL(), tls: object{"enabled": true, "ca": c.ca, "server_name": "elsewhere.test"}, want: "not elsewhere.test"},
		"no certificate of the client":      {url: b.secureURL(), tls: object{"enabled": true, "ca": c.ca}, more: object{"auth_mechanism": "EXTERNAL"}, want: "connect to broker"},
		"foreign certificate of the client": {url: b.secureURL(), tls: object{"enabled": true, "ca": c.ca, "cert": c.foreign.cert, "key": c.foreign.key}, more: object{"auth_mechanism": "EXTERNAL"}, want: "connect to broker"},
		"TLS to a port without":             {url: b.url(), tls: object{"enabled": true, "ca": c.ca}, want: "connect to broker"},
	} {
		t.Run(name, func(t *testing.T) {
			options := object{}
			for k, v := range test.more {
				options[k] = v
			}
			if test.tls != nil {
				options["tls"] = test.tls
			}
			s := newSystem(t, test.url, options)
			s.queue("q", object{"driver_options": object{"amqp": object{"auto_delete": true}}})
			if test.want != "" {
				driver := s.staged["app:driver"]
				_, err := driver.Start(t.Context())
				if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "guest:guest") {
					t.Errorf("%v, want %s", err, test.want)
				}
				if err := driver.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				return
			}
			s.start("driver")
			s.publish("q", "over TLS", nil)
			d := s.receive(s.source("q"))
			if got := fmt.Sprint(decoded(t, d.Message.Body)); got != "over TLS" {
				t.Errorf("%s", got)
			}
			if err := d.Settler().Ack(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
