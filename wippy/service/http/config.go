// SPDX-License-Identifier: Apache-2.0

package http

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/service/http/certs"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// The kinds of this package.
const (
	KindService  = "http.service"
	KindRouter   = "http.router"
	KindEndpoint = "http.endpoint"
)

// Kinds lists them.
func Kinds() []string { return []string{KindService, KindRouter, KindEndpoint, KindStatic} }

// serverConfig is the decoded form of an http.service.
type serverConfig struct {
	addr              string
	read, write, idle time.Duration
	tls               *tls.Config // nil without TLS
	auto              bool        // an authority or the overlay network has the certificate
	acme              *certs.Config
	network           string // id of the overlay to listen on
	access            bool   // log each request
	mailbox           int    // messages that wait for a client
	dev               bool   // show programmers what failed
	lifecycle         supervisor.Lifecycle
}

func decodeServer(e registry.Entry) (serverConfig, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := serverConfig{addr: r.String("addr", ""), lifecycle: host.Lifecycle(r)}
	if r.Err() != nil { // no text: said by String
	} else if c.addr == "" {
		r.Reject("addr", "address is required")
	} else if _, _, err := net.SplitHostPort(c.addr); err != nil {
		r.Reject("addr", fmt.Sprintf("addr: %q is not an address with a port, such as \":8080\" or \"localhost:8080\"", c.addr))
	}
	t := r.Sub("timeouts")
	for name, d := range map[string]*time.Duration{"read": &c.read, "write": &c.write, "idle": &c.idle} {
		if *d = t.Duration(name, 0); *d < 0 {
			t.Reject(name, "timeout must be non-negative")
		}
	}
	c.access, c.dev = r.Bool("access_log", false), r.Bool("dev", false)
	h := r.Sub("host")
	c.mailbox = h.Int("buffer_size", session.DefaultBuffer)
	h.Ignore("worker_count") // sessions need none
	c.decodeTLS(r.Sub("tls"))
	c.network = resolve(e, r.String("network", ""))
	return c, r.Unknown(), r.Err()
}

// clientAuth are the policies for client certificates.
var clientAuth = map[string]tls.ClientAuthType{
	"request": tls.RequestClientCert, "require_any": tls.RequireAnyClientCert,
	"verify_if_given": tls.VerifyClientCertIfGiven, "require_and_verify": tls.RequireAndVerifyClientCert,
}

func (c *serverConfig) decodeTLS(r *fields.Reader) {
	mode := r.String("mode", "")
	cert, key, ca, auth := r.String("cert", ""), r.String("key", ""), r.String("client_ca", ""), r.String("client_auth", "")
	// What they name has taken the place of the fields above, unless it is not there.
	r.Ignore("cert_env", "key_env", "client_ca_env")
	policy, known := clientAuth[auth]
	if auth != "" && !known {
		r.Reject("client_auth", "invalid tls.client_auth: "+auth)
	}
	if mode != "auto" && r.Has("acme") {
		r.Ignore("acme")
		r.Reject("acme", "tls.acme requires tls.mode=auto")
	}
	switch mode {
	case "":
		if cert != "" || key != "" || ca != "" || auth != "" {
			r.Reject("mode", "tls.mode=off must not set cert/key or mTLS fields")
		}
		return
	case "auto":
		if cert != "" || key != "" {
			r.Reject("mode", "tls.mode=auto must not set cert/key (driver-managed)")
		}
		if ca != "" || auth != "" {
			r.Reject("mode", "mTLS (client_auth) requires tls.mode=manual")
		}
		if c.auto = true; r.Has("acme") {
			c.acme = certs.Decode(r.Sub("acme"))
		}
		return
	case "manual":
	default:
		r.Reject("mode", "invalid tls.mode: "+mode)
		return
	}
	switch {
	case ca != "" && auth == "":
		r.Reject("client_ca", "client_ca set but client_auth is empty")
	case ca == "" && (auth == "verify_if_given" || auth == "require_and_verify"):
		r.Reject("client_auth", "client_auth verification modes require client_ca or client_ca_env")
	}
	switch {
	case cert == "" && key == "":
		r.Reject("cert", "tls.mode=manual requires cert+key or cert_env+key_env")
		return
	case cert == "" || key == "":
		r.Reject("cert", "cert and key must both be set")
		return
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		r.Reject("cert", err.Error())
		return
	}
	c.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, ClientAuth: policy}
	if ca != "" {
		c.tls.ClientCAs = x509.NewCertPool()
		if !c.tls.ClientCAs.AppendCertsFromPEM([]byte(ca)) {
			r.Reject("client_ca", "client_ca holds no certificate")
		}
	}
}

// Check finds what can only be seen in an entry as it is written: a field that is given
// itself and by the name of a variable as well.
func Check(e registry.Entry) error {
	if e.Kind != KindService {
		return nil
	}
	t := fields.New(e.Data).Sub("tls")
	cert, certEnv := t.Has("cert") || t.Has("key"), t.Has("cert_env") || t.Has("key_env")
	switch {
	case cert && certEnv:
		t.Reject("cert_env", "set either cert+key or cert_env+key_env, not both")
	case t.Has("cert_env") != t.Has("key_env"):
		t.Reject("cert_env", "cert_env and key_env must both be set")
	case t.Has("client_ca") && t.Has("client_ca_env"):
		t.Reject("client_ca_env", "set either client_ca or client_ca_env, not both")
	}
	return t.Err()
}

// routerConfig is the decoded form of an http.router.
type routerConfig struct {
	server, prefix      string
	before, after       []string // middleware
	options, postOption map[string]string
}

// resolve makes a bare name one of the namespace of the entry.
func resolve(e registry.Entry, name string) string {
	if id := registry.ParseID(name); name != "" && id.Namespace == "" {
		return registry.ID{Namespace: e.ID.Namespace, Name: id.Name}.String()
	}
	return name
}

// metaID reads a reference in the metadata.
func metaID(e registry.Entry, name string) string {
	text, _ := registry.IDText(e.Meta[name])
	return resolve(e, text)
}

func decodeRouter(e registry.Entry) (routerConfig, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := routerConfig{server: metaID(e, "server"), prefix: strings.TrimRight(r.String("prefix", ""), "/")}
	if c.server == "" {
		r.Report(&fields.Error{Path: "meta.server", Message: "server metadata is required"})
	}
	c.before, c.after = r.Strings("middleware"), r.Strings("post_middleware")
	c.options, c.postOption = middlewareOptions(e, r, "options"), middlewareOptions(e, r, "post_options")
	return c, r.Unknown(), r.Err()
}

// idOptions are the options of middleware that name an entry.
var idOptions = []string{"token_auth.store", "token_store", "sendfile.fs", "fs"}

// middlewareOptions are the options of a list of middleware.
func middlewareOptions(e registry.Entry, r *fields.Reader, name string) map[string]string {
	list := options(r, name)
	for _, name := range idOptions {
		if v, ok := list[name]; ok {
			list[name] = resolve(e, v)
		}
	}
	return list
}

// options reads a map of texts; numbers and booleans are taken as such.
func options(r *fields.Reader, name string) map[string]string {
	out := map[string]string{}
	all, isMap := r.Any(name).(map[string]any)
	if !isMap && r.Has(name) {
		r.Reject(name, name+" must be a map")
	}
	for k, v := range all {
		switch v := v.(type) {
		case string:
			out[k] = v
		case bool, float64, int:
			out[k] = fmt.Sprint(v)
		default:
			r.Reject(name, "option "+k+" must be a text")
		}
	}
	return out
}

// endpointConfig is the decoded form of an http.endpoint.
type endpointConfig struct{ router, method, path, function string }

var methods = []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"}

func decodeEndpoint(e registry.Entry) (endpointConfig, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := endpointConfig{router: metaID(e, "router"), method: r.String("method", ""), path: r.String("path", ""), function: resolve(e, r.String("func", ""))}
	if c.router == "" {
		r.Report(&fields.Error{Path: "meta.router", Message: "router metadata is required"})
	}
	if !slices.Contains(methods, c.method) {
		r.Reject("method", "invalid HTTP method: "+c.method)
	}
	if !strings.HasPrefix(c.path, "/") {
		r.Reject("path", "path must start with /")
	}
	if c.function == "" {
		r.Reject("func", "function name is required")
	}
	return c, r.Unknown(), r.Err()
}

// pattern is the path as net/http understands it: ":name" becomes "{name}".
func (c endpointConfig) pattern(prefix string) string {
	segments := strings.Split(prefix+c.path, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, ":"); ok && name != "" {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// wildcards returns the names in a pattern, as it writes them.
func wildcards(pattern string) []string {
	var names []string
	for s := range strings.SplitSeq(pattern, "/") {
		if name, ok := strings.CutPrefix(s, "{"); ok && s != "{$}" {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}
