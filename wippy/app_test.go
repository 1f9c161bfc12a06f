// SPDX-License-Identifier: Apache-2.0

package wippy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"go.uber.org/goleak"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy"
	"github.com/wippyrun/kit/wippy/service/otel/export"
	"github.com/wippyrun/kit/wippy/service/otlp/otlptest"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const index = `version: "1.0"
namespace: app
entries:
  - {name: terminal, kind: terminal.host, lifecycle: {auto_start: true}}
  - {name: processes, kind: process.host, lifecycle: {auto_start: true}}
  - {name: double, kind: function.lua, source: "file://double.lua", method: main}
  - {name: fails, kind: function.lua, source: "file://fails.lua", method: main}
  - {name: greet, kind: process.lua, source: "file://greet.lua", method: main, modules: [io]}
  - {name: echo, kind: process.lua, source: "file://echo.lua", method: main, modules: [events]}
  - {name: echoes, kind: process.service, process: app:echo, host: app:processes, lifecycle: {auto_start: true}}
`

var sources = map[string]string{
	"_index.yaml": index,
	"double.lua":  `return {main = function(x) return x * 2 end}`,
	"fails.lua":   `return {main = function() return nil, errors.new({message = "full", kind = errors.UNAVAILABLE, retryable = true, details = {seats = 0}}) end}`,
	"greet.lua":   `local io = require("io") return {main = function(name) io.print("hello " .. name) return 3 end}`,
	"echo.lua": `return {main = function()
		process.registry.register("echo")
		local inbox, control = process.inbox(), process.events()
		while true do
			local r = channel.select{inbox:case_receive(), control:case_receive()}
			if r.channel == control then return end
			events.send("echo", r.value:topic(), "/", r.value:payload():data())
		end
	end}`,
}

// project writes an application. files replace those of the usual one.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, set := range []map[string]string{sources, files} {
		for name, text := range set {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func newApp(t *testing.T, opts ...wippy.Option) *wippy.App {
	t.Helper()
	app, err := wippy.New(append([]wippy.Option{wippy.Streams(strings.NewReader(""), io.Discard, io.Discard)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Stop)
	return app
}

func TestCall(t *testing.T) {
	app := newApp(t, wippy.Dir(project(t, nil)))
	if _, err := app.Call(t.Context(), "app:double", 2); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("before the start: %v", err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, err := app.Call(t.Context(), "app:double", 21); err != nil || v != 42.0 {
		t.Errorf("%v %v", v, err)
	}
	if _, err := app.Call(t.Context(), "app:none"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown function: %v", err)
	}
	_, err := app.Call(t.Context(), "app:fails")
	e, ok := errors.AsType[*engine.Error](err)
	if !ok || e.Kind() != engine.KindUnavailable || e.Message() != "full" || e.Details()["seats"] != 0.0 {
		t.Errorf("%#v", err)
	}
}

func TestSend(t *testing.T) {
	app := newApp(t, wippy.Dir(project(t, nil)))
	heard := make(chan eventbus.Event, 1)
	if _, err := app.Bus().Subscribe(t.Context(), eventbus.Pattern{System: "echo", Kind: "*"}, func(e eventbus.Event) { heard <- e }); err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for app.Send("echo", "topic", 7) != nil { // the service has not registered its name yet
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
	if e := <-heard; e.Kind != "topic" {
		t.Errorf("%+v", e)
	}
	if err := app.Send("nobody", "topic"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown process: %v", err)
	}
}

func TestTelemetry(t *testing.T) {
	collector := otlptest.HTTP(t)
	app := newApp(t, wippy.Dir(project(t, nil)), wippy.Telemetry(export.Start), wippy.Set("otel.enabled=true"), wippy.Set("otel.endpoint="+collector.Endpoint()))
	started := make(chan eventbus.Event, 10)
	if _, err := app.Bus().SubscribeChan(t.Context(), eventbus.Pattern{System: "process", Kind: "started"}, started); err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, err := app.Call(t.Context(), "app:double", 2); v != 4.0 || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	<-started // the service
	app.Stop()
	if s := collector.Span("app:double"); s.Service != "wippy-runtime" || s.Status != "ok" {
		t.Errorf("%+v", s)
	}
	if s := collector.Span("app:echo.terminated"); s.Attributes["process.host"] != "app:processes" {
		t.Errorf("%+v", s)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	app := newApp(t, wippy.Dir(project(t, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- app.Run(ctx) }()
	if err := app.Start(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

func TestExecGivesTheExitCode(t *testing.T) {
	var out bytes.Buffer
	app := newApp(t, wippy.Dir(project(t, nil)), wippy.Streams(strings.NewReader(""), &out, io.Discard))
	err := app.Exec(t.Context(), "app:greet", "Ada")
	if exit, ok := errors.AsType[*wippy.ExitError](err); !ok || exit.Code != 3 || out.String() != "hello Ada\n" {
		t.Errorf("%v %q", err, out.String())
	}
}

// list is a kind whose entries say what to do.
type list struct{ names []string }

func (l *list) Create(_ context.Context, e registry.Entry) error {
	switch do, _ := e.Data.(map[string]any)["do"].(string); do {
	case "panic":
		panic("listener")
	case "refuse":
		return fault.New(fault.Invalid, "refused")
	}
	l.names = append(l.names, e.ID.String())
	return nil
}
func (l *list) Update(context.Context, registry.Entry, registry.Entry) error { return nil }
func (l *list) Delete(context.Context, registry.Entry) error                 { return nil }

// with adds an entry to the usual application.
func with(entry string) map[string]string {
	return map[string]string{"_index.yaml": index + "  - " + entry + "\n"}
}

func TestKindsModulesAndComponents(t *testing.T) {
	kind := &list{}
	var order []string
	module := engine.Module{Name: "own", Build: func(b *engine.Builder) error {
		b.Func("twice", func(L *lua.LState) int { L.Push(L.CheckNumber(1) * 2); return 1 })
		return nil
	}}
	component := loader.Component{Name: "own", DependsOn: []string{"registry"},
		Load:  func(ctx context.Context) (context.Context, error) { order = append(order, "load"); return ctx, nil },
		Start: func(context.Context) error { order = append(order, "start"); return nil },
		Stop:  func(context.Context) error { order = append(order, "stop"); return nil },
	}
	files := with(`{name: one, kind: own.list}`)
	files["double.lua"] = `return {main = function(x) return own.twice(x) end}`
	files["_index.yaml"] = strings.Replace(files["_index.yaml"], `double.lua", method: main`, `double.lua", method: main, modules: [own]`, 1)
	app := newApp(t, wippy.Dir(project(t, files)), wippy.Kind("own.*", kind), wippy.Module(module), wippy.Component(component))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, err := app.Call(t.Context(), "app:double", 4); err != nil || v != 8.0 {
		t.Errorf("%v %v", v, err)
	}
	app.Stop()
	if got := strings.Join(append(order, kind.names...), " "); got != "load start stop app:one" {
		t.Error(got)
	}
}

func TestPanicsAreContained(t *testing.T) {
	bad := engine.Module{Name: "own", Build: func(b *engine.Builder) error {
		b.Func("twice", func(*lua.LState) int { panic("module") })
		return nil
	}}
	files := map[string]string{
		"double.lua":  `return {main = function(x) return own.twice(x) end}`,
		"_index.yaml": strings.Replace(index, `double.lua", method: main`, `double.lua", method: main, modules: [own]`, 1),
	}
	app := newApp(t, wippy.Dir(project(t, files)), wippy.Module(bad))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Call(t.Context(), "app:double", 1); err == nil || !strings.Contains(err.Error(), "panic in own.twice: module") {
		t.Errorf("module: %v", err)
	}
	for what, opt := range map[string]wippy.Option{
		"panic":     wippy.Kind("own.list", &list{}),
		"component": wippy.Component(loader.Component{Name: "own", Load: func(context.Context) (context.Context, error) { panic("component") }}),
	} {
		app := newApp(t, wippy.Dir(project(t, with(`{name: one, kind: own.list, do: panic}`))), opt)
		if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestStartReportsEveryProblem(t *testing.T) {
	files := with("{name: one, kind: own.list, do: refuse}")
	files["greet.lua"] = "local x ="
	app := newApp(t, wippy.Dir(project(t, files)), wippy.Kind("own.list", &list{}))
	err := app.Start(t.Context())
	for _, want := range []string{"_index.yaml:11:", "app:one: refused", "greet.lua:1:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if again := app.Start(t.Context()); again == nil || again.Error() != err.Error() {
		t.Errorf("the second start: %v", again)
	}
}

func TestApplicationsShareNothing(t *testing.T) {
	one := newApp(t, wippy.Dir(project(t, nil)))
	other := newApp(t, wippy.Dir(project(t, map[string]string{"double.lua": `return {main = function(x) return x * 3 end}`})))
	for app, want := range map[*wippy.App]float64{one: 4, other: 6} {
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v, err := app.Call(t.Context(), "app:double", 2); err != nil || v != want {
			t.Errorf("%v %v", v, err)
		}
	}
	if one.Registry() == other.Registry() || one.Bus() == other.Bus() {
		t.Error("shared")
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	defer goleak.VerifyNone(t)
	if _, err := wippy.New(wippy.Dir(t.TempDir()), wippy.Set("nonsense")); err == nil {
		t.Error("bad configuration was taken")
	}
	app := newApp(t, wippy.Dir(project(t, with("{name: one, kind: own.none}"))))
	if err := app.Start(t.Context()); err == nil {
		t.Error("an unknown kind was taken")
	}
	app = newApp(t, wippy.Dir(project(t, nil)))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	app.Stop()
}
