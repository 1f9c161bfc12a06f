// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/system/exchange"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/security"
)

// grant is a policy about one action on one resource.
type grant struct {
	action, resource string
	effect           security.Decision
}

func (g grant) ID() string { return "app:" + g.action + g.resource }

func (g grant) Evaluate(r security.Request) security.Decision {
	if r.Action == g.action && r.Resource == g.resource {
		return g.effect
	}
	return security.Undefined
}

// tokenTable is a token store: tokens and whom they stand for.
type tokenTable map[string]string

func (t tokenTable) Create(context.Context, *security.Actor, *security.Scope, security.TokenOptions) (string, error) {
	panic("not used")
}
func (t tokenTable) Revoke(context.Context, string) error { panic("not used") }

func (t tokenTable) Validate(_ context.Context, token string) (*security.Actor, *security.Scope, error) {
	id, ok := t[token]
	switch {
	case token == "broken":
		return nil, nil, fault.New(fault.Unavailable, "store is closed")
	case !ok:
		return nil, nil, fault.New(fault.NotFound, "token not found")
	}
	return &security.Actor{ID: id}, security.NewScope(), nil
}

func (t tokenTable) TokenStore(id string) (security.TokenStore, error) {
	if id != "app:tokens" {
		return nil, fault.New(fault.NotFound, "token store not found")
	}
	return t, nil
}

// as gives requests a frame with an actor and a scope.
func as(r *http.Request, a *security.Actor, s *security.Scope) *http.Request {
	f := appctx.NewFrame()
	if err := security.Enter(f, a, s); err != nil {
		panic(err)
	}
	return r.WithContext(appctx.WithFrame(r.Context(), f))
}

// identity is a handler that answers with the actor of its requests.
var identity = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	f := appctx.FrameFrom(r.Context())
	text := "nobody"
	if a := security.ActorOf(f); a != nil {
		text = a.ID
	}
	if s := security.ScopeOf(f); s != nil {
		text += " with a scope"
	}
	_, _ = w.Write([]byte(text))
})

func TestTokenAuth(t *testing.T) {
	var log strings.Builder
	l := &Listener{deps: Deps{
		Tokens: tokenTable{"t1": "alice", "t2": "bob", "t3": "eve"},
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
	}}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Add(name, value) }
	}
	for _, c := range []struct {
		name, path string
		options    settings
		change     func(*http.Request)
		want, log  string
	}{
		{name: "no token", want: "server with a scope"},
		{name: "header", change: header("Authorization", "Bearer t1"), want: "alice with a scope"},
		{name: "wrong prefix", change: header("Authorization", "Basic t1"), want: "server with a scope"},
		{name: "small prefix", change: header("Authorization", "bearer t1"), want: "server with a scope"},
		{name: "nothing behind the prefix", path: "?x-auth-token=t2", change: header("Authorization", "Bearer "), want: "bob with a scope"},
		{name: "query", path: "?x-auth-token=t2", want: "bob with a scope"},
		{name: "cookie", change: header("Cookie", "x-auth-token=t3"), want: "eve with a scope"},
		{name: "header before query", path: "?x-auth-token=t2", change: header("Authorization", "Bearer t1"), want: "alice with a scope"},
		{name: "query before cookie", path: "?x-auth-token=t2", change: header("Cookie", "x-auth-token=t3"), want: "bob with a scope"},
		{name: "invalid", change: header("Authorization", "Bearer none"), want: "server with a scope"},
		{name: "invalid header, valid query", path: "?x-auth-token=t2", change: header("Authorization", "Bearer none"), want: "server with a scope"},
		{name: "store fails", change: header("Authorization", "Bearer broken"), want: "server with a scope", log: "store is closed"},
		{name: "no store", options: settings{"token_auth.store": "app:none"}, change: header("Authorization", "Bearer t1"), want: "server with a scope", log: "token store not found"},
		{name: "other header", options: settings{"token_auth.header.name": "X-Token", "token_auth.header.prefix": ""}, change: header("X-Token", "t1"), want: "alice with a scope"},
		{name: "other query", path: "?key=t2", options: settings{"token_auth.query.param": "key"}, want: "bob with a scope"},
		{name: "other cookie", options: settings{"token_auth.cookie.name": "sid"}, change: header("Cookie", "sid=t3"), want: "eve with a scope"},
		{name: "older names", options: settings{"header_name": "X-Token", "header_prefix": "Key ", "query_param": "q", "cookie_name": "c"}, change: header("X-Token", "Key t1"), want: "alice with a scope"},
	} {
		options := settings{"token_store": "app:tokens"}
		for name, v := range c.options {
			options[name] = v
		}
		m, err := l.newTokenAuth(options)
		if err != nil {
			t.Fatal(err)
		}
		log.Reset()
		r := as(httptest.NewRequest("GET", "/"+c.path, nil), &security.Actor{ID: "server"}, security.NewScope())
		if c.change != nil {
			c.change(r)
		}
		w := httptest.NewRecorder()
		m(identity).ServeHTTP(w, r)
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if c.log == "" && log.Len() > 0 || !strings.Contains(log.String(), c.log) {
			t.Errorf("%s: log %q", c.name, log.String())
		}
	}

	m, err := l.newTokenAuth(settings{"token_auth.store": "app:tokens"})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{"t1": "alice with a scope", "none": "nobody"} { // a server without actor
		if got := serve(m(identity), header("Authorization", "Bearer "+token)).Body.String(); got != want {
			t.Errorf("%s: %s, want %s", token, got, want)
		}
	}
	if _, err := l.newTokenAuth(settings{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without store: %v", err)
	}
}

func TestFirewalls(t *testing.T) {
	alice := &security.Actor{ID: "alice"}
	l := new(Listener)
	endpoint, err := l.newEndpointFirewall(settings{})
	if err != nil {
		t.Fatal(err)
	}
	called, err := l.newEndpointFirewall(settings{"endpoint_action": "call"})
	if err != nil {
		t.Fatal(err)
	}
	resource, err := l.newResourceFirewall(settings{"resource_firewall.target": "app:area", "resource_firewall.action": "enter"})
	if err != nil {
		t.Fatal(err)
	}
	older, err := l.newResourceFirewall(settings{"resource_target": "app:area"})
	if err != nil {
		t.Fatal(err)
	}
	scope := func(policies ...security.Policy) *security.Scope { return security.NewScope(policies...) }
	type body = refusal
	for _, c := range []struct {
		name   string
		m      middleware
		actor  *security.Actor
		scope  *security.Scope
		routed bool
		status int
		want   body
	}{
		{"nobody", endpoint, nil, scope(), true, 401, body{Error: "Authentication required", Details: "You must be authenticated to access this endpoint"}},
		{"nobody, no route", endpoint, nil, nil, false, 401, body{Error: "Authentication required", Details: "You must be authenticated to access this endpoint"}},
		{"nobody at the resource", resource, nil, nil, true, 401, body{Error: "Authentication required", Details: "You must be authenticated to access this resource"}},
		{"no scope", endpoint, alice, nil, true, 403, body{Error: "Access denied", Details: "No authorization scope available"}},
		{"no scope at the resource", resource, alice, nil, true, 403, body{Error: "Access denied", Details: "No authorization scope available"}},
		{"no policy", endpoint, alice, scope(), true, 403, body{Error: "Access denied", Details: "You don't have permission to access this endpoint"}},
		{"another endpoint", endpoint, alice, scope(grant{"access", "app:other", security.Allow}), true, 403, body{Error: "Access denied", Details: "You don't have permission to access this endpoint"}},
		{"another action", called, alice, scope(grant{"access", "app:e", security.Allow}), true, 403, body{Error: "Access denied", Details: "You don't have permission to access this endpoint"}},
		{"denied", endpoint, alice, scope(grant{"access", "app:e", security.Deny}), true, 403, body{Error: "Access denied", Details: "You don't have permission to access this endpoint"}},
		{"resource, no policy", resource, alice, scope(grant{"access", "app:area", security.Allow}), true, 403, body{Error: "Access denied", Details: "You don't have permission to access this resource"}},
		{"allowed", endpoint, alice, scope(grant{"access", "app:e", security.Allow}), true, 200, body{}},
		{"allowed action", called, alice, scope(grant{"call", "app:e", security.Allow}), true, 200, body{}},
		{"allowed resource", resource, alice, scope(grant{"enter", "app:area", security.Allow}), false, 200, body{}},
		{"allowed resource, older name", older, alice, scope(grant{"access", "app:area", security.Allow}), false, 200, body{}},
		{"no route", endpoint, alice, scope(grant{"access", "app:e", security.Allow}), false, 500, body{Error: "Configuration error",
			Details: "endpoint_firewall middleware must be configured as post-middleware on endpoints, not as router-level middleware"}},
	} {
		r := as(httptest.NewRequest("GET", "/", nil), c.actor, c.scope)
		if c.routed {
			r = r.WithContext(contextWith(r.Context(), &exchange.Route{Endpoint: "app:e"}))
		}
		w := httptest.NewRecorder()
		reached := false
		c.m(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })).ServeHTTP(w, r)
		if w.Code != c.status || reached != (c.status == 200) {
			t.Errorf("%s: status %d, want %d; reached: %v", c.name, w.Code, c.status, reached)
			continue
		}
		if reached {
			continue
		}
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: body %s, type %s", c.name, w.Body, w.Header().Get("Content-Type"))
		}
		if len(got) != 3 || got["success"] != false || got["error"] != c.want.Error || got["details"] != c.want.Details {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if w := serve(resource(identity), nil); w.Code != 401 {
		t.Errorf("no frame: %d", w.Code)
	}
	if _, err := l.newResourceFirewall(settings{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without target: %v", err)
	}
}

func TestTokenStoresAreNamedFromTheirRouter(t *testing.T) {
	e := registry.Entry{ID: registry.ID{Namespace: "web", Name: "api"}, Meta: map[string]any{"server": "gateway"}, Data: map[string]any{
		"middleware": []any{"token_auth"}, "options": map[string]any{"token_auth.store": "tokens"}, "post_options": map[string]any{"token_store": "app:tokens"},
	}}
	c, _, err := decodeRouter(e)
	if err != nil {
		t.Fatal(err)
	}
	if c.options["token_auth.store"] != "web:tokens" || c.postOption["token_store"] != "app:tokens" {
		t.Errorf("got %v, %v", c.options, c.postOption)
	}
}
