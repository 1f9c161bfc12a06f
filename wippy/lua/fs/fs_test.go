// SPDX-License-Identifier: Apache-2.0

package fs_test

import (
	"errors"
	"io"
	iofs "io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	luafs "github.com/wippyrun/kit/wippy/lua/fs"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/service/fs"
)

// counted counts the files that are open.
type counted struct {
	fs.FS
	open atomic.Int32
}

func (c *counted) OpenFile(name string, flag int, perm iofs.FileMode) (fs.File, error) {
	f, err := c.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	return &countedFile{f, c}, nil
}

type countedFile struct {
	fs.File
	of *counted
}

func (f *countedFile) Close() error {
	err := f.File.Close()
	if err == nil {
		f.of.open.Add(-1)
	}
	return err
}

// bench is a system with the filesystems app:data, a directory, app:locked, the same without the right to write, and
// app:embedded. The module device gives streams.
type bench struct {
	*luatest.System
	path    string
	data    *counted
	streams map[string]any
}

func newBench(t *testing.T, allow access.Check) *bench {
	t.Helper()
	b := &bench{path: filepath.Join(t.TempDir(), "data"), streams: map[string]any{}}
	d, err := fs.NewDirectory(b.path, 0o755, true)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := fs.NewDirectory(b.path, 0o555, false)
	if err != nil {
		t.Fatal(err)
	}
	b.data = &counted{FS: d}
	var service fs.Service
	service.Add("app:data", b.data)
	service.Add("app:locked", locked)
	service.Add("app:embedded", fs.NewEmbedded(fstest.MapFS{"f": {Data: []byte("hello")}}))
	b.System = luatest.New(t, func(s *luatest.System) {
		stream.Register(s.Dispatch)
		s.Register(luafs.Module(&service, allow), engine.Module{Name: "device", Build: func(m *engine.Builder) error {
			class := stream.Define(m)
			m.Func("open", func(L *lua.LState) int {
				L.Push(class.New(engine.From(L), b.streams[L.CheckString(1)], -1))
				return 1
			})
			return nil
		}})
	})
	return b
}

const helpers = `
local fs = require("fs")
local vol = assert(fs.get("app:data"))
local function eq(got, want) if got ~= want then error("got " .. tostring(got) .. ", want " .. tostring(want), 2) end end
local function fails(kind, text, v, err)
	if v ~= nil and v ~= false then error("got " .. tostring(v), 2) end
	if not err then error("no error", 2) end
	if err:kind() ~= kind then error("kind " .. err:kind() .. " of " .. err:message(), 2) end
	if not string.find(err:message(), text, 1, true) then error("no " .. text .. " in " .. err:message(), 2) end
	return err
end
`

func (b *bench) check(t *testing.T, body string) {
	t.Helper()
	b.Check(t, helpers+body)
	if n := b.data.open.Load(); n != 0 {
		t.Errorf("%d files are open", n)
	}
}

// TestFacts are the acceptance facts about files.
func TestFacts(t *testing.T) {
	b := newBench(t, nil)
	for name, body := range map[string]string{
		"37": `fails("NotFound", "filesystem not found: nope", fs.get("nope"))
			fails("Invalid", "invalid mode: must be 'r', 'w', 'wx' or 'a'", vol:open("/x", "rw"))
			fails("NotFound", "no such file", vol:open("/missing", "r"))`,
		"38": `eq(vol:writefile("/f38", "a", "wx"), true)
			local ok, err = vol:writefile("/f38", "a", "wx") eq(ok, false) eq(err:kind(), "NotFound")
			eq(vol:writefile("/f38", "b", "a"), true) eq(vol:readfile("/f38"), "ab")`,
		"39": `vol:writefile("/f39", "hello world")
			local f = assert(vol:open("/f39", "r")) eq(f:read(5), "hello") eq(f:read(100), " world")
			local v, err = f:read(1) eq(v, nil) eq(err:message(), "EOF") eq(err:kind(), "NotFound")`,
		"40": `fails("Invalid", "path traversal not allowed", vol:stat("/../etc"))
			vol:writefile("f", "x") eq(vol:readfile("//f"), "x")
			vol:mkdir("/d") eq(vol:chdir("/d"), true) eq(vol:pwd(), "/d") eq(vol:exists("../f"), true)`,
		"41": `vol:mkdir("/d41") fails("AlreadyExists", "path already exists: /d41", vol:mkdir("/d41"))
			vol:writefile("/d41/f", "x") fails("Invalid", "directory not empty: /d41", vol:remove("/d41"))
			fails("Invalid", "not a directory: /d41/f", vol:readdir("/d41/f"))`,
		"42": `vol:mkdir("/d42") vol:mkdir("/d42/b") vol:writefile("/d42/a", "x")
			local got = {}
			for e in vol:readdir("/d42") do got[#got + 1] = e.name .. ":" .. e.type end
			eq(table.concat(got, " "), "a:file b:directory") eq(fs.type.FILE, "file") eq(fs.type.DIR, "directory")`,
	} {
		t.Run(name, func(t *testing.T) { b.check(t, body) })
	}
}

func TestGet(t *testing.T) {
	b := newBench(t, func(_ *engine.Process, action, resource string, _ map[string]any) bool {
		return action == "fs.get" && resource != "app:locked"
	})
	b.check(t, `
		local err = fails("Invalid", "filesystem name required", fs.get("")) eq(err:retryable(), false)
		err = fails("NotFound", "filesystem not found: ", fs.get("x:y")) eq(err:retryable(), false)
		err = fails("PermissionDenied", "not allowed to access filesystem: app:locked", fs.get("app:locked")) eq(err:retryable(), false)
		for _, bad in ipairs({12, {}, true}) do if type(bad) ~= "number" then eq(pcall(fs.get, bad), false) end end
		eq(pcall(function() fs.type.FILE = 1 end), false)
		eq(fs.seek.SET .. fs.seek.CUR .. fs.seek.END, "setcurend")
		vol:mkdir("d") vol:chdir("d")
		eq(tostring(vol), "fs.FS{cwd=d}") eq(tostring(fs.get("app:data")), "fs.FS{cwd=.}") eq(fs.get("app:data"):pwd(), "/")`)
}

func TestPaths(t *testing.T) {
	b := newBench(t, nil)
	b.check(t, `
		vol:mkdir("/a") vol:mkdir("/a/b") vol:writefile("/a/b/f", "x")
		for from, paths in pairs({["/"] = {"a/b/f", "./a/b/f", "/a/b/f", "////a/b/f", "a/../a/b/f", "a//b///f"}, ["/a/b"] = {"f", "../b/f", "/a/b/f", "../../a/b/f"}}) do
			eq(vol:chdir(from), true)
			for _, p in ipairs(paths) do eq(vol:readfile(p), "x") end
		end
		vol:chdir("/a/b")
		for call, args in pairs({open = {"r"}, readfile = {}, read_file = {}, writefile = {"x"}, write_file = {"x"}, exists = {}, isdir = {}, stat = {}, mkdir = {}, remove = {}, readdir = {}, chdir = {}}) do
			for p, text in pairs({["../../.."] = "path traversal not allowed", ["/.."] = "path traversal not allowed", ["../../../x"] = "path traversal not allowed", ["a\0b"] = "path contains null byte"}) do
				local err = fails("Invalid", text, vol[call](vol, p, unpack(args))) eq(err:message(), text) eq(err:retryable(), nil)
			end
			if call ~= "exists" and call ~= "isdir" then fails("Invalid", "path required", vol[call](vol, "", unpack(args))) end
			eq(pcall(vol[call], vol), false)
			eq(pcall(vol[call], {}, "x"), false)
		end
		eq(vol:exists(""), true) eq(vol:isdir(""), true)
		eq(vol:pwd(), "/a/b") fails("NotFound", "", vol:chdir("nowhere")) fails("Invalid", "not a directory: f", vol:chdir("f")) eq(vol:pwd(), "/a/b")
		eq(vol:chdir(".."), true) eq(vol:pwd(), "/a") eq(vol:chdir("/"), true) eq(vol:pwd(), "/")`)
}

func TestLinksStayInside(t *testing.T) {
	b := newBench(t, nil)
	secret := filepath.Join(filepath.Dir(b.path), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"up": "..", "abs": secret, "rel": "../secret", "dir": "d", "file": "d/f"} {
		if err := errors.Join(os.MkdirAll(b.path, 0o755), os.Symlink(target, filepath.Join(b.path, name))); err != nil {
			t.Fatal(err)
		}
	}
	b.check(t, `
		vol:mkdir("d") vol:writefile("d/f", "in")
		for _, p in ipairs({"up/secret", "abs", "rel"}) do
			fails("NotFound", "", vol:open(p, "r")) fails("NotFound", "", vol:readfile(p)) fails("NotFound", "", vol:writefile(p, "mine"))
			fails("NotFound", "", vol:stat(p)) eq(vol:exists(p), false)
		end
		fails("NotFound", "", vol:readdir("up")) fails("NotFound", "", vol:chdir("up"))
		eq(vol:readfile("file"), "in") eq(vol:readfile("dir/f"), "in")
		local got = {}
		for e in vol:readdir("/") do got[#got + 1] = e.name .. ":" .. e.type end
		eq(table.concat(got, " "), "abs:file d:directory dir:directory file:file rel:file up:file")`)
	if text, err := os.ReadFile(secret); string(text) != "secret" {
		t.Errorf("the file outside: %q, %v", text, err)
	}
}

func TestReadingAndWriting(t *testing.T) {
	b := newBench(t, nil)
	b.streams["in"] = struct{ io.Reader }{strings.NewReader(strings.Repeat("stream ", 20_000))}
	b.streams["out"] = struct{ io.Writer }{io.Discard}
	b.streams["broken"] = io.MultiReader(strings.NewReader("some"), failing{})
	for name, body := range map[string]string{
		"text":                 `eq(vol:writefile("t", "a\0b"), true) eq(vol:readfile("t"), "a\0b") eq(vol:writefile("t", ""), true) eq(vol:readfile("t"), "") eq(#vol:readfile("t"), 0)`,
		"large":                `local text = string.rep("0123456789", 30000) vol:writefile("l", text) eq(vol:readfile("l") == text, true) local f = vol:open("l", "r") eq(f:read(1000000) == text, true) eq(f:read(1e300), nil)`,
		"a file":               `vol:writefile("in", "from a file") local f = vol:open("in", "r") eq(vol:writefile("copy", f), true) eq(vol:readfile("copy"), "from a file") f:seek("set", 5) vol:writefile("copy", f, "a") eq(vol:readfile("copy"), "from a filea file")`,
		"a stream":             `eq(vol:writefile("s", device.open("in")), true) eq(#vol:readfile("s"), 140000)`,
		"a stream that breaks": `fails("Internal", "the device is broken", vol:writefile("b", device.open("broken"))) eq(vol:readfile("b"), "some")`,
		"wrong data": `for _, data in ipairs({12, true, {}, function() end, device.open("out"), vol}) do
				fails("Invalid", "data must be", vol:writefile("w", data)) eq(vol:readfile("w"), "") end
			local closed = device.open("in") closed:close() fails("Invalid", "data must be", vol:writefile("w", closed))
			fails("Invalid", "data argument required", vol:writefile("none", nil)) eq(vol:exists("none"), false)
			for _, mode in ipairs({"r", "rw", ""}) do fails("Invalid", "invalid mode; must be 'w', 'wx' or 'a'", vol:writefile("none", "x", mode)) end eq(vol:exists("none"), false)`,
		"a file for writing": `local f = vol:open("x", "w") fails("Invalid", "data must be", vol:writefile("y", f)) f:close() fails("Invalid", "data must be", vol:writefile("y", f))`,
		"where it cannot": `fails("NotFound", "no such file", vol:writefile("none/x", "y")) vol:mkdir("dir") fails("NotFound", "", vol:writefile("dir", "y"))
			fails("Internal", "directory", vol:readfile("dir")) fails("NotFound", "open none: no such file", vol:readfile("none"))`,
		"yielding where it cannot": `local t = setmetatable({}, {__index = function() return vol:writefile("m", device.open("in")) end})
			local ok, err = pcall(function() return t.x end) eq(ok, false) assert(string.find(tostring(err), "metamethod", 1, true), err)`,
		"stat": `vol:writefile("st", "12345") vol:mkdir("sd")
			local i = vol:stat("st") eq(i.name, "st") eq(i.size, 5) eq(i.is_dir, false) eq(i.type, "file") eq(i.mode % 512, 420) assert(i.modified > 1.5e9 and i.modified % 1 == 0)
			i = vol:stat("sd") eq(i.is_dir, true) eq(i.type, "directory") eq(i.mode >= 2^31, true) eq(i.mode % 512, 493)
			fails("NotFound", "stat none", vol:stat("none"))`,
		"exists": `vol:writefile("e", "") eq(vol:exists("e"), true) eq(vol:exists("none"), false) eq(vol:exists("e/x"), false) eq(vol:isdir("e"), false) eq(vol:isdir("/"), true) fails("NotFound", "", vol:isdir("none"))`,
		"mkdir":  `fails("Internal", "no such file", vol:mkdir("no/such")) eq(vol:mkdir("m1"), true) eq(vol:mkdir("m1/m2"), true) fails("AlreadyExists", "path already exists: m1/m2", vol:mkdir("m1/m2"))`,
		"remove": `vol:writefile("r", "") eq(vol:remove("r"), true) fails("Internal", "remove r: no such file", vol:remove("r")) vol:mkdir("rd") eq(vol:remove("/rd"), true) eq(vol:exists("rd"), false) vol:writefile("kept", "") fails("Invalid", "directory not empty: /", vol:remove("/"))`,
		"modes":  `local f = vol:open("mo", "w") f:write("one") f:close() f = vol:open("mo", "a") f:write("two") f:close() eq(vol:readfile("mo"), "onetwo") fails("NotFound", "exists", vol:open("mo", "wx")) f = vol:open("mo", "w") f:close() eq(vol:readfile("mo"), "")`,
		"closing": `local f = vol:open("cl", "w") eq(tostring(f), "fs.File{}") f:write("x") eq(f:sync(), true) eq(f:close(), true) eq(f:close(), true) eq(tostring(f), "fs.File{closed}")
			for _, call in ipairs({{"read"}, {"write", "x"}, {"seek", "set", 0}, {"stat"}, {"sync"}}) do
				local err = fails("Internal", "", f[call[1]](f, call[2], call[3])) eq(err:message(), "file already closed") eq(err:retryable(), nil)
			end
			fails("Invalid", "file is closed", f:scanner())`,
		"file methods": `local f = vol:open("fm", "w") fails("Invalid", "data required", f:write("")) eq(f:write("0123456789"), true) fails("Internal", "read fm: ", f:read()) f:close()
			f = vol:open("fm", "r") fails("Invalid", "size must be positive", f:read(0)) fails("Invalid", "size must be positive", f:read(-1)) fails("Invalid", "size must be positive", f:read(0/0))
			eq(f:seek("set", 4), 4) eq(f:read(2), "45") eq(f:seek("cur", 1), 7) eq(f:seek("end", -1), 9) eq(f:read(), "9") fails("Internal", "seek fm: ", f:seek("set", -1))
			fails("Invalid", "invalid whence: must be 'set', 'cur', or 'end'", f:seek("top", 0)) eq(pcall(f.seek, f, "set"), false) eq(pcall(f.seek, f), false) eq(pcall(f.write, f), false)
			local i = f:stat() eq(i.size, 10) eq(i.name, "fm") fails("Internal", "write fm: ", f:write("x"))`,
		"scanner": `vol:writefile("sc", "one two\r\nthree\n\nfour")
			local function all(split) local f, got = vol:open("sc", "r"), {} local s = assert(f:scanner(split)) while s:scan() do got[#got + 1] = s:text() end eq(s:err(), nil) eq(s:scan(), false) f:close() return table.concat(got, "|"), #got end
			eq(all(), "one two|three||four") eq(all("lines"), "one two|three||four") eq(all("words"), "one|two|three|four") local _, n = all("bytes") eq(n, 20) _, n = all("runes") eq(n, 20)
			fails("Invalid", "invalid split type: must be 'lines', 'words', 'bytes', or 'runes'", vol:open("sc", "r"):scanner("pages"))
			vol:writefile("long", string.rep("x", 70000)) local s = vol:open("long", "r"):scanner() eq(s:scan(), false) assert(string.find(s:err():message(), "token too long"))
			local f = vol:open("sc", "r") s = f:scanner() f:close() eq(s:scan(), false) eq(s:err():message(), "file already closed")`,
		"left open": `vol:open("lo", "w"):write("x") vol:writefile("lo", "y") vol:open("lo", "r") vol:readdir("/")`,
		"immediate": `vol:writefile("im", "x") local t = setmetatable({}, {__index = function(_, k) return vol:readfile(k) end}) eq(t.im, "x")
			table.sort({1, 2}, function(a, b) eq(vol:exists("im"), true) return a < b end)`,
	} {
		t.Run(name, func(t *testing.T) { b.check(t, body) })
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the device is broken") }

func TestReadOnly(t *testing.T) {
	b := newBench(t, nil)
	for _, id := range []string{"app:locked", "app:embedded"} {
		t.Run(id, func(t *testing.T) {
			b.check(t, `
				vol:writefile("f", "hello")
				local vol = assert(fs.get("`+id+`"))
				eq(vol:readfile("f"), "hello") eq(vol:isdir("/"), true)
				local f = vol:open("f", "r") eq(f:read(2), "he") eq(f:seek("set", 4), 4) eq(f:read(), "o")
				eq(f:close(), true)
				for _, call in ipairs({{"read"}, {"write", "x"}, {"seek", "set", 0}, {"stat"}, {"sync"}}) do
					local err = fails("Internal", "", f[call[1]](f, call[2], call[3])) eq(err:message(), "file already closed")
				end
				for _, mode in ipairs({"w", "wx", "a"}) do fails("NotFound", "permission denied", vol:open("f", mode)) end
				fails("NotFound", "permission denied", vol:writefile("new", "x"))
				fails("Internal", "permission denied", vol:mkdir("d")) fails("Internal", "permission denied", vol:remove("f"))
				for e in vol:readdir("/") do eq(e.name, "f") end`)
		})
	}
}

func TestLargeDirectories(t *testing.T) {
	b := newBench(t, nil)
	if err := os.Mkdir(filepath.Join(b.path, "many"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 2500 {
		name := filepath.Join(b.path, "many", strings.Repeat("x", i%5)+string(rune('a'+i%26))+strings.Repeat("y", i%7)+"-"+string(rune('0'+i/1000))+string(rune('0'+i/100%10))+string(rune('0'+i/10%10))+string(rune('0'+i%10)))
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.check(t, `
		local n, seen = 0, {}
		for e in vol:readdir("many") do eq(seen[e.name], nil) seen[e.name] = true n = n + 1 end
		eq(n, 2500)
		for e in vol:readdir("many") do break end -- it is closed with the process`)
}

// TestOneProcessDoesNotTakeAllFiles opens files until it is refused, and again when one is closed.
func TestOneProcessDoesNotTakeAllFiles(t *testing.T) {
	b := newBench(t, nil)
	b.check(t, `
		vol:writefile("f", "x")
		local open = {}
		while true do
			local f, err = vol:open("f", "r")
			if not f then fails("NotFound", "too many open files", f, err) break end
			open[#open + 1] = f
		end
		eq(#open, 1024)
		eq(open[1]:close(), true) eq(open[1]:close(), true)
		assert(vol:open("f", "r")) fails("NotFound", "too many open files", vol:open("f", "r"))
		eq(vol:readfile("f"), "x") eq(vol:writefile("f", "y"), true)`)
	b.check(t, `assert(vol:open("f", "r"))`)
}

// TestOthersRunWhileAStreamIsWritten takes a stream that nobody feeds before the main coroutine does.
func TestOthersRunWhileAStreamIsWritten(t *testing.T) {
	b := newBench(t, nil)
	r, w := io.Pipe()
	b.streams["r"], b.streams["w"] = r, w
	b.check(t, `
		local done = channel.new(1)
		coroutine.spawn(function() done:send(vol:writefile("p", device.open("r"))) end)
		local w = device.open("w")
		eq(w:write("one "), 4) eq(w:write("two"), 3) eq(w:close(), true)
		eq(done:receive(), true) eq(vol:readfile("p"), "one two")`)
}

// TestEndOfTheProcessEndsAWrite leaves a process while it writes what nobody sends.
func TestEndOfTheProcessEndsAWrite(t *testing.T) {
	b := newBench(t, nil)
	r, w := io.Pipe()
	b.streams["r"] = r
	b.Check(t, helpers+`
		local opened = channel.new(1)
		coroutine.spawn(function() local r = device.open("r") opened:send(true) vol:writefile("p", r) end)
		opened:receive()`)
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("the pipe is still read")
	}
}
