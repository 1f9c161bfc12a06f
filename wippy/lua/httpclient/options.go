// SPDX-License-Identifier: Apache-2.0

package httpclient

import (
	"io"
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

const (
	// defaultTimeout is the time for a request and its answer, body included.
	defaultTimeout = 30 * time.Second
	// defaultBody bounds a body that is read at once.
	defaultBody = 120 << 20
)

// options is what a request was asked to do besides its method and URL.
type options struct {
	headers, query, form, cookies map[string]string
	body                          string
	files                         []file
	user, password                string
	timeout                       time.Duration
	stream                        bool
	maxBody                       int64
	unixSocket, network           string
	tls                           tlsOptions
}

// file is one file of a form. Its content is text, or what a reader has left.
type file struct {
	name, filename, content string
	reader                  io.Reader
}

// readOptions reads the options of a request. What has another type than it should is left out, and so is what
// is unknown; nil has no options.
func readOptions(t *lua.LTable) *options {
	o := &options{timeout: defaultTimeout, maxBody: defaultBody}
	if t == nil {
		return o
	}
	t = engine.Unwrap(t)
	o.headers, o.query = texts(t, "headers"), texts(t, "query")
	o.form, o.cookies = texts(t, "form"), texts(t, "cookies")
	o.body = text(t, "body")
	o.unixSocket, o.network = text(t, "unix_socket"), text(t, "overlay_network")
	o.stream = t.RawGetString("stream") == lua.LTrue
	if auth := table(t, "auth"); auth != nil {
		o.user, o.password = text(auth, "user"), text(auth, "pass")
	}
	if d := timeout(t.RawGetString("timeout")); d > 0 {
		o.timeout = d
	}
	if n, ok := t.RawGetString("max_response_body").(lua.LNumber); ok && n >= 1 {
		o.maxBody = int64(min(float64(n), 1<<53))
	}
	if s := table(t, "tls"); s != nil {
		o.tls = tlsOptions{
			Cert: text(s, "cert"), Key: text(s, "key"), CA: text(s, "ca"), ServerName: text(s, "server_name"),
			Insecure: s.RawGetString("insecure_skip_verify") == lua.LTrue,
		}
	}
	if list := table(t, "files"); list != nil {
		for i := 1; i <= list.Len(); i++ {
			if f, ok := readFile(list.RawGetInt(i)); ok {
				o.files = append(o.files, f)
			}
		}
	}
	return o
}

// readFile reads an element of files: it needs a name and a content.
func readFile(v lua.LValue) (file, bool) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return file{}, false
	}
	t = engine.Unwrap(t)
	f := file{name: text(t, "name"), filename: text(t, "filename")}
	if f.filename == "" {
		f.filename = f.name
	}
	if s, ok := t.RawGetString("content").(lua.LString); ok {
		f.content = string(s)
		return f, f.name != ""
	}
	if u, ok := t.RawGetString("reader").(*lua.LUserData); ok {
		f.reader, _ = u.Value.(io.Reader)
		if r, ok := u.Value.(interface{ Readable() bool }); ok && !r.Readable() {
			f.reader = nil
		}
	}
	return f, f.name != "" && f.reader != nil
}

// timeout reads a duration: a number of seconds or a text.
func timeout(v lua.LValue) time.Duration {
	switch v := v.(type) {
	case lua.LNumber:
		if s := float64(v) * float64(time.Second); s > 0 && s < math.MaxInt64 {
			return time.Duration(s)
		}
	case lua.LString:
		if d, err := time.ParseDuration(string(v)); err == nil {
			return d
		}
	}
	return 0
}

func text(t *lua.LTable, name string) string {
	s, _ := t.RawGetString(name).(lua.LString)
	return string(s)
}

func table(t *lua.LTable, name string) *lua.LTable {
	if inner, ok := t.RawGetString(name).(*lua.LTable); ok {
		return engine.Unwrap(inner)
	}
	return nil
}

// texts reads a map from text to text; other members are left out.
func texts(t *lua.LTable, name string) map[string]string {
	inner := table(t, name)
	if inner == nil {
		return nil
	}
	var all map[string]string
	inner.ForEach(func(k, v lua.LValue) {
		key, isText := k.(lua.LString)
		value, isText2 := v.(lua.LString)
		if isText && isText2 {
			if all == nil {
				all = map[string]string{}
			}
			all[string(key)] = string(value)
		}
	})
	return all
}
