// SPDX-License-Identifier: Apache-2.0

package http

import (
	"errors"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// wantsPage tells a browser from other clients.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// hidden are headers whose values are secrets.
var hidden = []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Auth-Token"}

type failure struct {
	Message, Kind, Stack string
	Method, URL, Request string
	Endpoint, Function   string
	Headers              []header
}

type header struct{ Name, Value string }

// showFailure answers for a function that has failed, to the programmer in front of a
// browser. Servers do so only where their entry says dev: true.
func showFailure(w http.ResponseWriter, req *http.Request, r route, err error) {
	f := failure{
		Message: err.Error(), Kind: fault.KindOf(err).String(), Method: req.Method, URL: req.URL.String(),
		Request: req.Header.Get(requestID), Endpoint: r.endpoint, Function: r.function,
	}
	if e, ok := errors.AsType[interface {
		error
		Stack() string
	}](err); ok {
		f.Stack = e.Stack()
	}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		value := strings.Join(req.Header[name], ", ")
		if slices.Contains(hidden, name) {
			value = "(hidden)"
		}
		f.Headers = append(f.Headers, header{name, value})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusInternalServerError)
	_ = failurePage.Execute(w, f)
}

var failurePage = template.Must(template.New("failure").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Message}}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.2rem;border-left:.4rem solid #c22;padding-left:.7rem;white-space:pre-wrap}
pre{background:#f4f4f4;padding:1rem;overflow:auto}
th{text-align:left;font-weight:normal;color:#666;padding-right:1.5rem;vertical-align:top}
footer{color:#666;font-size:.85rem;margin-top:2rem}
</style></head><body>
<h1>{{.Message}}</h1>
<table>
<tr><th>request<td>{{.Method}} {{.URL}}
<tr><th>endpoint<td>{{.Endpoint}}
<tr><th>function<td>{{.Function}}
<tr><th>kind<td>{{.Kind}}
<tr><th>id<td>{{.Request}}
</table>
{{with .Stack}}<pre>{{.}}</pre>{{end}}
<table>{{range .Headers}}<tr><th>{{.Name}}<td>{{.Value}}{{end}}</table>
<footer>This page appears because the server's entry says <code>dev: true</code>.</footer>
</body></html>
`))
