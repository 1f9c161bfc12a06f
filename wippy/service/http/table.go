// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/wippyrun/kit/wippy/system/exchange"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// route is one endpoint in a table.
type route struct {
	method, pattern string
	endpoint        string // entry id
	function        string
	router          *router
}

// conflictText finds the two patterns in net/http's report of a conflict.
var conflictText = regexp.MustCompile(`(?s)pattern "([^"]*)" \(.*?\) conflicts with pattern "([^"]*)"`)

// newTable makes the routing table of one server: an immutable handler. Every path with a
// method other than OPTIONS also answers OPTIONS, so that middleware sees preflights.
func (l *Listener) newTable(routes []route, mounts []*mount) (http.Handler, error) {
	slices.SortFunc(routes, func(a, b route) int { return strings.Compare(a.pattern+" "+a.method, b.pattern+" "+b.method) })
	mux := http.NewServeMux()
	var conflicts []string
	add := func(pattern string, h http.Handler) {
		defer func() {
			if v := recover(); v != nil {
				text := fmt.Sprint(v)
				if m := conflictText.FindStringSubmatch(text); m != nil {
					text = m[1] + " conflicts with " + m[2]
				}
				conflicts = append(conflicts, "  - "+text)
			}
		}()
		mux.Handle(pattern, h)
	}
	answered := map[string]bool{}
	for _, r := range routes {
		add(r.method+" "+r.pattern, r.router.wrap(l.endpoint(r)))
		if r.method != http.MethodOptions && !answered[r.pattern] {
			answered[r.pattern] = true
			add(http.MethodOptions+" "+r.pattern, r.router.before.wrap(http.HandlerFunc(noContent)))
		}
	}
	for _, m := range mounts {
		add(m.config.path+"/", m.handler())
	}
	if len(conflicts) > 0 {
		return nil, fault.New(fault.Conflict, "route pattern conflicts detected:\n"+strings.Join(conflicts, "\n"))
	}
	return mux, nil
}

func noContent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// routeKey is where a request's context has its route, for middleware behind the match.
type routeKey struct{}

// routeOf returns the route of a request that was matched, nil before.
func routeOf(r *http.Request) *exchange.Route {
	route, _ := r.Context().Value(routeKey{}).(*exchange.Route)
	return route
}

// matched attaches the route to requests. It stands between the two lists of middleware.
func matched(r route, next http.Handler) http.Handler {
	names := wildcards(r.pattern)
	plain := &exchange.Route{Endpoint: r.endpoint, Function: r.function} // nobody changes it
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		found := plain
		if len(names) > 0 {
			found = &exchange.Route{Endpoint: r.endpoint, Function: r.function, Params: make(map[string]string, len(names))}
			for _, name := range names {
				if v := req.PathValue(strings.TrimSuffix(name, "...")); v != "" {
					found.Params[name] = v
				}
			}
		}
		if a := answerOf(w); a != nil {
			a.route = found
			if len(r.router.after) == 0 { // the endpoint finds it there
				next.ServeHTTP(w, req)
				return
			}
		}
		next.ServeHTTP(w, req.WithContext(contextWith(req.Context(), found)))
	})
}
