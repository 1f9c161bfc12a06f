// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"fmt"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/payload"
	relay "github.com/wippyrun/kit/relay/payload"
)

// test shows the data of a payload as it is.
var test = engine.Module{Name: "test", Build: func(b *engine.Builder) error {
	b.Func("raw", func(L *lua.LState) int {
		p, _ := engine.AsPayload(L.Get(1))
		text, _ := p.Text()
		L.Push(lua.LString(text))
		return 1
	})
	return nil
}}

func newBench(tb testing.TB) *moduletest.Bench {
	b := moduletest.New(tb, test)
	payload.Register(b.Engine)
	return b
}

// Acceptance fact 23.
func TestFact23FormatsOfPayloads(t *testing.T) {
	newBench(t).Check(t, `
		assert(payload.new({a = 1}):get_format() == "lua/any")
		assert(payload.new(errors.new("x")):get_format() == "golang/error")
		assert(tostring(payload.new(1)) == "payload{format=lua/any}")`)
}

// Acceptance fact 24.
func TestFact24Transcode(t *testing.T) {
	newBench(t).Check(t, `
		assert(payload.new({a = 1}):transcode(payload.format.JSON):data().a == 1)
		local p, err = payload.new({a = 1}):transcode("no/such")
		assert(p == nil and err:kind() == "Internal" and err:retryable() == false)
		assert(err:message() == "no transcoding path found")
		assert(err:details().from == "lua/any" and err:details().to == "no/such")`)
}

// Acceptance fact 25: what is in a table that is sent.
func TestFact25UserdataInASentTableArrivesAsNil(t *testing.T) {
	table := engine.NewObject(3)
	table.RawSetString("pid", &lua.LUserData{Value: 12})
	table.RawSetString("payload", engine.NewPayload(relay.New(1)))
	table.RawSetString("error", engine.ErrorValue(engine.NewError(engine.KindInvalid, "bad")))
	table.RawSetString("x", lua.LNumber(1))
	arrived := engine.Copy(table).(*lua.LTable)
	if arrived.RawGetString("pid") != lua.LNil || arrived.RawGetString("payload") != lua.LNil || arrived.RawGetString("x") != lua.LNumber(1) {
		t.Errorf("pid %v, payload %v, x %v", arrived.RawGetString("pid"), arrived.RawGetString("payload"), arrived.RawGetString("x"))
	}
	if err, ok := engine.AsError(arrived.RawGetString("error")); !ok || err.Error() != "bad" {
		t.Errorf("error %v", arrived.RawGetString("error"))
	}
}

func TestPayloads(t *testing.T) {
	b := newBench(t)
	for name, body := range map[string]string{
		"the value is not copied":    `local t = {} assert(payload.new(t):data() == t and payload.new(t):unmarshal() == t)`,
		"the same format":            `local t = {} assert(payload.new(t):transcode(payload.format.LUA):data() == t)`,
		"nil":                        `assert(payload.new():get_format() == "lua/any" and payload.new(nil):data() == nil)`,
		"require gives the global":   `assert(require("payload") == payload)`,
		"json tells {} from []":      `local v = payload.new({a = {}, b = {}}):transcode(payload.format.JSON):data() v.b.x = 1 v.b.x = nil assert(text(v, "JSON") == '{"a":[],"b":{}}')`,
		"json writes integers":       `assert(text({n = 100.0}, "JSON") == '{"n":100}')`,
		"json to lua and back":       `local p = payload.new({list = {1, 2}, s = "x"}):transcode(payload.format.JSON) assert(p:get_format() == "json/plain" and p:data().list[2] == 2 and p:data() ~= p:data())`,
		"json to string is no json":  `local p = payload.new({a = 1}):transcode(payload.format.JSON):transcode(payload.format.STRING) assert(p:data() ~= '{"a":1}')`,
		"a json string to string":    `assert(payload.new("x"):transcode(payload.format.JSON):transcode(payload.format.STRING):data() == "x")`,
		"msgpack":                    `local p = payload.new({a = {1, 2.5, "x"}, b = true}):transcode(payload.format.MSGPACK) local v = p:data() assert(v.a[1] == 1 and v.a[2] == 2.5 and v.a[3] == "x" and v.b == true)`,
		"msgpack drops names":        `local v = payload.new({1, 2, x = 3}):transcode(payload.format.MSGPACK):data() assert(#v == 2 and v.x == nil)`,
		"yaml writes integers":       `assert(text({port = 8080, big = 1000000, f = 0.5}, "YAML") == "big: 1000000\nf: 0.5\nport: 8080\n")`,
		"msgpack writes integers":    `assert(text(5, "MSGPACK") == "\5" and text({1}, "MSGPACK") == "\145\1")`,
		"yaml":                       `local p = payload.new({port = 8080, big = 1000000}):transcode(payload.format.YAML) assert(p:data().port == 8080 and p:data().big == 1000000)`,
		"yaml drops names":           `local v = payload.new({1, x = 3}):transcode(payload.format.YAML):data() assert(v[1] == 1 and v.x == nil)`,
		"golang":                     `local v = payload.new({a = {1, 2}, f = 1.5}):transcode(payload.format.GOLANG):data() assert(v.a[2] == 2 and v.f == 1.5)`,
		"an empty table is a map":    `assert(text(payload.new({}):transcode(payload.format.GOLANG):transcode(payload.format.LUA):data(), "JSON") == "{}")`,
		"text of a number":           `assert(payload.new(42):transcode(payload.format.STRING):data() == "42" and payload.new(42.5):transcode(payload.format.STRING):data() == "42.5")`,
		"text of a string":           `assert(payload.new("x\0y"):transcode(payload.format.STRING):data() == "x\0y")`,
		"text of a truth value":      `assert(payload.new(true):transcode(payload.format.STRING):data() == "true")`,
		"text of nil":                `assert(payload.new(nil):transcode(payload.format.BYTES):data() == "")`,
		"bytes":                      `assert(payload.new("\255\0"):transcode(payload.format.BYTES):data() == "\255\0")`,
		"large integers keep digits": `assert(payload.new("9007199254740993"):transcode(payload.format.STRING):transcode(payload.format.JSON):data() == "9007199254740993")`,
	} {
		t.Run(name, func(t *testing.T) {
			b.Check(t, `local function text(v, format) return test.raw(payload.new(v):transcode(payload.format[format])) end `+body)
		})
	}
}

func TestFailures(t *testing.T) {
	newBench(t).CheckFailures(t, []moduletest.Failure{
		{Call: `payload.new({1, a = 2}):transcode(payload.format.JSON)`, Kind: "Internal", Text: "error transcoding payload"},
		{Call: `payload.new(errors.new("x")):data()`, Kind: "Internal", Text: "no transcoding path found"},
		{Call: `payload.new(errors.new("x")):transcode(payload.format.JSON)`, Kind: "Internal", Text: "no transcoding path found"},
		{Name: "a cycle to msgpack", Call: `(function() local t = {} t.t = t return payload.new(t):transcode(payload.format.MSGPACK) end)()`, Kind: "Internal", Text: "error transcoding payload"},
		{Name: "a cycle to json", Call: `(function() local t = {} t.t = t return payload.new(t):transcode(payload.format.JSON) end)()`, Kind: "Internal", Text: "error transcoding payload"},
		{Name: "too many holes", Call: `payload.new({[1e9] = 1}):transcode(payload.format.GOLANG)`, Kind: "Internal", Text: "error transcoding payload"},
	})
}

func TestTheCauseIsInTheDetails(t *testing.T) {
	newBench(t).Check(t, `
		local p, err = payload.new({1, a = 2}):transcode(payload.format.JSON)
		assert(string.find(err:details().cause, "mixed-key", 1, true), err:details().cause)`)
}

// TestJSONPayloadsOfTheHost checks what comes in as JSON text.
func TestJSONPayloadsOfTheHost(t *testing.T) {
	e := engine.New()
	payload.Register(e)
	for _, c := range []struct {
		data any
		want string
	}{
		{`{"a":[1,null,3]} rest`, `a=3`},
		{[]byte(`{"a":[]}`), "a=0"},
	} {
		v, err := e.FromPayload(relay.Payload{Format: relay.JSON, Data: c.data})
		if err != nil {
			t.Fatal(err)
		}
		list := v.(*lua.LTable).RawGetString("a").(*lua.LTable)
		if got := fmt.Sprintf("a=%d", list.Len()); got != c.want {
			t.Errorf("%s: %s", c.data, got)
		}
	}
	for _, bad := range []any{"", `{"a":1,"a":2}`, 12} {
		if v, err := e.FromPayload(relay.Payload{Format: relay.JSON, Data: bad}); err == nil {
			t.Errorf("%v: %v", bad, v)
		}
	}
}
