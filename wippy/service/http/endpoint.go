// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"log/slog"
	"net/http"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/exchange"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
)

func contextWith(ctx context.Context, r *exchange.Route) context.Context {
	return context.WithValue(ctx, routeKey{}, r)
}

// advice is what the log says about an error beside itself.
func (l *Listener) advice(err error) []any {
	if l.deps.Advise == nil {
		return nil
	}
	var args []any
	at, hint := l.deps.Advise(err)
	if at != "" {
		args = append(args, "at", at)
	}
	if hint != "" {
		args = append(args, "hint", hint)
	}
	return args
}

// endpoint makes the handler of one endpoint: its function is called with the request in
// its frame and answers through it.
func (l *Listener) endpoint(r route) http.Handler {
	call := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		a, found := answerOf(w), routeOf(req)
		if a != nil {
			a.own, found = true, a.route
		}
		x := exchange.New(w, req, found)
		var result payload.Payload
		var err error
		cancel := l.deps.Functions.CallAsync(req.Context(), functions.Task{
			ID:     r.function,
			Input:  []payload.Payload{},
			Frame:  appctx.FrameFrom(req.Context()),
			Attach: func(f *appctx.Frame) error { return exchange.Key.Set(f, x) },
		}, func(v payload.Payload, e error) {
			result, err = v, e
			x.Finish()
		})
		left := x.Serve(cancel)
		o := x.End(err != nil, func(w http.ResponseWriter) {
			if err != nil && a != nil && a.dev && wantsPage(req) {
				showFailure(w, req, r, err)
				return
			}
			respond(w, result, err)
		})
		log := func(level slog.Level, text string, err error) {
			args := []any{"endpoint", r.endpoint, "function", r.function, "method", req.Method, "path", req.URL.Path, "request", req.Header.Get(requestID)}
			if err != nil {
				args = append(args, fault.LogArgs(err)...)
				args = append(args, l.advice(err)...)
			}
			l.deps.Log.Log(req.Context(), level, text, args...)
		}
		switch {
		case left || o.Err != nil:
			log(slog.LevelInfo, "client left", o.Err)
			panic(http.ErrAbortHandler)
		case err != nil:
			log(slog.LevelError, "endpoint failed", err)
			if o.Begun {
				panic(http.ErrAbortHandler) // the client must not take what it got for all
			}
		}
	})
	return matched(r, r.router.after.wrap(call))
}

// respond answers for a function that has not.
func respond(w http.ResponseWriter, result payload.Payload, err error) {
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case result.Data == nil || result.Data == lua.LNil:
		http.Error(w, "no response sent", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		if raw, ok := result.Data.([]byte); ok {
			_, _ = w.Write(raw)
		}
	}
}
