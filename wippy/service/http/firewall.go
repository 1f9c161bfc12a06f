// SPDX-License-Identifier: Apache-2.0

package http

import (
	"encoding/json"
	"net/http"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/security"
)

// refusal is the body of the answer of a firewall.
type refusal struct {
	Success bool   `json:"success"`
	Error   string `json:"error"`
	Details string `json:"details"`
}

func refuse(w http.ResponseWriter, status int, text, details string) {
	body, _ := json.Marshal(refusal{Error: text, Details: details}) // texts always encode
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// firewall lets requests through whose scope allows an action on a resource, in strict mode and without. resource
// returns "" when it cannot tell; what is what the texts call it.
func (l *Listener) firewall(action, what string, resource func(*http.Request) string) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			frame := appctx.FrameFrom(r.Context())
			actor, scope := security.ActorOf(frame), security.ScopeOf(frame)
			if actor == nil {
				refuse(w, http.StatusUnauthorized, "Authentication required", "You must be authenticated to access this "+what)
				return
			}
			if scope == nil {
				refuse(w, http.StatusForbidden, "Access denied", "No authorization scope available")
				return
			}
			target := resource(r)
			if target == "" {
				refuse(w, http.StatusInternalServerError, "Configuration error",
					"endpoint_firewall middleware must be configured as post-middleware on endpoints, not as router-level middleware")
				return
			}
			if !l.deps.Gate.Can(frame, action, target, nil) {
				refuse(w, http.StatusForbidden, "Access denied", "You don't have permission to access this "+what)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// newEndpointFirewall asks about the endpoint that a request was matched to.
func (l *Listener) newEndpointFirewall(s settings) (middleware, error) {
	return l.firewall(s.get("endpoint_firewall.action", "endpoint_action", "access"), "endpoint", func(r *http.Request) string {
		if route := routeOf(r); route != nil {
			return route.Endpoint
		}
		return ""
	}), nil
}

// newResourceFirewall asks about one resource.
func (l *Listener) newResourceFirewall(s settings) (middleware, error) {
	target := s.get("resource_firewall.target", "resource_target", "")
	if target == "" {
		return nil, fault.New(fault.Invalid, "resource_firewall.target is required")
	}
	action := s.get("resource_firewall.action", "resource_action", "access")
	return l.firewall(action, "resource", func(*http.Request) string { return target }), nil
}
