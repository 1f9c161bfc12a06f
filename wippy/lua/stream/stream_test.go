// SPDX-License-Identifier: Apache-2.0

package stream_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// device gives programs the streams that a test makes, by name.
type device map[string]func() (v any, size int64, options []stream.Option)

// holding is a channel that hold closes when it begins.
func (d device) holding() chan struct{} {
	v, _, _ := d["holding"]()
	return v.(chan struct{})
}

// plain makes a stream of v alone.
func plain(v any) func() (any, int64, []stream.Option) {
	return func() (any, int64, []stream.Option) { return v, -1, nil }
}

func system(t *testing.T, d device) *luatest.System {
	t.Helper()
	return luatest.New(t, func(s *luatest.System) {
		stream.Register(s.Dispatch)
		s.Register(engine.Module{Name: "device", Build: func(b *engine.Builder) error {
			class := stream.Define(b)
			b.Func("open", func(L *lua.LState) int {
				v, size, options := d[L.CheckString(1)]()
				L.Push(class.New(engine.From(L), v, size, options...))
				return 1
			})
			// hold reads a stream on the worker, as modules do whose calls do not yield.
			b.Func("hold", func(L *lua.LState) int {
				v, _ := stream.From(L.Get(1))
				close(d.holding())
				_, err := v.Read(make([]byte, 1))
				return engine.PushError(L, err)
			})
			// all reads a stream to its end from Go.
			b.Func("all", func(L *lua.LState) int {
				s, ok := stream.From(L.Get(1))
				if !ok {
					L.ArgError(1, "stream expected")
				}
				return stream.Await(L, func() (any, error) { return io.ReadAll(s) }, nil)
			})
			return nil
		}})
	})
}

const helpers = `
local function eq(got, want) if got ~= want then error("got " .. tostring(got) .. ", want " .. tostring(want), 2) end end
local function fails(part, v, err)
	if v ~= nil and v ~= false and v ~= 0 and v ~= -1 then error("got " .. tostring(v), 2) end
	if not err or err:kind() ~= "Internal" or err:retryable() ~= false then error("no such error: " .. tostring(err), 2) end
	if not string.find(err:message(), part, 1, true) then error("no " .. part .. " in " .. err:message(), 2) end
end
`

func TestReading(t *testing.T) {
	for name, c := range map[string]struct{ text, body string }{
		"at once":                   {"hello", `eq(s:read(), "hello") local v, err = s:read() eq(v, nil) eq(err, nil) eq(s:read(), nil)`},
		"in pieces":                 {"hello", `eq(s:read(2), "he") eq(s:stat().position, 2) eq(s:read(2), "ll") eq(s:read(100), "o") eq(s:read(1), nil)`},
		"a piece has 32 KiB":        {strings.Repeat("x", 100_000), `eq(#s:read(), 32768) eq(#s:read(0), 32768) eq(#s:read(-5), 32768) eq(#s:read(), 100000 - 3 * 32768)`},
		"what there is with a size": {strings.Repeat("x", 100_000), `local n = 0 while true do local text = s:read(100000) if not text then break end n = n + #text end eq(n, 100000)`},
		"nothing":                   {"", `eq(s:read(), nil)`},
		"no number":                 {"x", `eq(s:read(0/0), "x")`},
		"stat":                      {"hello", `local st = s:stat() eq(st.size, -1) eq(st.position, 0) eq(st.readable, true) eq(st.writable, false) eq(st.seekable, false)`},
		"not for writing":           {"x", `fails("not writable", s:write("x")) fails("not writable", s:flush())`},
		"not for seeking":           {"x", `fails("not seekable", s:seek("set", 0)) fails("not seekable", s:seek())`},
		"closed": {"x", `eq(s:close(), true) eq(s:close(), true)
			fails("stream is closed", s:read()) fails("closed", s:write("x")) fails("closed", s:seek()) fails("closed", s:flush())
			fails("closed", s:stat()) fails("closed", s:scanner()) eq(tostring(s), "Stream{closed}")`},
		"text":             {"x", `eq(tostring(s), "Stream{}")`},
		"of Go":            {strings.Repeat("x", 100_000), `s:read(10) eq(#device.all(s), 99990)`},
		"words that raise": {"x", `for _, call in ipairs({"seek", "scanner"}) do local ok, err = pcall(s[call], s, "nowhere") eq(ok, false) assert(string.find(tostring(err), "invalid", 1, true), err) end`},
		"a foreign value":  {"x", `local ok, err = pcall(s.read, {}) eq(ok, false) assert(string.find(tostring(err), "stream expected", 1, true), err)`},
		"not across":       {"x", `eq(require("device").all ~= nil, true) local ch = channel.new(1) ch:send(s) eq(ch:receive(), s)`},
	} {
		t.Run(name, func(t *testing.T) {
			s := system(t, device{"s": plain(struct{ io.Reader }{strings.NewReader(c.text)})})
			s.Check(t, helpers+`local s = device.open("s") `+c.body)
		})
	}
}

func TestFilesSeekAndAreWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s := system(t, device{"s": plain(file)})
	s.Check(t, helpers+`
		local s = device.open("s")
		eq(s:write("hello "), 6) eq(s:write("world"), 5) eq(s:write(""), 0)
		local st = s:stat() eq(st.size, 11) eq(st.position, 11) eq(st.readable, true) eq(st.writable, true) eq(st.seekable, true)
		eq(s:seek("set", 6), 6) eq(s:read(100), "world") eq(s:seek("cur", -5), 6) eq(s:seek("end", -1), 10) eq(s:read(), "d") eq(s:read(), nil)
		eq(s:seek(), 0) eq(s:read(5), "hello") eq(s:flush(), true)
		fails("", s:seek("set", -1))
		eq(#string.rep("x", 300000), s:write(string.rep("x", 300000)))
		eq(s:seek("set", 5), 5) eq(#s:read(1000000), 300000)
		eq(s:close(), true)`)
	if err := file.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file is open: %v", err)
	}
}

func TestScanner(t *testing.T) {
	long := strings.Repeat("y", 70_000)
	for name, c := range map[string]struct{ text, split, want string }{
		"lines":           {"a\r\nb\n\nc", `"lines"`, "[a][b][][c]"},
		"default":         {"a\nb\n", "", "[a][b]"},
		"words":           {"  a bc\n d  ", `"words"`, "[a][bc][d]"},
		"only blanks":     {"   ", `"words"`, ""},
		"bytes":           {"aé", `"bytes"`, "[a][\xc3][\xa9]"},
		"runes":           {"aé\xff", `"runes"`, "[a][é][\uFFFD]"},
		"nothing":         {"", "", ""},
		"a blank line":    {"\n", "", "[]"},
		"a long line":     {long[:65_000] + "\nb", "", "[" + long[:65_000] + "][b]"},
		"many lines":      {strings.Repeat("line\n", 10_000), "", strings.Repeat("[line]", 10_000)},
		"a line too long": {"a\n" + long, "", "[a]bufio.Scanner: token too long"},
	} {
		t.Run(name, func(t *testing.T) {
			s := system(t, device{"s": plain(struct{ io.Reader }{strings.NewReader(c.text)})})
			got, err := s.Run(helpers + `
				local sc, err = device.open("s"):scanner(` + c.split + `)
				eq(err, nil) eq(sc:text(), "") eq(sc:err(), nil)
				local out, ok = {}
				while true do
					ok, err = sc:scan()
					if not ok then break end
					eq(err, nil)
					out[#out + 1] = "[" .. sc:text() .. "]"
				end
				eq(sc:text(), "")
				if err then fails(sc:err(), ok, err) out[#out + 1] = err:message() else eq(sc:err(), nil) end
				eq(sc:scan(), false)
				return table.concat(out)`)
			if err != nil || got != c.want {
				t.Errorf("got %.100q, %v, want %.100q", got, err, c.want)
			}
		})
	}
}

func TestScannerHearsOfErrors(t *testing.T) {
	s := system(t, device{"s": plain(io.MultiReader(strings.NewReader("a\nb\nc"), failing{}))})
	s.Check(t, helpers+`
		local s = device.open("s")
		local sc = s:scanner()
		eq(sc:scan(), true) eq(sc:scan(), true)
		fails("the device is broken", sc:scan()) eq(sc:err(), "the device is broken")
		fails("the device is broken", sc:scan())
		sc = s:scanner() s:close() fails("stream is closed", sc:scan())`)
}

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errors.New("the device is broken") }
func (failing) Write([]byte) (int, error) { return 0, errors.New("the device is broken") }
func (failing) Close() error              { return errors.New("the device does not close") }

type panicking struct{}

func (panicking) Read([]byte) (int, error)  { panic("read") }
func (panicking) Write([]byte) (int, error) { panic("write") }
func (panicking) Close() error              { panic("close") }

type idle struct{}

func (idle) Read([]byte) (int, error)  { return 0, nil }
func (idle) Write([]byte) (int, error) { return 0, nil }

func TestFailuresAreErrors(t *testing.T) {
	s := system(t, device{"failing": plain(failing{}), "panicking": plain(panicking{}), "idle": plain(idle{}), "nothing": plain(12)})
	s.Check(t, helpers+`
		local s = device.open("failing")
		fails("the device is broken", s:read()) fails("the device is broken", s:write("x")) fails("the device does not close", s:close()) eq(s:close(), true)
		s = device.open("panicking")
		fails("panic in a stream: read", s:read()) fails("panic in a stream: write", s:write("x")) fails("panic in a stream: close", s:close())
		s = device.open("idle")
		fails("no data", s:read()) fails("short write", s:write("x")) fails("no data", s:scanner():scan())
		s = device.open("nothing")
		fails("not readable", s:read()) fails("not readable", s:scanner()) eq(s:close(), true)`)
}

// TestOthersRunWhileAReadWaits reads a pipe in one coroutine and writes it in another.
func TestOthersRunWhileAReadWaits(t *testing.T) {
	r, w := io.Pipe()
	s := system(t, device{"r": plain(r), "w": plain(w)})
	s.Check(t, helpers+`
		local r, w = device.open("r"), device.open("w")
		local got = channel.new(10)
		coroutine.spawn(function()
			while true do
				local text, err = r:read()
				assert(not err, err)
				got:send(text or "end")
				if not text then return end
			end
		end)
		eq(w:write("one"), 3) eq(got:receive(), "one")
		eq(w:write("two"), 3) eq(got:receive(), "two")
		eq(w:close(), true) eq(got:receive(), "end")`)
}

// TestOperationsKeepTheirOrder asks for many reads at once.
func TestOperationsKeepTheirOrder(t *testing.T) {
	s := system(t, device{"s": plain(strings.NewReader(strings.Repeat("0123456789", 50)))})
	s.Check(t, helpers+`
		local s = device.open("s")
		local got = channel.new(500)
		for i = 1, 500 do
			coroutine.spawn(function() got:send({i, s:read(1)}) end)
		end
		for i = 1, 500 do
			local r = got:receive()
			eq(r[2], tostring((r[1] - 1) % 10))
		end`)
}

// TestClosingEndsAReadThatWaits covers what can be interrupted: the ends of a pipe, files with a deadline, and values
// whose module says how.
func TestClosingEndsAReadThatWaits(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (any, []stream.Option){
		"pipe": func(*testing.T) (any, []stream.Option) { r, _ := io.Pipe(); return r, nil },
		"file": func(t *testing.T) (any, []stream.Option) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { w.Close() })
			return r, nil
		},
		"option": func(*testing.T) (any, []stream.Option) {
			b := &blocked{gone: make(chan struct{})}
			return b, []stream.Option{stream.Interrupt(func() { close(b.gone) })}
		},
	} {
		for end, body := range map[string]string{
			"by hand": `
				local done, reading = channel.new(1), channel.new(1)
				coroutine.spawn(function() reading:send(true) done:send({s:read()}) end)
				reading:receive()
				eq(s:close(), true)
				local r = done:receive()
				fails("stream is closed", r[1], r[2])`,
			"with the process": `coroutine.spawn(function() s:read() end)`,
		} {
			t.Run(name+" "+end, func(t *testing.T) {
				v, options := open(t)
				s := system(t, device{"s": func() (any, int64, []stream.Option) { return v, -1, options }})
				s.Check(t, helpers+`local s = device.open("s") `+body)
			})
		}
	}
}

type blocked struct{ gone chan struct{} }

func (b *blocked) Read([]byte) (int, error) { <-b.gone; return 0, errors.New("interrupted") }

// closing counts how often it is closed, and notices a close during a read.
type closing struct {
	bytes.Buffer
	closed chan struct{}
	times  atomic.Int32
}

func (c *closing) Close() error {
	if c.times.Add(1) == 1 {
		close(c.closed)
	}
	return nil
}

func TestTheEndOfTheProcessClosesOnce(t *testing.T) {
	for name, body := range map[string]string{
		"left open": `device.open("s"):write("x")`,
		"failed":    `device.open("s"):write("x") error("so")`,
		"closed":    `local s = device.open("s") s:write("x") s:close() s:close()`,
		"where it cannot wait": `local s = device.open("s") local t = setmetatable({}, {__index = function() s:close() end})
			local ok, err = pcall(function() return t.x end) assert(not ok and string.find(tostring(err), "metamethod", 1, true), err)`,
		"unused": `device.open("s")`,
	} {
		t.Run(name, func(t *testing.T) {
			c := &closing{closed: make(chan struct{})}
			s := system(t, device{"s": plain(c)})
			_, err := s.Run(body)
			if failed := err != nil; failed != (name == "failed") {
				t.Error(err)
			}
			<-c.closed
			if n := c.times.Load(); n != 1 {
				t.Errorf("closed %d times", n)
			}
		})
	}
}

// TestTerminatingEndsAReadOnTheWorker reads what nobody sends in a call that does not yield.
func TestTerminatingEndsAReadOnTheWorker(t *testing.T) {
	r, w := io.Pipe()
	holding := make(chan struct{})
	s := system(t, device{"r": plain(r), "holding": plain(holding)})
	s.Define("app:holds", `return { main = function() device.hold(device.open("r")) end }`)
	ended := make(chan error, 1)
	pid, err := s.Processes.ExecAsync(t.Context(), processes.Spawn{Host: luatest.Host, Source: "app:holds"}, func(r topology.Result) { ended <- r.Err })
	if err != nil {
		t.Fatal(err)
	}
	<-holding
	if err := s.Processes.Terminate(pid); err != nil {
		t.Fatal(err)
	}
	<-ended
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("the pipe is still read")
	}
}
