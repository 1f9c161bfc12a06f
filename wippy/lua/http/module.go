// SPDX-License-Identifier: Apache-2.0

// Package http is the Lua module http: the request that a function answers, and its
// response. It works only in the call that an endpoint makes, not in what that calls.
//
// body, body_json and parse_multipart wait for the client and yield, and so does what writes
// to a client that takes nothing while exchange.Window bytes wait for it; everything else
// answers at once. Methods of the response return nil or an error, never the response.
package http

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/system/exchange"
)

// constants are the tables of names that programs use instead of texts and numbers.
var statuses = map[string]float64{
	"OK": 200, "CREATED": 201, "ACCEPTED": 202, "NO_CONTENT": 204, "PARTIAL_CONTENT": 206,
	"MOVED_PERMANENTLY": 301, "FOUND": 302, "SEE_OTHER": 303, "NOT_MODIFIED": 304, "TEMPORARY_REDIRECT": 307, "PERMANENT_REDIRECT": 308,
	"BAD_REQUEST": 400, "UNAUTHORIZED": 401, "PAYMENT_REQUIRED": 402, "FORBIDDEN": 403, "NOT_FOUND": 404, "METHOD_NOT_ALLOWED": 405,
	"NOT_ACCEPTABLE": 406, "CONFLICT": 409, "GONE": 410, "UNPROCESSABLE": 422, "TOO_MANY_REQUESTS": 429,
	"INTERNAL_ERROR": 500, "INTERNAL_SERVER_ERROR": 500, "NOT_IMPLEMENTED": 501, "BAD_GATEWAY": 502, "SERVICE_UNAVAILABLE": 503,
	"GATEWAY_TIMEOUT": 504, "VERSION_NOT_SUPPORTED": 505,
}

var words = map[string]map[string]string{
	"METHOD": {"GET": "GET", "POST": "POST", "PUT": "PUT", "DELETE": "DELETE", "PATCH": "PATCH", "HEAD": "HEAD", "OPTIONS": "OPTIONS"},
	"CONTENT": {"JSON": "application/json", "FORM": "application/x-www-form-urlencoded", "MULTIPART": "multipart/form-data",
		"TEXT": "text/plain", "STREAM": "application/octet-stream"},
	"TRANSFER": {"CHUNKED": "chunked", "SSE": "sse"},
	"ERROR": {"PARSE_FAILED": "PARSE_FAILED", "INVALID_STATE": "INVALID_STATE", "WRITE_FAILED": "WRITE_FAILED",
		"STREAM_ERROR": "STREAM_ERROR"},
}

// module holds the classes of the values.
type module struct {
	requests, responses, files *engine.Class
	streams                    *stream.Class
}

// Module returns the Lua module. Reading bodies needs the handlers that Register adds, and
// those of streams.
func Module() engine.Module {
	return engine.Module{
		Name:    "http",
		Classes: []string{"network", "io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{streams: stream.Define(b)}
			m.requests = b.Type("Request", m.requestMethods(), map[string]lua.LGFunction{"__tostring": requestText})
			m.responses = b.Type("Response", responseMethods, map[string]lua.LGFunction{"__tostring": responseText})
			m.files = b.Type("MultipartFile", m.fileMethods(), map[string]lua.LGFunction{"__tostring": fileText})
			b.Func("request", m.request)
			b.Func("response", m.response)
			for table, names := range words {
				t := b.Table(table)
				for name, text := range names {
					t.Value(name, lua.LString(text))
				}
			}
			t := b.Table("STATUS")
			for name, code := range statuses {
				t.Value(name, lua.LNumber(code))
			}
			return nil
		},
	}
}

// current returns the exchange of the running call.
func current(L *lua.LState) (*exchange.Exchange, error) {
	if f := access.Frame(engine.From(L)); f != nil {
		if x, ok := exchange.Key.Get(f); ok {
			return x, nil
		}
	}
	return nil, engine.NewError(engine.KindInternal, "no HTTP request context found")
}

func invalid(text string) error { return engine.NewError(engine.KindInvalid, text) }
