package lua_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	luactx "github.com/wippyrun/kit/wippy/lua/ctx"
	luafuncs "github.com/wippyrun/kit/wippy/lua/funcs"
	luatime "github.com/wippyrun/kit/wippy/lua/time"
	"github.com/wippyrun/kit/wippy/service/lua"
	"github.com/wippyrun/kit/wippy/system/clock"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/proctable"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is an engine, a scheduler for calls and a listener.
type fixture struct {
	t         testing.TB
	listener  *lua.Listener
	functions *functions.Registry
	factories *factory.Registry
	node      *relay.Node
}

func newFixture(t testing.TB, change ...func(*lua.Deps)) *fixture {
	t.Helper()
	node := relay.NewNode("")
	topo := topology.New(node.Send)
	d := dispatch.NewRegistry()
	c := clock.New()
	c.Register(d)
	calls := functions.New()
	luafuncs.Register(d, calls)
	d.Freeze()
	s, err := scheduler.New(scheduler.Config{Dispatch: d, Lifecycle: proctable.Lifecycle{}, OnStopping: proctable.Stopping, OnDrop: proctable.Drop})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	e := engine.New()
	for _, m := range []engine.Module{luatime.Module(c, node.Send), luactx.Module(), luafuncs.Module(nil)} {
		if err := e.Register(m); err != nil {
			t.Fatal(err)
		}
	}
	e.Seal()
	f := &fixture{t: t, functions: calls, factories: factory.New(), node: node}
	pids := pidgen.New("")
	deps := lua.Deps{
		Engine: e, Factories: f.factories, Functions: f.functions,
		Runner: &lua.Runner{Engine: e, Scheduler: s, Topology: topo, Node: node, PIDs: pids, Processes: processes.New(node, pids, topo), Context: context.Background(), Log: slog.New(slog.DiscardHandler)},
	}
	for _, c := range change {
		c(&deps)
	}
	f.listener = lua.NewListener(deps)
	return f
}

func function(id, source string, more ...any) registry.Entry {
	data := map[string]any{"source": source, "method": "main"}
	for i := 0; i < len(more); i += 2 {
		data[more[i].(string)] = more[i+1]
	}
	return registry.Entry{ID: registry.ParseID(id), Kind: lua.KindFunction, Data: data}
}

func library(id, source string, imports map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: lua.KindLibrary, Data: map[string]any{"source": source, "imports": imports}}
}

func (f *fixture) create(entries ...registry.Entry) {
	f.t.Helper()
	for _, e := range entries {
		if err := f.listener.Create(f.t.Context(), e); err != nil {
			f.t.Fatalf("%s: %v", e.ID, err)
		}
	}
}

func (f *fixture) call(id string, args ...any) (string, error) {
	f.t.Helper()
	input := make([]payload.Payload, len(args))
	for i, a := range args {
		input[i] = payload.Payload{Format: payload.Go, Data: a}
	}
	out, err := f.functions.Call(f.t.Context(), functions.Task{ID: id, Input: input})
	if err != nil || out.Data == nil {
		return "", err
	}
	return out.Data.(interface{ String() string }).String(), nil
}

func (f *fixture) expect(want, id string, args ...any) {
	f.t.Helper()
	if got, err := f.call(id, args...); err != nil || got != want {
		f.t.Errorf("%s = %q, %v; want %q", id, got, err, want)
	}
}

func TestFunctionRunsWithArgumentsAndImports(t *testing.T) {
	f := newFixture(t)
	f.create(
		library("app:base", "return {double = function(x) return 2 * x end}", nil),
		library("app:more", "return {quad = function(x) return base.double(base.double(x)) end}", map[string]any{"base": "app:base"}),
		function("app:f", "return {main = function(x) return require('more').quad(x) + 1 end}", "imports", map[string]any{"more": "app:more"}),
	)
	f.expect("21", "app:f", 5)
}

func TestChangingALibraryRebuildsEverythingThatImportsIt(t *testing.T) {
	f := newFixture(t)
	base := library("app:base", "return 1", nil)
	f.create(base, library("app:mid", "return base + 10", map[string]any{"base": "app:base"}),
		function("app:f", "return {main = function() return mid end}", "imports", map[string]any{"mid": "app:mid"}))
	f.expect("11", "app:f")
	if err := f.listener.Update(t.Context(), base, library("app:base", "return 2", nil)); err != nil {
		t.Fatal(err)
	}
	f.expect("12", "app:f")
	err := f.listener.Update(t.Context(), base, library("app:base", "return = 2", nil))
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("broken source: %v", err)
	}
	f.expect("12", "app:f")
}

func TestRunningCallsFinishOnTheOldCode(t *testing.T) {
	f := newFixture(t)
	old := function("app:f", "return {main = function(d) time.sleep(d) return 'old' end}", "modules", []any{"time"}, "pool", map[string]any{"type": "inline"})
	f.create(old)
	answer := make(chan string, 1)
	f.functions.CallAsync(t.Context(), functions.Task{ID: "app:f", Input: []payload.Payload{{Format: payload.Go, Data: "20ms"}}}, func(p payload.Payload, err error) {
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- p.Data.(interface{ String() string }).String()
	})
	if err := f.listener.Update(t.Context(), old, function("app:f", "return {main = function() return 'new' end}")); err != nil {
		t.Fatal(err)
	}
	f.expect("new", "app:f")
	if got := <-answer; got != "old" {
		t.Errorf("the running call answered %q", got)
	}
}

func TestFailedCallKeepsKindMessageAndPlace(t *testing.T) {
	f := newFixture(t)
	f.create(
		function("app:raise", "return {main = function() error('oops') end}"),
		function("app:refuse", "return {main = function() return nil, errors.new{message = 'm', kind = 'Conflict', retryable = true, details = {a = 1}} end}"),
		function("app:text", "return {main = function() return nil, 'bad' end}"),
		function("app:nomethod", "return {}"),
	)
	if _, err := f.call("app:raise"); fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "app:raise:1: oops") {
		t.Errorf("raise: %v", err)
	}
	_, err := f.call("app:refuse")
	if r, known := fault.RetryableOf(err); fault.KindOf(err) != fault.Conflict || err.Error() != "m" || !r || !known {
		t.Errorf("refuse: %v", err)
	}
	_, err = f.call("app:text")
	if r, known := fault.RetryableOf(err); fault.KindOf(err) != fault.Internal || err.Error() != "bad" || r || !known {
		t.Errorf("text: %v", err)
	}
	if _, err := f.call("app:nomethod"); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), `method "main" not found in module`) {
		t.Errorf("no method: %v", err)
	}
}

func TestCancelledCallFailsAndItsWorkerIsFreeAgain(t *testing.T) {
	f := newFixture(t)
	f.create(function("app:f", "return {main = function(d) time.sleep(d) return 'done' end}", "modules", []any{"time"}, "pool", map[string]any{"type": "inline"}))
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	failed := make(chan error, 1)
	stop := f.functions.CallAsync(ctx, functions.Task{ID: "app:f", Input: []payload.Payload{{Format: payload.Go, Data: "1h"}}}, func(_ payload.Payload, err error) { failed <- err })
	once.Do(stop)
	cancel()
	if err := <-failed; fault.KindOf(err) != fault.Canceled || err.Error() != "context canceled" {
		t.Errorf("err = %v", err)
	}
	f.expect("done", "app:f", "1ms")
}

func TestCallSeesTheValuesOfItsFrame(t *testing.T) {
	f := newFixture(t)
	f.create(function("app:f", "return {main = function() return ctx.get('who') end}", "modules", []any{"ctx"}))
	frame := appctx.NewFrame()
	if err := frames.Values.Set(frame, map[string]any{"who": "ada"}); err != nil {
		t.Fatal(err)
	}
	out, err := f.functions.Call(t.Context(), functions.Task{ID: "app:f", Frame: frame})
	if err != nil || out.Data.(interface{ String() string }).String() != "ada" {
		t.Errorf("got %v, %v", out.Data, err)
	}
}

func TestBadEntriesAreRejectedWithTheirField(t *testing.T) {
	f := newFixture(t)
	f.create(library("app:lib", "return {}", nil), library("app:other", "return {}", nil),
		library("app:clash", "return {}", map[string]any{"x": "app:other"}))
	for name, tc := range map[string]struct {
		entry registry.Entry
		field string
		want  string
	}{
		"no source":      {registry.Entry{ID: registry.ParseID("app:a"), Kind: lua.KindLibrary}, "data.source", "source is required"},
		"no method":      {registry.Entry{ID: registry.ParseID("app:a"), Kind: lua.KindFunction, Data: map[string]any{"source": "return 1"}}, "data.method", "method is required"},
		"unknown module": {function("app:a", "return 1", "modules", []any{"time", "tme"}), "data.modules.1", `unknown module "tme"`},
		"empty module":   {function("app:a", "return 1", "modules", []any{""}), "data.modules", "module cannot be empty"},
		"module with ns": {function("app:a", "return 1", "modules", []any{"a:b"}), "data.modules", "module cannot have a namespace"},
		"unknown import": {function("app:a", "return 1", "imports", map[string]any{"l": "app:lob"}), "data.imports.l", "node with ID app:lob not found"},
		"bad import":     {function("app:a", "return 1", "imports", map[string]any{"l": "lib"}), "data.imports.l", "is not an entry id"},
		"self import":    {library("app:a", "return 1", map[string]any{"a": "app:a"}), "data.imports.a", "would create a cycle"},
		"bad pool":       {function("app:a", "return 1", "pool", map[string]any{"type": "huge"}), "data.pool", "unknown pool type: huge"},
		"syntax":         {function("app:a", "return = 1"), "", "app:a:1:8:"},
		"alias clash":    {function("app:a", "return 1", "imports", map[string]any{"x": "app:lib", "c": "app:clash"}), "", "alias 'x' collision"},
	} {
		t.Run(name, func(t *testing.T) {
			err := f.listener.Create(t.Context(), tc.entry)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("err = %v, want %q", err, tc.want)
			}
			var placed interface{ Field() string }
			if tc.field != "" && (!errors.As(err, &placed) || placed.Field() != tc.field) {
				t.Errorf("field %v, want %s", placed, tc.field)
			}
			if f.functions.Has("app:a") || f.factories.Has("app:a") {
				t.Error("a rejected entry is in use")
			}
		})
	}
}

func TestImportCycleByUpdateIsRejected(t *testing.T) {
	f := newFixture(t)
	a := library("app:a", "return 1", nil)
	f.create(a, library("app:b", "return a", map[string]any{"a": "app:a"}))
	if err := f.listener.Update(t.Context(), a, library("app:a", "return b", map[string]any{"b": "app:b"})); err == nil || !strings.Contains(err.Error(), "cycle") {
		t.Errorf("err = %v", err)
	}
}

func TestImportedLibraryStaysUntilItsImportersGo(t *testing.T) {
	f := newFixture(t)
	lib := library("app:lib", "return 1", nil)
	user := function("app:f", "return {main = function() return l end}", "imports", map[string]any{"l": "app:lib"})
	f.create(lib, user)
	if err := f.listener.Delete(t.Context(), lib); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "cannot remove node") {
		t.Errorf("delete of an imported library: %v", err)
	}
	if err := f.listener.Delete(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if err := f.listener.Delete(t.Context(), lib); err != nil {
		t.Errorf("delete of a free library: %v", err)
	}
	if _, err := f.call("app:f"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("call of a deleted function: %v", err)
	}
}

func BenchmarkCall(b *testing.B) {
	b.ReportAllocs()
	f := newFixture(b)
	f.create(function("app:f", "return {main = function(x) return x end}"))
	ctx := b.Context()
	input := []payload.Payload{{Format: payload.Go, Data: 1}}
	for b.Loop() {
		if _, err := f.functions.Call(ctx, functions.Task{ID: "app:f", Input: input}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCallFromLua is one funcs.call from a Lua function to another.
func BenchmarkCallFromLua(b *testing.B) {
	b.ReportAllocs()
	f := newFixture(b)
	f.create(function("app:f", "return {main = function(x) return x end}"),
		function("app:loop", "return {main = function(n) for i = 1, n do assert(funcs.call('app:f', i)) end end}", "modules", []any{"funcs"}))
	const batch = 100
	for b.Loop() {
		if _, err := f.call("app:loop", batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/call")
}

func TestProcessesOfChangedEntriesAreOutdated(t *testing.T) {
	outdated := map[string][]string{}
	f := newFixture(t, func(d *lua.Deps) { d.Outdated = func(id string, sources []string) { outdated[id] = sources } })
	base := library("app:base", "return 1", nil)
	user := process("app:user", nil)
	user.Data.(map[string]any)["imports"] = map[string]any{"base": "app:base"}
	alone := process("app:alone", nil)
	f.create(base, user, alone)
	f.listener.Committed(t.Context())
	if len(outdated) != 0 {
		t.Errorf("new entries are outdated: %v", outdated)
	}
	update := func(e registry.Entry) {
		t.Helper()
		if err := f.listener.Update(t.Context(), e, e); err != nil {
			t.Fatal(err)
		}
	}
	update(base)
	update(user)
	f.listener.Committed(t.Context())
	if got := outdated["app:user"]; len(outdated) != 1 || !slices.Equal(got, []string{"app:base", "app:user"}) {
		t.Errorf("outdated %v", outdated)
	}
	clear(outdated)
	update(alone)
	if err := f.listener.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.listener.Committed(t.Context())
	if len(outdated) != 0 {
		t.Errorf("after a change that failed: %v", outdated)
	}
}
