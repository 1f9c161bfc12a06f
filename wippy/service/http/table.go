// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
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
	var guilty []error // the entries, each at most once
	owners := map[string]string{}
	add := func(pattern, entry string, h http.Handler) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			text, other := fmt.Sprint(v), ""
			if m := conflictText.FindStringSubmatch(text); m != nil {
				text, other = m[1]+" conflicts with "+m[2], owners[m[2]]
			}
			conflicts = append(conflicts, "  - "+text)
			if n := len(guilty); n > 0 && guilty[n-1].(*registry.EntryError).ID.String() == entry {
				return
			}
			guilty = append(guilty, &registry.EntryError{ID: registry.ParseID(entry), Err: &fields.Error{
				Path: "data.path", Message: text + " of " + other,
				Hint: "let one of the two match more than the other, or give them different methods",
			}})
		}()
		owners[pattern] = entry
		mux.Handle(pattern, h)
	}
	answered := map[string]bool{}
	for _, r := range routes {
		add(r.method+" "+r.pattern, r.endpoint, r.router.wrap(l.endpoint(r)))
		if r.method != http.MethodOptions && !answered[r.pattern] {
			answered[r.pattern] = true
			add(http.MethodOptions+" "+r.pattern, r.endpoint, r.router.before.wrap(http.HandlerFunc(noContent)))
		}
	}
	for _, m := range mounts {
		add(m.config.path+"/", m.id, m.handler())
	}
	if len(conflicts) > 0 {
		return nil, &conflictError{fault.New(fault.Conflict, "route pattern conflicts detected:\n"+strings.Join(conflicts, "\n")), guilty}
	}
	return mux, nil
}

// conflictError tells of all conflicts of a table, and below of each entry that has a part.
type conflictError struct {
	*conflict
	entries []error
}

type conflict = fault.Error // the name Error is taken by the method

// Unwrap returns one error for each entry.
func (e *conflictError) Unwrap() []error { return e.entries }

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
