// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"errors"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

func TestNestedYieldRaises(t *testing.T) {
	const boundary = "attempt to yield across a metamethod/Go callback boundary (wait)"
	for _, c := range []struct{ src, want string }{
		{"local t = setmetatable({}, {__index = function() return test.wait(1) end}) return t.x", boundary},
		{"local t = setmetatable({}, {__index = function() local x = test.wait(1) return x end}) return t.x", boundary},
		{"local t = setmetatable({}, {__newindex = function() test.wait(1) end}) t.x = 1", boundary},
		{"local t = setmetatable({}, {__add = function() return test.wait(1) end}) return t + 1", boundary},
		{"local t = setmetatable({}, {__eq = function() return test.wait(1) end}) return t == setmetatable({}, getmetatable(t))", boundary},
		{"local t = setmetatable({}, {__concat = function() return test.wait(1) end}) return t .. 'x'", boundary},
		{"local t = setmetatable({}, {__len = function() return test.wait(1) end}) return #t", boundary},
		{"local t = setmetatable({}, {__lt = function() return test.wait(1) end}) return t < t", boundary},
		{"local t = setmetatable({}, {__tostring = function() return test.wait(1) end}) return tostring(t)", boundary},
		{"return test.call(function() return test.wait(1) end)", boundary},
		{"return test.call(function() return (pcall(test.wait, 1)) end)", ""},
		{"local t = setmetatable({}, {__index = test.wait}) return t.x", "attempt to yield across a metamethod/Go callback boundary"},
		{"local ch = channel.new() return test.call(function() return ch:receive() end)", "boundary (receive)"},
		{"local ch = channel.new() return test.call(function() return ch:send(1) end)", "boundary (send)"},
		{"return test.call(function() return channel.select{} end)", "boundary (select)"},
		{"return test.call(function() coroutine.yield() end)", "boundary (yield)"},
		{"return test.call(function() return coroutine.wrap(function() return test.wait(1) end)() end)", "attempt to yield while a Go function waits for the result (wait)"},
	} {
		v, err := eval(t, c.src)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.src, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s = %v, %v; want %s", c.src, v, err, c.want)
		}
	}
	// Nothing is broken afterwards.
	v, err := eval(t, `
		local t = setmetatable({}, {__index = function(_, k) return test.wait(k) end})
		local n = 0
		for i = 1, 100 do
			local ok, e = pcall(function() return t[i] end)
			assert(not ok and e:find("boundary"))
			assert(test.call(function() local ok = pcall(test.wait, 1) return not ok end))
			n = n + test.wait(1)
		end
		return n`)
	if err != nil || v.String() != "100" {
		t.Errorf("after refused yields: %v, %v", v, err)
	}
}

func TestFailureCarriesTraceback(t *testing.T) {
	_, err := eval(t, `
local function inner()
	error("oops")
end
local function middle() inner() return 1 end
local co = coroutine.wrap(function() middle() return 1 end)
co()
return 1`)
	e, ok := err.(*engine.Error)
	if !ok || e.Kind() != "Internal" || e.Error() != "app:test:3: oops" {
		t.Fatalf("%T %v", err, err)
	}
	if _, known := e.Retryable(); known {
		t.Error("whether a raised string is worth a retry is not known")
	}
	for _, want := range []string{"app:test:3: in function 'inner'", "app:test:5: in function 'middle'", "app:test:6:", "app:test:7:"} {
		if !strings.Contains(e.Stack(), want) {
			t.Errorf("no %q in\n%s", want, e.Stack())
		}
	}
}

func TestTracebackGoesThroughEngineFrames(t *testing.T) {
	_, err := eval(t, `
local function f(n)
	if n == 0 then error("bottom") end
	local r = f(n - 1)
	return r
end
local x = f(300)
return x`)
	s := stackOf(err)
	if !strings.Contains(s, "app:test:3: in function 'f'") || !strings.Contains(s, "app:test:7:") || strings.Count(s, "\n") > 40 {
		t.Error(s)
	}
}

func TestErrorObjectsKeepWhatTheyCarry(t *testing.T) {
	for _, src := range []string{
		`error(errors.new{message="m", kind="Conflict", retryable=true, details={a=1}})`,
		`return nil, errors.new{message="m", kind="Conflict", retryable=true, details={a=1}}`,
		`return 5, errors.new{message="m", kind="Conflict", retryable=true, details={a=1}}`,
	} {
		_, err := eval(t, src)
		e, ok := err.(*engine.Error)
		if !ok {
			t.Fatalf("%s: %T %v", src, err, err)
		}
		retry, known := e.Retryable()
		if e.Kind() != "Conflict" || e.Message() != "m" || !retry || !known || e.Details()["a"] != 1.0 {
			t.Errorf("%s: %+v", src, e)
		}
	}
	if _, err := eval(t, `return nil, "bad"`); err == nil || err.Error() != "bad" || engine.WrapError(err).Kind() != "Internal" || retryable(err) != "no" {
		t.Errorf("nil, string: %v", err)
	}
	if v, err := eval(t, `return 5, "note"`); err != nil || v.String() != "5" {
		t.Errorf("value, string: %v %v", v, err)
	}
	if v, err := eval(t, `return 5, 42`); err != nil || v.String() != "5" {
		t.Errorf("value, number: %v %v", v, err)
	}
	if _, err := eval(t, `error({message = "from a table"})`); err == nil || err.Error() != "from a table" {
		t.Errorf("table: %v", err)
	}
}

func retryable(err error) string {
	retry, known := engine.WrapError(err).Retryable()
	switch {
	case !known:
		return "unknown"
	case retry:
		return "yes"
	}
	return "no"
}

func TestPanicIsContained(t *testing.T) {
	_, err := eval(t, "local x = test.panic() return x")
	e, ok := err.(*engine.Error)
	if !ok || !strings.Contains(e.Error(), "panic in test.panic: boom") || !strings.Contains(e.GoStack(), "harness_test.go") {
		t.Fatalf("%v", err)
	}
	v, err := eval(t, "local ok, e = pcall(test.panic) return e:kind()")
	if err != nil || v.String() != "Internal" {
		t.Errorf("%v %v", v, err)
	}
}

// oddValue cannot say what it is in Lua.
type oddValue struct{}

func (oddValue) LuaValue() lua.LValue { panic("odd data") }

// A payload that cannot be converted is the error that says why, also when the
// conversion panics, whether the receiver waits or comes later.
func TestPanicOfAConversionIsTheValue(t *testing.T) {
	for _, wait := range []string{"", "test.wait(1)"} {
		m := start(t, newEngine(t), `return function()
			local ch, inbox = test.listen("t"), test.inbox()
			`+wait+`
			local a, b = ch:receive(), inbox:receive()
			local ok, e = pcall(function() return b:payload():data() end)
			return a:message() .. ", " .. tostring(ok) .. ", " .. e:message()
		end`)
		m.send("t", oddValue{})
		m.send("other", oddValue{})
		m.run()
		want := "panic in payload: odd data, false, panic in Payload:data: odd data"
		if m.err != nil || m.result.String() != want {
			t.Errorf("%v, %v", m.result, m.err)
		}
	}
}

func TestSpawnedCoroutineFailsTheProcess(t *testing.T) {
	_, err := eval(t, `coroutine.spawn(function() error("in a coroutine") end) channel.new():receive()`)
	if err == nil || !strings.Contains(err.Error(), "app:test:1: in a coroutine") {
		t.Errorf("%v", err)
	}
	v, err := eval(t, `coroutine.spawn(function() channel.new():receive() end) coroutine.yield() return "over"`)
	if err != nil || v.String() != "over" {
		t.Errorf("%v %v", v, err)
	}
}

func TestDeadlockIsReported(t *testing.T) {
	_, err := eval(t, `coroutine.spawn(function() channel.select{} end) channel.select{}`)
	if err == nil || err.Error() != "deadlock: all coroutines blocked with no pending operations (threads=2)" {
		t.Errorf("%v", err)
	}
	m := start(t, newEngine(t), `return function() channel.new():receive() end`).run()
	if m.done {
		t.Errorf("a channel wait is no deadlock: %v", m.err)
	}
	m.p.Close()
}

func TestMailbox(t *testing.T) {
	e := newEngine(t)
	m := start(t, e, `
return function()
	local inbox = test.inbox()
	assert(inbox == test.inbox())
	local log = {}
	for i = 1, 3 do
		local msg, ok = inbox:receive()
		log[#log + 1] = msg:topic() .. "=" .. tostring(msg:payload() and msg:payload():data()) .. "<" .. msg:from()
	end
	local a = test.listen("a")
	assert(a == test.listen("a", true))
	log[#log + 1] = a:receive()
	log[#log + 1] = inbox:receive():topic()
	log[#log + 1] = #a:receive()
	log[#log + 1] = tostring(test.events():receive().kind)
	assert(unsubscribe(a) == true)
	log[#log + 1] = inbox:receive():topic()
	log[#log + 1] = tostring(inbox:receive():payload())
	return table.concat(log, " ")
end`)
	m.send("x", 1.0)
	m.send("y", "two")
	m.step()
	m.send("z", true)
	m.send("other", 0.0)
	m.send(engine.ControlTopic, map[string]any{"kind": "pid.exit"})
	m.step()
	m.send("a", "first")
	m.send("a", 1.0, 2.0, 3.0)
	m.send("a", "buffered")
	m.send("a", "fallback")
	m.send("none")
	m.run()
	const want = "x=1<{host|0x00009} y=two<{host|0x00009} z=true<{host|0x00009} first other 3 pid.exit a nil"
	if m.err != nil || str(m.result) != want {
		t.Errorf("got %v %v\nwant %s", m.result, stackOf(m.err), want)
	}
}

func TestMessagesBeforeTheInboxAreKept(t *testing.T) {
	m := start(t, newEngine(t), `
return function()
	test.wait(1)
	local s = ""
	local inbox = test.inbox()
	for i = 1, 100 do s = s .. inbox:receive():payload():data() end
	return s
end`)
	want := ""
	for i := range 100 {
		m.send("t", string(rune('a'+i%26)))
		want += string(rune('a' + i%26))
	}
	if m.run(); m.err != nil || m.result.String() != want {
		t.Errorf("%v %v", m.result, m.err)
	}
}

func TestSubscribeGlobal(t *testing.T) {
	m := start(t, newEngine(t), `
return function()
	local ch = channel.new(2)
	assert(subscribe("s", ch) == ch)
	local v, e = subscribe("s", channel.new())
	assert(v == nil and e:kind() == "AlreadyExists" and e:message() == 'topic "s" already subscribed')
	assert(subscribe("s2", ch) == ch)
	local ok, e2 = unsubscribe(channel.new())
	assert(ok == false and e2:kind() == "NotFound")
	local out = ch:receive() .. ch:receive() .. ch:receive()
	unsubscribe(ch)
	assert(ch:receive() == "s", "what was buffered can still be received")
	local v2, open = ch:receive()
	assert(v2 == nil and open == false)
	return out
end`)
	m.step()
	for _, topic := range []string{"s", "s2", "s", "s"} {
		m.send(topic, topic)
	}
	if m.run(); m.err != nil || m.result.String() != "ss2s" {
		t.Errorf("%v %v", m.result, stackOf(m.err))
	}
}

func TestControlHook(t *testing.T) {
	e := newEngine(t)
	linkDown := errors.New("linked process failed")
	p := e.NewProcess(engine.ProcessOptions{
		Program: link(t, e, "return function() test.inbox():receive() end"),
		OnControl: func(_ *engine.Process, m *relay.Message) (bool, error) {
			if m.Payload().Data == "down" {
				return false, linkDown
			}
			return false, nil
		},
	})
	m := &machine{t: t, p: p, cancel: func() {}}
	if err := p.Init(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	m.step()
	m.send(engine.ControlTopic, "harmless")
	m.step()
	if m.done {
		t.Fatal(m.err)
	}
	m.send(engine.ControlTopic, "down")
	if m.step(); m.err != linkDown {
		t.Error(m.err)
	}
}

func TestCopyIsDeep(t *testing.T) {
	v, err := eval(t, `
local shared = {1}
local t = {a = shared, b = shared, n = 1, s = "x", [1] = "one", f = print, ch = channel.new(), e = errors.new("e")}
t.self = t
setmetatable(t, {name = "mt", __index = function() end})
return t`)
	if err != nil {
		t.Fatal(err)
	}
	tb := v.(*lua.LTable)
	if tb.RawGetString("self") != v || tb.RawGetString("a") != tb.RawGetString("b") {
		t.Error("cycles and shared references")
	}
	if tb.RawGetString("f") != lua.LNil || tb.RawGetString("ch") != lua.LNil {
		t.Error("functions and channels do not cross")
	}
	if e, ok := engine.AsError(tb.RawGetString("e")); !ok || e.Error() != "e" {
		t.Error("error objects cross")
	}
	mt, ok := tb.Metatable.(*lua.LTable)
	if !ok || mt.RawGetString("name").String() != "mt" || mt.RawGetString("__index") != lua.LNil {
		t.Error("metatable")
	}
	empty, err := eval(t, `local o = {x = 1} o.x = nil return {o = o, a = {}}`)
	if err != nil {
		t.Fatal(err)
	}
	tb = empty.(*lua.LTable)
	if !engine.IsObject(tb.RawGetString("o").(*lua.LTable)) || engine.IsObject(tb.RawGetString("a").(*lua.LTable)) {
		t.Error("an empty object stays an object, an empty array an array")
	}
	// Nesting without end is cut off, not a crash.
	if _, err := eval(t, `local t = {} for i = 1, 200000 do t = {t} end return t`); err != nil {
		t.Error(err)
	}
}

func TestInstanceIsReused(t *testing.T) {
	e := newEngine(t)
	inst := e.NewInstance(link(t, e, `
local n = 0
return {main = function(d) n = n + d if n == 3 then error("three") end return n end, other = function() return "other" end}`))
	call := func(method string, d float64) (lua.LValue, error) {
		m := &machine{t: t, p: e.NewProcess(engine.ProcessOptions{Instance: inst}), cancel: func() {}}
		if err := m.p.Init(t.Context(), method, []payload.Payload{payload.New(d)}); err != nil {
			return nil, err
		}
		m.run()
		return m.result, m.err
	}
	for i, want := range []string{"1", "2", "", "4"} {
		v, err := call("", 1)
		if (want == "") != (err != nil) || err == nil && v.String() != want {
			t.Errorf("call %d: %v %v", i, v, err)
		}
	}
	if v, err := call("other", 1); err != nil || v.String() != "other" {
		t.Errorf("%v %v", v, err)
	}
	if _, err := call("none", 1); err == nil || err.Error() != `method "none" not found in module` || engine.WrapError(err).Kind() != "NotFound" {
		t.Errorf("%v", err)
	}
	inst.Close()
	if _, err := call("main", 1); err == nil {
		t.Error("a closed instance runs nothing")
	}
}

func TestLoadErrors(t *testing.T) {
	e := newEngine(t)
	for _, c := range []struct{ src, want string }{
		{`error("broken")`, "failed to execute script: app:test:1: broken"},
		{`local x = test.wait(1) return x`, "failed to execute script: app:test:1: attempt to yield while the program is loaded (wait)"},
		{`return 5`, `method "main" not found in module`},
		{`return {}`, `method "main" not found in module`},
		{``, `method "main" not found in module`},
		{`return {mian = print, maim = 5, other = print}`, `method "main" not found in module (did you mean "mian"?)`},
	} {
		_, err := tryStart(t, e, link(t, e, c.src))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.src, err, c.want)
		}
	}
	if v, err := tryStart(t, e, link(t, e, `local ok, v = pcall(function() return coroutine.wrap(function() coroutine.yield(3) end)() end) return function() return v end`)); err != nil {
		t.Error(err)
	} else if v.run(); v.result.String() != "3" {
		t.Error("coroutines and pcall work while loading", v.result, v.err)
	}
	if _, err := e.Compile("app:bad", "local x = = 1"); err == nil || !strings.Contains(err.Error(), "app:bad:1:") {
		t.Errorf("%v", err)
	}
}

func TestImports(t *testing.T) {
	e := newEngine(t)
	lib := func(id, src string, imports ...engine.Import) *engine.Program {
		p, err := e.Link(engine.ProgramSpec{ID: id, Source: src, Modules: []string{"test"}, Imports: imports})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	deep := lib("app:deep", `count = (count or 0) + 1 return {n = count}`)
	mid := lib("app:mid", `return {deep = require("deep"), v = 5}`, engine.Import{Alias: "deep", Program: deep})
	main := lib("app:main", `
return function()
	assert(require("m") == m and m.v == 5 and deep == m.deep and deep2 ~= deep and count == 2)
	deep.n = deep.n + 1
	return deep.n
end`, engine.Import{Alias: "m", Program: mid}, engine.Import{Alias: "deep2", Program: deep})
	for range 2 {
		m, err := tryStart(t, e, main)
		if err != nil {
			t.Fatal(err)
		}
		if m.run(); m.err != nil || m.result.String() != "2" && m.result.String() != "3" {
			t.Errorf("%v %v", m.result, stackOf(m.err))
		}
	}
	if got := strings.Join(main.Libraries(), " "); got != "app:deep app:deep app:mid" {
		t.Error(got)
	}
	_, err := e.Link(engine.ProgramSpec{ID: "app:x", Source: "", Imports: []engine.Import{{Alias: "m", Program: mid}, {Alias: "deep", Program: mid}}})
	if err == nil || err.Error() != "alias 'deep' collision: app:deep (imported by app:mid) and app:mid" || engine.WrapError(err).Kind() != "Conflict" {
		t.Errorf("%v", err)
	}
	_, err = e.Link(engine.ProgramSpec{ID: "app:x", Source: "", Modules: []string{"tets"}})
	if err == nil || !strings.Contains(err.Error(), `node with ID tets not found (did you mean "test"?)`) {
		t.Errorf("%v", err)
	}
	bad := lib("app:bad", `error("no")`)
	p := lib("app:uses", `return function() end`, engine.Import{Alias: "bad", Program: bad})
	if _, err := tryStart(t, e, p); err == nil || !strings.HasPrefix(err.Error(), "failed to load dependency app:bad: ") {
		t.Errorf("%v", err)
	}
	none := lib("app:none", ``)
	p = lib("app:usesnone", `local ok, e = pcall(require, "none") return function() return e end`, engine.Import{Alias: "none", Program: none})
	if m, err := tryStart(t, e, p); err != nil {
		t.Error(err)
	} else if m.run(); !strings.Contains(m.result.String(), "module 'none' not found") {
		t.Error(m.result)
	}
}

func TestPrint(t *testing.T) {
	var got []string
	e := newEngine(t, engine.WithPrinter(func(p *engine.Process, at, text string) {
		got = append(got, p.PID().String()+" "+at+" "+text)
	}))
	m := start(t, e, "return function()\nprint('a', 1, errors.new('e'), nil, true)\npcall(print, 2)\nend").run()
	if m.err != nil || len(got) != 2 || got[0] != "{host|0x00001} app:test:2 a 1 e nil true" || got[1] != "{host|0x00001} app:test:3 2" {
		t.Errorf("%q %v", got, m.err)
	}
}
