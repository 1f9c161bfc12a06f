// SPDX-License-Identifier: Apache-2.0

package http

import (
	"net/http"
	"strings"
)

// origins are the patterns of allowed origins.
type origins []string

// allows matches an origin: exactly, "*", "*.example.com", or "localhost" with any port.
func (o origins) allows(origin string) bool {
	if origin == "" {
		return false
	}
	for _, pattern := range o {
		switch suffix, wild := strings.CutPrefix(pattern, "*."); {
		case pattern == "*" || pattern == origin:
			return true
		case wild && strings.HasSuffix(origin, "."+suffix) && !strings.HasSuffix(origin, "//."+suffix):
			return true
		case pattern == "localhost":
			for _, local := range []string{"http://localhost", "https://localhost"} {
				if rest, ok := strings.CutPrefix(origin, local); ok && (rest == "" || rest[0] == ':') {
					return true
				}
			}
		}
	}
	return false
}

func items(text string) []string {
	var out []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// newCORS answers preflights and allows origins. It never blocks a request: browsers do.
func newCORS(s settings) (middleware, error) {
	allowed := origins(items(s.get("cors.allow.origins", "allow_origins", "*")))
	methods := s.get("cors.allow.methods", "allow_methods", "GET,POST,PUT,DELETE,OPTIONS,PATCH")
	headers := s.get("cors.allow.headers", "allow_headers", "Origin,Content-Type,Accept,Authorization,X-Requested-With")
	expose := s.get("cors.expose.headers", "expose_headers", "")
	credentials := s.get("cors.allow.credentials", "allow_credentials", "false") == "true"
	age := s.get("cors.max.age", "max_age", "86400")
	private := s.get("cors.allow.private.network", "allow_private_network", "false") == "true"
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			origin := r.Header.Get("Origin")
			if !allowed.allows(origin) {
				next.ServeHTTP(w, r)
				return
			}
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			if credentials {
				h.Set("Access-Control-Allow-Credentials", "true")
			}
			if private {
				h.Set("Access-Control-Allow-Private-Network", "true")
			}
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", methods)
				h.Set("Access-Control-Allow-Headers", headers)
				h.Set("Access-Control-Max-Age", age)
				h.Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
				w.WriteHeader(http.StatusNoContent)
				return
			}
			if expose != "" {
				h.Set("Access-Control-Expose-Headers", expose)
			}
			h.Add("Vary", "Origin")
			next.ServeHTTP(w, r)
		})
	}, nil
}
