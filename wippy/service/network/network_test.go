// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ws "github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy"
	"github.com/wippyrun/kit/wippy/service/fields"
	servicenetwork "github.com/wippyrun/kit/wippy/service/network"
	"github.com/wippyrun/kit/wippy/system/network"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func entry(data map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID("app:proxy"), Kind: servicenetwork.KindSOCKS5, Data: data}
}

func TestEntries(t *testing.T) {
	for _, c := range []struct {
		data map[string]any
		want []string // of the errors, or of what was not known
	}{
		{map[string]any{}, []string{"network: host is required", "network: invalid port"}},
		{map[string]any{"host": "h", "port": 0}, []string{"network: invalid port"}},
		{map[string]any{"host": "h", "port": 65536}, []string{"network: invalid port"}},
		{map[string]any{"host": "h", "port": "x"}, []string{"port"}},
		{map[string]any{"host": 7, "port": 1}, []string{"host"}},
		{map[string]any{"host": "h", "port": 1080, "isolate_streams": "x"}, []string{"isolate_streams"}},
		{map[string]any{"host": "h", "port": 1080, "user": "u"}, []string{"user"}},
		{map[string]any{"host": "h", "port": 1080, "username": "u", "password": "p", "isolate_streams": true, "lifecycle": map[string]any{}}, nil},
	} {
		var warned []string
		d := network.New("")
		l := servicenetwork.NewListener(d, func(_ registry.Entry, all []fields.Warning) {
			for _, w := range all {
				warned = append(warned, w.Path)
			}
		})
		err := l.Create(t.Context(), entry(c.data))
		text := fmt.Sprint(err, warned)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%v: %s, want %s", c.data, text, want)
			}
		}
		if c.want == nil && (err != nil || warned != nil) {
			t.Errorf("%v: %s", c.data, text)
		}
		unknown, wrong := l.Check(entry(c.data))
		if (wrong != nil) != (err != nil) || err == nil && len(unknown) != len(warned) {
			t.Errorf("%v: checked as %v, %v", c.data, unknown, wrong)
		}
		if _, missing := d.Get("app:proxy"); (missing != nil) != (err != nil) {
			t.Errorf("%v: %v after %v", c.data, missing, err)
		}
	}
}

func TestDial(t *testing.T) {
	target := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(target.Close)
	where := strings.TrimPrefix(target.URL, "http://")
	d := network.New("")
	l := servicenetwork.NewListener(d, func(registry.Entry, []fields.Warning) {})
	dial := func(p *proxy, more map[string]any) error {
		t.Helper()
		data := map[string]any{"host": "127.0.0.1", "port": p.l.Addr().(*net.TCPAddr).Port}
		for k, v := range more {
			data[k] = v
		}
		if err := l.Update(t.Context(), entry(nil), entry(data)); err != nil {
			t.Fatal(err)
		}
		n, err := d.Get("app:proxy")
		if err != nil {
			t.Fatal(err)
		}
		conn, err := n.Dial(t.Context(), "tcp", "name.invalid:80")
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	open, guarded := startProxy(t, where, ""), startProxy(t, where, "u:p")
	if err := dial(open, nil); err != nil || !slices.Equal(open.take(), []string{" name.invalid:80"}) {
		t.Error(err)
	}
	login := map[string]any{"username": "u", "password": "p"}
	if err := dial(guarded, login); err != nil || !slices.Equal(guarded.take(), []string{"u:p name.invalid:80"}) {
		t.Error(err)
	}
	if err := dial(guarded, nil); err == nil {
		t.Error("a proxy that wants a login serves nobody")
	}
	if err := dial(guarded, map[string]any{"username": "u", "password": "x"}); err == nil {
		t.Error("a wrong password is accepted")
	}
	anybody := startProxy(t, where, "*")
	for range 2 {
		if err := dial(anybody, map[string]any{"username": "u", "isolate_streams": true}); err != nil {
			t.Error(err)
		}
	}
	if asked := anybody.take(); len(asked) != 2 || asked[0] == asked[1] || strings.HasPrefix(asked[0], "u:") {
		t.Errorf("connections are not isolated: %v", asked)
	}
	if err := dial(startProxy(t, "127.0.0.1:1", ""), nil); err == nil {
		t.Error("an unreachable target is reached")
	}
	n, _ := d.Get("app:proxy")
	if _, err := n.Dial(t.Context(), "udp", "x:1"); err == nil || err.Error() != "socks5: operation not supported (udp)" {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Dial(ended, "tcp", "x:1"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := l.Delete(t.Context(), entry(nil)); err != nil {
		t.Error(err)
	}
	if _, err := d.Get("app:proxy"); err == nil {
		t.Error("a deleted network is there")
	}
}

const index = `version: "1.0"
namespace: app
entries:
  - {name: processes, kind: process.host, lifecycle: {auto_start: true}}
  - {name: one, kind: network.socks5, host: 127.0.0.1, port: %s}
  - {name: two, kind: network.socks5, host: 127.0.0.1, port: %s}
  - {name: get, kind: function.lua, source: "file://get.lua", method: get, modules: [http_client]}
  - {name: get.two, kind: function.lua, source: "file://get.lua", method: get, modules: [http_client], meta: {options: {network: "app:two"}}}
  - {name: talk, kind: function.lua, source: "file://get.lua", method: talk, modules: [websocket]}
  - {name: with, kind: function.lua, source: "file://get.lua", method: with, modules: [funcs]}
  - {name: process, kind: process.lua, source: "file://get.lua", method: get, modules: [http_client]}
  - {name: spawn, kind: function.lua, source: "file://get.lua", method: spawn}
`

const program = `
local M = {}
function M.get(overlay)
	local r, err = http_client.get("http://name.invalid:81/path", {overlay_network = overlay})
	return err and err:message() or r.body
end
function M.talk()
	local c, err = websocket.connect("ws://name.invalid:82/ws")
	if err then return err:message() end
	return c:channel():receive().data
end
function M.with(id, network)
	local r, err = funcs.new():with_options({network = network}):call(id)
	return err and err:kind() .. " " .. err:message() or r
end
function M.spawn(network)
	return process.with_options({network = network}):exec("app:process", "app:processes")
end
return M
`

// Requests, connections, calls and processes use the network that was chosen, for them or by those who started them.
func TestPrograms(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ws" {
			_, _ = io.WriteString(w, r.Host+r.URL.Path)
			return
		}
		conn, err := ws.Accept(w, r, nil)
		if err == nil {
			_ = conn.Write(r.Context(), ws.MessageText, []byte("hello"))
			_, _, _ = conn.Read(context.Background())
			_ = conn.CloseNow()
		}
	}))
	t.Cleanup(target.Close)
	where := strings.TrimPrefix(target.URL, "http://")
	one, two := startProxy(t, where, ""), startProxy(t, where, "")
	start := func(options ...wippy.Option) *wippy.App {
		t.Helper()
		dir := t.TempDir()
		for name, text := range map[string]string{"_index.yaml": fmt.Sprintf(index, one.port(), two.port()), "get.lua": program} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		app, err := wippy.New(append(options, wippy.Dir(dir), wippy.Logs(wippy.LogNothing), wippy.Streams(strings.NewReader(""), io.Discard, io.Discard))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(app.Stop)
		running := make(chan struct{}, 1)
		_, err = app.Bus().Subscribe(t.Context(), eventbus.Pattern{System: supervisor.System, Kind: supervisor.KindState + string(supervisor.Running)},
			func(eventbus.Event) { running <- struct{}{} })
		if err == nil {
			err = app.Start(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		<-running // the only service
		return app
	}
	const answer, asked, spoke = "name.invalid:81/path", " name.invalid:81", " name.invalid:82"
	for _, c := range []struct {
		options  []wippy.Option
		id       string
		args     []any
		want     string
		one, two []string
	}{
		{nil, "app:get", nil, "no such host", nil, nil},
		{nil, "app:get", []any{"app:one"}, answer, []string{asked}, nil},
		{nil, "app:get", []any{"app:none"}, "overlay network not found: app:none", nil, nil},
		{nil, "app:get.two", nil, answer, nil, []string{asked}},
		{nil, "app:get.two", []any{"app:one"}, answer, []string{asked}, nil},
		{nil, "app:with", []any{"app:get", "app:one"}, answer, []string{asked}, nil},
		{nil, "app:with", []any{"app:talk", "app:two"}, "hello", nil, []string{spoke}},
		{nil, "app:with", []any{"app:get", "app:none"}, "NotFound overlay network not found: app:none", nil, nil},
		{nil, "app:spawn", []any{"app:two"}, answer, nil, []string{asked}},
		{nil, "app:talk", nil, "no such host", nil, nil},
		{[]wippy.Option{wippy.Set("network_service.default_network=app:one")}, "app:get", nil, answer, []string{asked}, nil},
		{[]wippy.Option{wippy.Set("network_service.default_network=app:one")}, "app:talk", nil, "hello", []string{spoke}, nil},
		{[]wippy.Option{wippy.Set("network_service.default_network=app:one")}, "app:get.two", nil, answer, nil, []string{asked}},
	} {
		got, err := start(c.options...).Call(t.Context(), c.id, c.args...)
		if text, _ := got.(string); err != nil || !strings.Contains(text, c.want) {
			t.Errorf("%s%v: %v, %v, want %s", c.id, c.args, got, err, c.want)
		}
		if o, w := one.take(), two.take(); !slices.Equal(o, c.one) || !slices.Equal(w, c.two) {
			t.Errorf("%s%v: proxies were asked for %v and %v, want %v and %v", c.id, c.args, o, w, c.one, c.two)
		}
	}
}
