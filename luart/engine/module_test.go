// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
)

// counter is the Go side of a class of userdata.
type counter struct{ n int }

// LuaType is what type says of it.
func (c *counter) LuaType() string { return "counter" }

// Portable is what another process gets.
func (c *counter) Portable() lua.LValue { return lua.LNumber(c.n) }

// celsius is a Go value that knows its Lua form.
type celsius float64

// LuaValue is the text with the unit.
func (c celsius) LuaValue() lua.LValue { return lua.LString(fmt.Sprintf("%g C", float64(c))) }

type localKey struct{}

// kitModule is a module with one of everything a Builder makes. It tells closed of the
// processes that end.
func kitModule(closed *[]string) engine.Module {
	return engine.Module{Name: "kit", Classes: []string{"deterministic"}, Build: func(b *engine.Builder) error {
		if b.Engine() == nil {
			return errors.New("no engine")
		}
		b.Value("limits", func() *lua.LTable { t := engine.NewObject(1); t.RawSetString("max", lua.LNumber(3)); return t }())
		sub := b.Table("sub")
		sub.Func("name", func(L *lua.LState) int { L.Push(lua.LString("sub")); return 1 })
		if b.Table("sub") != sub {
			return errors.New("a second table of the same name")
		}
		b.Call(func(L *lua.LState) int { L.Push(lua.LString("called with " + L.CheckString(2))); return 1 })
		class := b.Type("Counter", map[string]lua.LGFunction{
			"add": func(L *lua.LState) int {
				c := engine.Check[*counter](L, 1, "counter")
				c.n += L.CheckInt(2)
				L.Push(lua.LNumber(c.n))
				return 1
			},
		}, nil)
		b.Func("counter", func(L *lua.LState) int { L.Push(class.New(&counter{})); return 1 })
		b.Func("is", func(L *lua.LState) int { L.Push(lua.LBool(class.Is(L.Get(1)))); return 1 })
		b.Func("class", func(L *lua.LState) int { L.Push(lua.LString(class.Name())); return 1 })
		b.Func("raise", func(L *lua.LState) int {
			engine.RaiseError(L, engine.NewError(engine.KindConflict, "clash").With("with", "x").WithRetryable(true))
			return 0
		})
		b.Func("twice", func(L *lua.LState) int {
			p := engine.From(L)
			n, _ := p.Local(localKey{}).(int)
			if n == 0 {
				id := p.SourceID()
				p.Defer(func() { *closed = append(*closed, id) })
			}
			p.SetLocal(localKey{}, n+1)
			L.Push(lua.LNumber(n + 1))
			return 1
		})
		b.Func("tenant", func(L *lua.LState) int {
			L.Push(engine.ToLua(engine.From(L).Context().Value(localKey{})))
			return 1
		})
		b.Func("where", func(L *lua.LState) int { L.Push(lua.LString(engine.From(L).Where(L))); return 1 })
		b.Func("frozen", func(L *lua.LState) int { L.Push(lua.LBool(engine.Frozen(L.CheckTable(1)))); return 1 })
		b.Func("receive", func(L *lua.LState) int { return engine.CheckChannel(L, 1).Receive(L) })
		b.Func("send", func(L *lua.LState) int { return engine.CheckChannel(L, 1).Send(L, L.Get(2)) })
		b.Func("subscribe", func(L *lua.LState) int {
			ch := engine.From(L).NewChannel(1)
			if err := engine.From(L).Subscribe(L.CheckString(1), ch, engine.Messages); err != nil {
				return engine.PushError(L, err)
			}
			L.Push(ch.Value())
			return 1
		})
		b.Func("unsubscribe", func(L *lua.LState) int {
			if err := engine.From(L).Unsubscribe(engine.CheckChannel(L, 1)); err != nil {
				return engine.PushError(L, err)
			}
			L.Push(lua.LTrue)
			return 1
		})
		b.Func("echo", func(L *lua.LState) int {
			return engine.Yield(L, echo{engine.ToGo(L.Get(1))}, func(L *lua.LState, data any, _ error) []lua.LValue {
				return engine.Result(L, engine.ToLua(data))
			})
		})
		b.Func("appended", func(L *lua.LState) int {
			args := engine.AppendPayloads([]payload.Payload{{Data: lua.LString("first")}}, L, 1)
			for _, a := range args {
				L.Push(a.Data.(lua.LValue))
			}
			return len(args)
		})
		b.Func("payloads", func(L *lua.LState) int {
			args := engine.Payloads(L, 2)
			L.Push(lua.LNumber(len(args)))
			for _, a := range args {
				L.Push(a.Data.(lua.LValue))
			}
			return 1 + len(args)
		})
		return nil
	}}
}

// kit runs the body of a function in a process with the modules kit and test.
func kit(t *testing.T, ctx context.Context, body string, opts ...engine.Option) (result lua.LValue, closed []string, err error) {
	t.Helper()
	e := engine.New(opts...)
	for _, m := range []engine.Module{testModule, kitModule(&closed)} {
		if err := e.Register(m); err != nil {
			t.Fatal(err)
		}
	}
	e.Seal()
	prog, err := e.Link(engine.ProgramSpec{ID: "app:kit", Source: "return function() " + body + "\nend", Modules: []string{"kit", "test"}})
	if err != nil {
		t.Fatal(err)
	}
	p := e.NewProcess(engine.ProcessOptions{Program: prog})
	m := &machine{t: t, p: p, cancel: func() {}}
	if err := p.Init(ctx, "", nil); err != nil {
		return nil, closed, err
	}
	if m.run(); !m.done {
		t.Fatalf("still waiting: %s", body)
	}
	return m.result, closed, m.err
}

func TestBuilderMakesTheContentOfAModule(t *testing.T) {
	ctx := context.WithValue(t.Context(), localKey{}, "acme")
	for _, tt := range []struct{ body, want string }{
		{"return kit.limits.max", "3"},
		{"local ok, err = pcall(function() kit.limits.max = 4 end) return ok", "false"},
		{"return kit.sub.name()", "sub"},
		{"return kit('x')", "called with x"},
		{"local c = kit.counter() c:add(2) return c:add(3)", "5"},
		{"return type(kit.counter()) .. ' ' .. tostring(kit.is(kit.counter())) .. tostring(kit.is(1)) .. ' ' .. kit.class()", "counter truefalse kit.Counter"},
		{"local _, e = pcall(kit.raise) return e:kind() .. e:message() .. e:details().with .. tostring(e:retryable())", "Conflictclashxtrue"},
		{"kit.twice() return kit.twice()", "2"},
		{"return kit.tenant()", "acme"},
		{"\n\nreturn kit.where()", "app:kit:3"},
		{"return tostring(kit.frozen(kit.limits)) .. tostring(kit.frozen({})) .. tostring(kit.frozen(table.freeze({1})))", "truefalsetrue"},
		{"local n, a, b = kit.payloads(1, 2, {3}) return n .. a .. b[1]", "223"},
		{"local a, b, c = kit.appended('x', {'y'}) return a .. b .. c[1]", "firstxy"},
		{"return kit.echo('a') .. kit.echo('b')", "ab"},
		{"local n = kit.payloads() return n", "0"},
		// A channel that Go code sends to and receives from suspends its caller.
		{"local ch = channel.new() coroutine.spawn(function() kit.send(ch, 'late') end) local v, ok = kit.receive(ch) return v .. tostring(ok)", "latetrue"},
		{"local ch = channel.new() ch:close() local v, ok = kit.receive(ch) return tostring(v) .. tostring(ok)", "nilfalse"},
		{"local ch = channel.new() ch:close() local ok, err = pcall(kit.send, ch, 1) return tostring(ok) .. ' ' .. tostring(err):match('closed')", "false closed"},
		{"local a = kit.subscribe('t') local _, e = kit.subscribe('t') kit.unsubscribe(a) local b = kit.subscribe('t') return e:kind() .. tostring(b ~= nil)", "AlreadyExiststrue"},
		{"local _, e = kit.unsubscribe(channel.new()) return e:kind() .. ': ' .. e:message()", "NotFound: channel not found"},
	} {
		got, _, err := kit(t, ctx, tt.body)
		if err != nil || got.String() != tt.want {
			t.Errorf("%s: got %v, %v, want %s", tt.body, got, err, tt.want)
		}
	}
}

func TestDeferredFunctionsRunHoweverTheProcessEnds(t *testing.T) {
	for _, end := range []string{"return 1", "error('x')", "test.panic()"} {
		if _, closed, _ := kit(t, t.Context(), "kit.twice() "+end); !slices.Equal(closed, []string{"app:kit"}) {
			t.Errorf("%s: closed %v", end, closed)
		}
	}
}

func TestReplaceMakesAModuleOfAnyValue(t *testing.T) {
	e := engine.New()
	err := e.Register(engine.Module{Name: "answer", Build: func(b *engine.Builder) error {
		b.Replace(b.Function("answer", func(L *lua.LState) int { L.Push(lua.LNumber(42)); return 1 }))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	e.Seal()
	if m, ok := e.Module("answer"); !ok || m.Name != "answer" {
		t.Errorf("module %+v, %v", m, ok)
	}
	if _, ok := e.Module("question"); ok {
		t.Error("a module nobody registered")
	}
	prog, err := e.Link(engine.ProgramSpec{ID: "app:x", Source: "return function() return answer() end", Modules: []string{"answer"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := tryStart(t, e, prog)
	if err != nil {
		t.Fatal(err)
	}
	if m.run(); m.err != nil || m.result != lua.LNumber(42) {
		t.Errorf("%v, %v", m.result, m.err)
	}
}

func TestGoValuesDecideAboutTheirLuaForm(t *testing.T) {
	var v engine.LuaValuer = celsius(21)
	if got := engine.ToLua(map[string]any{"t": v}).(*lua.LTable).RawGetString("t"); got.String() != "21 C" {
		t.Errorf("LuaValuer: %v", got)
	}
	var p engine.Portable = &counter{n: 7}
	if got := engine.Copy(&lua.LUserData{Value: p}); got != lua.LNumber(7) {
		t.Errorf("Portable: %v", got)
	}
	if got := engine.Copy(&lua.LUserData{Value: 7}); got != lua.LNil {
		t.Errorf("other userdata: %v", got)
	}
	var _ engine.Typed = &counter{}
}

func TestErrorKindsHaveNamesInLua(t *testing.T) {
	for name, kind := range map[string]string{
		"UNKNOWN": engine.KindUnknown, "INVALID": engine.KindInvalid, "NOT_FOUND": engine.KindNotFound,
		"ALREADY_EXISTS": engine.KindAlreadyExists, "PERMISSION_DENIED": engine.KindPermissionDenied,
		"UNAVAILABLE": engine.KindUnavailable, "INTERNAL": engine.KindInternal, "CANCELED": engine.KindCanceled,
		"CONFLICT": engine.KindConflict, "TIMEOUT": engine.KindTimeout, "RATE_LIMITED": engine.KindRateLimited,
		"LIMIT_EXCEEDED": engine.KindLimitExceeded, "INVALID_STATE": engine.KindInvalidState,
	} {
		got, err := eval(t, "return errors."+name)
		if err != nil || got.String() != kind {
			t.Errorf("errors.%s is %v, %v, want %q", name, got, err, kind)
		}
	}
}

func TestErrorIsACopyWithADetail(t *testing.T) {
	plain := engine.NewError(engine.KindRateLimited, "slow down")
	told := plain.With("after", 5).With("unit", "s").WithRetryable(true).WithHint("wait a little")
	if plain.Hint() != "" || told.Hint() != "wait a little" || !strings.Contains(told.Stack(), "hint: wait a little") {
		t.Errorf("hints %q and %q in %s", plain.Hint(), told.Hint(), told.Stack())
	}
	if len(plain.Details()) != 0 || told.Details()["after"] != 5 || told.Details()["unit"] != "s" {
		t.Errorf("details %v and %v", plain.Details(), told.Details())
	}
	if r, known := told.Retryable(); !r || !known {
		t.Errorf("retryable %v, %v", r, known)
	}
	if r, _ := plain.Retryable(); r {
		t.Error("the original became retryable")
	}
}

func TestErrorHasTheLuaStack(t *testing.T) {
	_, err := eval(t, `
		local function inner() error("deep") end
		local function outer() inner() return 1 end
		local n = outer()
		return n`)
	e, ok := errors.AsType[*engine.Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	var at []string
	for _, f := range e.Frames() {
		if f.Source == "app:test" {
			at = append(at, fmt.Sprintf("%s:%d %s %s", f.What, f.Line, f.Name, f.Source))
		}
	}
	if len(at) < 2 || !strings.HasPrefix(at[0], "Lua:2 inner") || !strings.HasPrefix(at[1], "Lua:3 outer") {
		t.Errorf("frames %q", at)
	}
}

func TestProgramOfCompiledSource(t *testing.T) {
	e := newEngine(t)
	proto, err := e.Compile("app:lib", "return {start = function() return test.wait('ran') end}")
	if err != nil || proto.ID() != "app:lib" {
		t.Fatalf("%v, %v", proto, err)
	}
	prog, err := e.Link(engine.ProgramSpec{ID: "app:lib", Proto: proto, Method: "start", Modules: []string{"test"}})
	if err != nil {
		t.Fatal(err)
	}
	if prog.ID() != "app:lib" || prog.Method() != "start" || !slices.Contains(prog.Modules(), "test") {
		t.Errorf("%s, method %s, modules %v", prog.ID(), prog.Method(), prog.Modules())
	}
	instance := e.NewInstance(prog)
	defer instance.Close()
	if instance.Program() != prog {
		t.Error("the instance runs another program")
	}
	m := &machine{t: t, p: e.NewProcess(engine.ProcessOptions{Instance: instance}), cancel: func() {}}
	if m.p.Program() != prog || m.p.SourceID() != "app:lib" {
		t.Error("the process runs another program")
	}
	if err := m.p.Init(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	if m.run(); m.err != nil || m.result.String() != "ran" {
		t.Errorf("%v, %v", m.result, m.err)
	}
}

func TestStackDepthIsBounded(t *testing.T) {
	const source = "local function down(n) if n == 0 then return 0 end return 1 + down(n - 1) end "
	deep := func(frames int) error {
		m := start(t, newEngine(t, engine.WithStackDepth(500)), source+fmt.Sprintf("return function() return down(%d) end", frames)).run()
		return m.err
	}
	if err := deep(400); err != nil {
		t.Errorf("400 calls: %v", err)
	}
	if err := deep(600); err == nil || !strings.Contains(err.Error(), "stack overflow") {
		t.Errorf("600 calls: %v", err)
	}
}

func TestStepBudgetMakesRoomForOtherProcesses(t *testing.T) {
	const source = `return function()
		local done = channel.new(10)
		for i = 1, 10 do coroutine.spawn(function() done:send(i) end) end
		local sum = 0
		for i = 1, 10 do sum = sum + done:receive() end
		return sum
	end`
	steps := func(opts ...engine.Option) (n int) {
		m := start(t, newEngine(t, opts...), source)
		for !m.done {
			m.step()
			n++
		}
		if m.err != nil || m.result != lua.LNumber(55) {
			t.Errorf("%v, %v", m.result, m.err)
		}
		return n
	}
	if all, few := steps(), steps(engine.WithStepBudget(2)); all != 1 || few < 5 {
		t.Errorf("%d steps, %d with a budget of two coroutines each", all, few)
	}
}

func TestTranscoderOfTheHostIsUsed(t *testing.T) {
	tc := payload.NewDefault()
	e := newEngine(t, engine.WithTranscoder(tc))
	p, err := tc.Transcode(payload.Payload{Format: payload.JSON, Data: []byte(`{"a":[1]}`)}, payload.Lua)
	if err != nil {
		t.Fatalf("the engine has not added its conversions: %v", err)
	}
	if a, ok := p.Data.(*lua.LTable).RawGetString("a").(*lua.LTable); !ok || a.RawGetInt(1) != lua.LNumber(1) {
		t.Errorf("got %v", p.Data)
	}
	if e == nil {
		t.Fatal("no engine")
	}
}

// addressOnce counts how often the address is asked for.
type addressOnce struct{ asked int }

// Address makes the address.
func (a *addressOnce) Address() relay.PID {
	a.asked++
	return relay.NewPID("", "host", "0x00007")
}

func TestAddressIsMadeWhenSomebodyAsks(t *testing.T) {
	e := newEngine(t)
	a := &addressOnce{}
	var _ engine.Addressed = a
	m := &machine{t: t, p: e.NewProcess(engine.ProcessOptions{Program: link(t, e, "return function() return 1 end"), Addressed: a}), cancel: func() {}}
	if err := m.p.Init(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	if a.asked != 0 {
		t.Error("the address was made before anybody asked")
	}
	for range 2 {
		if got := m.p.PID(); got != relay.NewPID("", "host", "0x00007") || a.asked != 1 {
			t.Errorf("address %v, made %d times", got, a.asked)
		}
	}
	m.run()
}

func TestMessagesOfAnEarlierIncarnationComeFirst(t *testing.T) {
	e := newEngine(t)
	left := relay.NewMessage(relay.PID{}, relay.PID{}, "t", payload.New("left over"))
	p := e.NewProcess(engine.ProcessOptions{Program: link(t, e, `return function()
		local ch = test.listen("t", false)
		return ch:receive() .. ", " .. ch:receive()
	end`), PID: relay.NewPID("", "host", "0x00001"), Messages: []*relay.Message{left}})
	m := &machine{t: t, p: p, cancel: func() {}}
	if err := p.Init(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	m.send("t", "new")
	if m.run(); m.err != nil || m.result == nil || m.result.String() != "left over, new" {
		t.Errorf("%v, %v", m.result, m.err)
	}
}

func TestProcessAnswersHowMuchMemoryItUses(t *testing.T) {
	m := start(t, newEngine(t), `return function()
		local keep = ("x"):rep(100000)
		test.inbox():receive()
		return #keep
	end`)
	m.run()
	var got []uint64
	note := func(bytes uint64) { got = append(got, bytes) }
	m.events = append(m.events, scheduler.Event{Kind: scheduler.MessageEvent, Data: engine.NewMeasure(0, note)})
	m.run()
	if len(got) != 1 || got[0] < 100000 || m.done {
		t.Errorf("measured %v, ended %v", got, m.done)
	}
	m.send("t", 1)
	if m.run(); m.err != nil || m.result != lua.LNumber(100000) {
		t.Errorf("the program noticed: %v, %v", m.result, m.err)
	}
	engine.NewMeasure(0, note).Drop()
	if len(got) != 2 || got[1] != 0 {
		t.Errorf("of a process that ended: %v", got)
	}
}

func TestUpgradeReplacesTheProcess(t *testing.T) {
	e := engine.New()
	if err := e.Register(engine.Module{Name: "up", Build: func(b *engine.Builder) error {
		b.Func("grade", func(L *lua.LState) int {
			p := engine.From(L)
			return engine.Upgrade(L, func(context.Context) (scheduler.Process, error) {
				return p.Engine().NewProcess(engine.ProcessOptions{Program: p.Program(), PID: p.PID()}), nil
			}, "second", engine.Payloads(L, 1))
		})
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	e.Seal()
	prog, err := e.Link(engine.ProgramSpec{ID: "app:up", Modules: []string{"up"}, Source: `return {
		main = function() up.grade("state") error("went on") end,
		second = function(state) return "second with " .. state end,
	}`})
	if err != nil {
		t.Fatal(err)
	}
	s, err := scheduler.New(scheduler.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	ref, err := s.Submit(t.Context(), e.NewProcess(engine.ProcessOptions{Program: prog}), scheduler.SubmitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := ref.Wait(t.Context())
	if err != nil || fmt.Sprint(result.(payload.Payload).Data) != "second with state" {
		t.Errorf("%v, %v", result, err)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
