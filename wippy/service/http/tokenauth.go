// SPDX-License-Identifier: Apache-2.0

package http

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/security"
)

// TokenStores finds token stores by the ids of their entries.
type TokenStores interface {
	TokenStore(id string) (security.TokenStore, error)
}

// tokenSource says where requests have their token.
type tokenSource struct{ header, prefix, query, cookie string }

// token returns the token of a request, "" when it has none.
func (s tokenSource) token(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get(s.header), s.prefix); ok && token != "" {
		return token
	}
	if token := r.URL.Query().Get(s.query); token != "" {
		return token
	}
	if c, err := r.Cookie(s.cookie); err == nil {
		return c.Value
	}
	return ""
}

// newTokenAuth makes requests with a valid token act on behalf of whom it stands for. Any other request goes on as
// what it would be without: to refuse it is up to others.
func (l *Listener) newTokenAuth(s settings) (middleware, error) {
	id := s.get("token_auth.store", "token_store", "")
	if id == "" {
		return nil, fault.New(fault.Invalid, "token_auth.store is required")
	}
	source := tokenSource{
		header: s.get("token_auth.header.name", "header_name", "Authorization"),
		prefix: s.get("token_auth.header.prefix", "header_prefix", "Bearer "),
		query:  s.get("token_auth.query.param", "query_param", "x-auth-token"),
		cookie: s.get("token_auth.cookie.name", "cookie_name", "x-auth-token"),
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if token := source.token(r); token != "" {
				r = l.authenticate(r, id, token)
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// authenticate returns the request on behalf of whom the token stands for, or as it is when that cannot be told.
func (l *Listener) authenticate(r *http.Request, id, token string) *http.Request {
	ctx := r.Context()
	store, err := l.deps.Tokens.TokenStore(id)
	var actor *security.Actor
	var scope *security.Scope
	if err == nil {
		actor, scope, err = store.Validate(ctx, token)
	}
	// The frame holds nothing that somebody would have to close: it may outlive the request.
	frame := frames.Fork(appctx.FrameFrom(ctx))
	if err == nil {
		err = security.Replace(frame, actor, scope)
	}
	if err == nil {
		return r.WithContext(appctx.WithFrame(ctx, frame))
	}
	level := slog.LevelDebug
	if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.NotFound || store == nil {
		level = slog.LevelWarn // it is not the token that is at fault
	}
	l.deps.Log.Log(ctx, level, "token not accepted", "token_store", id, "method", r.Method, "path", r.URL.Path, "error", err)
	return r
}
