// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/net/idna"

	"github.com/wippyrun/kit/wippy/service/fields"
)

// Config is what a server asks for. Two that are Equal need the same certificates from the same authority.
type Config struct {
	Hosts       []string      // that there are certificates for, in lower case
	Cache       string        // directory of certificates and of the account's key
	Email       string        // where the authority writes to; may be empty
	Directory   string        // URL of the authority
	Roots       string        // PEM of those that the authority's own certificate leads to; empty for those of the system
	HTTP        string        // address for challenges over HTTP; empty for none
	RenewBefore time.Duration // the end of a certificate; 0 for a third of its time
	KeyID       string        // of the account that the authority knows; empty for none
	KeyMAC      string        // its secret
}

// Equal reports whether both ask for the same.
func (c *Config) Equal(o *Config) bool {
	if c == nil || o == nil {
		return c == o
	}
	a, b := *c, *o
	a.Hosts, b.Hosts = nil, nil
	return slices.Equal(c.Hosts, o.Hosts) && fmt.Sprint(a) == fmt.Sprint(b)
}

// Decode reads the field acme of an entry. Problems are reported to the reader.
func Decode(r *fields.Reader) *Config {
	c := &Config{
		Cache: r.String("cache", ""), Email: r.String("email", ""), Directory: r.String("directory", acme.LetsEncryptURL),
		Roots: r.String("ca", ""), HTTP: r.String("http_addr", ""), RenewBefore: r.Duration("renew_before", 0),
	}
	c.hosts(r)
	if c.Cache == "" {
		r.Reject("cache", "tls.acme.cache is required: a directory that keeps certificates, or each start asks for new ones until the authority refuses")
	}
	if u, err := url.Parse(c.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		r.Reject("directory", "tls.acme.directory must be an https URL, got "+c.Directory)
	}
	if c.Roots != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.Roots)) {
		r.Reject("ca", "tls.acme.ca holds no certificate")
	}
	if c.RenewBefore < 0 {
		r.Reject("renew_before", "tls.acme.renew_before must be non-negative")
	}
	if strings.ContainsAny(c.Email, " \t\r\n") || c.Email != "" && !strings.Contains(c.Email, "@") {
		r.Reject("email", "tls.acme.email is no address: "+c.Email)
	}
	if !r.Bool("accept_terms", false) {
		r.Reject("accept_terms", "tls.acme.accept_terms must be true: the authority gives certificates to those who accept its terms")
	}
	account := r.Sub("account")
	if r.Has("account") {
		c.KeyID, c.KeyMAC = account.Required("kid"), account.Required("hmac")
		if _, err := c.mac(); err != nil {
			account.Reject("hmac", "tls.acme.account.hmac is not base64url: "+err.Error())
		}
	}
	return c
}

func (c *Config) hosts(r *fields.Reader) {
	all := r.Strings("hosts")
	if len(all) == 0 {
		r.Reject("hosts", "tls.acme.hosts is required: the names that clients use")
	}
	for _, host := range all {
		name, err := idna.Lookup.ToASCII(host)
		switch {
		case strings.HasPrefix(host, "*"):
			r.Reject("hosts", "tls.acme.hosts: "+host+": there are no certificates for all names below one this way, list them")
		case strings.Contains(host, ":") || err != nil || !strings.Contains(name, ".") || strings.Trim(name, "0123456789.") == "":
			r.Reject("hosts", "tls.acme.hosts: "+host+" is no name that an authority gives certificates for, such as www.example.org")
		default:
			c.Hosts = append(c.Hosts, name)
		}
	}
}

// mac is the secret of the account.
func (c *Config) mac() ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(c.KeyMAC, "="))
}
