// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"io"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/archive"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// Acceptance fact 20.
func TestFact20ZipRoundTripAndUnsafeNames(t *testing.T) {
	b, _ := newBench(t)
	b.Check(t, helpers+`
		local fs = device.fs()
		local w = assert(archive.create(fs, "out.zip"))
		assert(w:add("a.txt", "hello") == true and w:add("../x", "evil") == true and w:close() == true)
		local r = assert(archive.open(fs, "out.zip"))
		eq(r:read("a.txt"), "hello")
		local v, err = r:read("missing")
		assert(v == nil and err:kind() == "NotFound" and err:message() == "entry not found: missing")
		device.clear()
		eq(r:extract_all(fs), 1)
		eq(device.list(), "a.txt=hello")
		v, err = r:extract("../x", fs)
		assert(v == nil and err:kind() == "Invalid" and err:message() == "unsafe entry path: ../x", tostring(err))
		eq(device.list(), "a.txt=hello")`)
}

// Acceptance fact 21.
func TestFact21NoRandomAccessAndInlineLimit(t *testing.T) {
	b, _ := newBench(t)
	b.Check(t, helpers+`
		local r, err = archive.open(make("tar.gz", {{"a", "x"}}))
		assert(r == nil and err:kind() == "Unavailable" and string.find(err:message(), "archive.scan", 1, true), tostring(err))
		r = assert(archive.open(make("zip", {{"a", string.rep("x", 100)}}), {max_inline_bytes = 99}))
		local v, err = r:read("a")
		assert(v == nil and err:kind() == "Invalid" and err:message() == "entry too large for read(); use stream() or extract()")
		eq(all(assert(r:stream("a"))), string.rep("x", 100))`)
}

func TestFormats(t *testing.T) {
	b, _ := newBench(t)
	b.Check(t, helpers+`
		local f = archive.formats()
		table.sort(f)
		eq(table.concat(f, " "), "tar tar.gz tar.zst zip")
		-- Every format, and every way to give it, found by its first bytes.
		local long = string.rep("0123456789", 20000)
		for _, format in ipairs(f) do
			local text = make(format, {{"d"}, {"d/a.txt", "hello", {mode = 384, modified = 1700000000}}, {"empty", ""}, {"long", long, {size = #long}}})
			for _, source in ipairs({text, device.file(text), device.stream(text)}) do
				local s = assert(archive.scan(source))
				local got = {}
				for e, entry in s:walk() do
					got[#got + 1] = e.name .. ":" .. e.type .. ":" .. (entry and #all(entry) or "none")
				end
				eq(table.concat(got, " "), "d/:directory:none d/a.txt:file:5 empty:file:0 long:file:200000")
				assert(s:close() == true and s:close() == true)
			end
		end`)
}

func TestReader(t *testing.T) {
	b, m := newBench(t)
	for _, format := range []string{"zip", "tar"} {
		for name, body := range map[string]string{
			"entries": `eq(names(r), "d/ d/a.txt b.txt b.txt")`,
			"the entry of a file": `local e = r:stat("d/a.txt")
				eq(e.name, "d/a.txt") eq(e.size, 5) eq(e.is_dir, false) eq(e.type, "file") eq(e.modified, 1700000000) eq(e.mode % 512, 384)
				assert(e.method == (format == "zip" and "deflate" or "store") and e.compressed_size > 0)
				if format == "zip" then eq(e.crc32, 907060870) end`,
			"the entry of a directory": `local e = r:stat("d/") eq(e.is_dir, true) eq(e.type, "directory") eq(e.mode % 512, 493)`,
			"reading":                  `eq(r:read("d/a.txt"), "hello") local v, err = r:read("d/") assert(v == nil and err:kind() == "Invalid")`,
			"the first of a name":      `eq(r:read("b.txt"), "first")`,
			"streams":                  `local s = r:stream("d/a.txt") eq(s:read(2), "he") eq(s:read(2), "ll") eq(s:stat().position, 4) eq(s:read(), "o") eq(s:read(), nil) assert(s:close())`,
			"two streams":              `local x, y = r:stream("d/a.txt"), r:stream("d/a.txt") eq(x:read(1), "h") eq(y:read(3), "hel") eq(x:read(), "ello") eq(y:read(), "lo")`,
			"a closed stream":          `local s = r:stream("d/a.txt") assert(s:close() and s:close()) local v, err = s:read() assert(v == nil and err:kind() == "Internal")`,
			"extract":                  `assert(r:extract("d/a.txt", fs) == true and r:extract("d/a.txt", fs, "/x/y") == true and r:extract("d/", fs, "z")) eq(device.list(), "d/ d/a.txt=hello x/ x/y=hello z/")`,
			"extract all":              `eq(r:extract_all(fs), 3) eq(device.list(), "b.txt=second d/ d/a.txt=hello")`,
			"extract with a prefix":    `eq(r:extract_all(fs, {prefix = "p/q/"}), 3) eq(device.list(), "p/ p/q/ p/q/b.txt=second p/q/d/ p/q/d/a.txt=hello")`,
			"extract stripped":         `eq(r:extract_all(fs, {strip = 1}), 1) eq(device.list(), "a.txt=hello")`,
			"extract filtered":         `eq(r:extract_all(fs, {filter = function(e) return e.size == 5 and e.name ~= "b.txt" end}), 1) eq(device.list(), "d/ d/a.txt=hello")`,
			"a filter that fails":      `eq(r:extract_all(fs, {filter = function(e) error("no") end}), 0) eq(device.list(), "")`,
			"a filter that waits":      `eq(r:extract_all(fs, {filter = function(e) channel.new():receive() return true end}), 0) eq(device.list(), "")`,
			"a filter that closes": `local n, err = r:extract_all(fs, {filter = function(e) r:close() return false end})
				assert(n == nil and err:message() == "archive is closed", tostring(err))`,
			"an unsafe prefix": `local n, err = r:extract_all(fs, {prefix = "../x"}) assert(n == nil and err:kind() == "Invalid")`,
			"closed": `assert(r:close() == true and r:close() == true)
				for _, call in ipairs({"entries", "stat", "read", "stream", "extract", "extract_all"}) do
					local v, err = r[call](r, "d/a.txt", fs)
					assert(v == nil and err:kind() == "Internal" and err:message() == "archive is closed", call)
				end`,
			"text": `eq(tostring(r), "archive.Reader{}")`,
		} {
			t.Run(format+" "+name, func(t *testing.T) {
				for source, open := range map[string]string{
					"string": `archive.open(text)`, "file": `archive.open(device.file(text))`, "seeker": `archive.open(device.seeker(text))`,
					"fs": `(function() device.put("in", text) local r, err = archive.open(fs, "in") return r, err end)()`,
				} {
					b.Check(t, helpers+`
						local format = "`+format+`" -- `+source+`
						local text = make(format, {{"d/"}, {"d/a.txt", "hello", {mode = 384, modified = 1700000000}}, {"b.txt", "first"}, {"b.txt", "second"}})
						local fs = device.fs()
						local r = assert(`+open+`)
						device.clear()
						`+body)
					if m.open != 0 {
						t.Errorf("%s: %d files open", source, m.open)
					}
				}
			})
		}
	}
}

func TestWalker(t *testing.T) {
	b, m := newBench(t)
	for _, format := range []string{"zip", "tar", "tar.gz", "tar.zst"} {
		for name, body := range map[string]string{
			"entries need not be read": `local n = 0 for e in s:walk() do n = n + 1 end eq(n, 4)`,
			"half of an entry":         `for e, entry in s:walk() do if entry then eq(#entry:read(3), 3) end end`,
			"an entry that is gone": `local before
				for e, entry in s:walk() do
					if before then
						local v, err = before:read()
						assert(v == nil and err:kind() == "Internal" and string.find(err:message(), "moved on", 1, true), tostring(err))
					end
					before = entry or before
				end
				local v, err = before:read()
				assert(v == nil and err:kind() == "Internal")`,
			"a closed walker": `local keep
				for e, entry in s:walk() do keep = keep or entry end
				s:close()
				local v, err = keep:read() assert(v == nil and err:message() == "archive is closed")
				v, err = s:walk() assert(v == nil and err:message() == "archive is closed")
				v, err = s:extract_all(fs) assert(v == nil and err:message() == "archive is closed")`,
			"extract all":       `eq(s:extract_all(fs), 3) eq(device.list(), "b.txt=second d/ d/a.txt=hello") eq(s:extract_all(fs), 0)`,
			"extract the rest":  `for e in s:walk() do if e.name == "d/a.txt" then break end end eq(s:extract_all(fs, {prefix = "p"}), 2) eq(device.list(), "p/ p/b.txt=second")`,
			"two walks are one": `for e in s:walk() do break end local n = 0 for e in s:walk() do n = n + 1 end eq(n, 3)`,
			"text":              `eq(tostring(s), "archive.Walker{}")`,
			"a stream of a walk": `local got = {}
				for e, entry in s:walk() do
					if entry then
						local out = device.buffer()
						local w = archive.create(out, {format = "zip"})
						assert(w:add(e.name, entry) and w:close())
						got[#got + 1] = archive.open(device.text(out)):read(e.name)
					end
				end
				eq(table.concat(got, " "), "hello first second")`,
		} {
			t.Run(format+" "+name, func(t *testing.T) {
				b.Check(t, helpers+`
					local text = make("`+format+`", {{"d/"}, {"d/a.txt", "hello"}, {"b.txt", "first"}, {"b.txt", "second"}})
					local fs = device.fs()
					device.clear()
					local s = assert(archive.scan(device.stream(text)))
					`+body)
				if m.open != 0 {
					t.Errorf("%d files open", m.open)
				}
			})
		}
	}
}

func TestWriter(t *testing.T) {
	b, m := newBench(t)
	for name, body := range map[string]string{
		"the format of the name":   `for _, name in ipairs({"a.zip", "a.tar", "a.tar.gz", "a.TGZ", "a.tar.zst"}) do local w = assert(archive.create(fs, name)) assert(w:add("x", "1") and w:close()) end eq(string.sub(device.get("a.TGZ"), 1, 2), "\31\139")`,
		"the format of the option": `local w = assert(archive.create(fs, "a.zip", {format = "tar"})) w:add("x", "1") w:close() eq(archive.open(fs, "a.zip", {format = "tar"}):read("x"), "1")`,
		"stored":                   `local r = archive.open(make("zip", {{"a", "aaaaaaaaaaaaaaaaaaaaaaaaa", {method = "store"}}})) eq(r:stat("a").method, "store") eq(r:stat("a").compressed_size, 25)`,
		"data of files":            `eq(archive.open(make("tar", {{"a", device.file("hello")}})):read("a"), "hello")`,
		"a stream with its size":   `eq(archive.open(make("tar", {{"a", device.stream("hello"), {size = 5}}})):read("a"), "hello")`,
		"a stream in a zip":        `eq(archive.open(make("zip", {{"a", device.stream("hello")}})):read("a"), "hello")`,
		"a file of a file system": `device.put("in.txt", "hello") local w = archive.create(fs, "a.tar") assert(w:add_file("x", fs, "in.txt") == true and w:add_file("y", fs, "in.txt", {mode = 420}) == true) w:close()
			local r = archive.open(fs, "a.tar") eq(r:read("x"), "hello") eq(r:stat("x").mode % 512, 384) eq(r:stat("y").mode % 512, 420) r:close()`,
		"a directory":          `local w = archive.create(fs, "a.zip") assert(w:add_dir("d") == true) w:close() local r = archive.open(fs, "a.zip") eq(r:stat("d/").is_dir, true) eq(r:stat("d/").mode % 512, 493) r:close()`,
		"defaults":             `local r = archive.open(make("tar", {{"a", "x"}})) eq(r:stat("a").mode % 512, 420) assert(r:stat("a").modified > 1700000000)`,
		"long names":           `local long = string.rep("dir/", 100) .. "ä" eq(names(archive.open(make("tar", {{long, "x"}}))), long)`,
		"closing twice":        `local w = archive.create(fs, "a.zip") assert(w:close() == true and w:close() == true) local v, err = w:add("a", "b") assert(v == nil and err:message() == "archive is closed")`,
		"the end of a process": `local w = archive.create(fs, "left.zip") w:add("a", "b")`,
		"text":                 `eq(tostring(archive.create(fs, "a.zip")), "archive.Writer{}")`,
		"an empty archive":     `eq(names(archive.open(make("zip", {}))), "") eq(names(archive.open(make("tar", {}), {format = "tar"})), "")`,
	} {
		t.Run(name, func(t *testing.T) {
			b.Check(t, helpers+`device.clear() local fs = device.fs() `+body)
			if m.open != 0 {
				t.Errorf("%d files open", m.open)
			}
		})
	}
	b.Check(t, helpers+`device.clear() local w = archive.create(device.fs(), "left.zip") w:add("a", "b")`)
	b.Check(t, helpers+`eq(archive.open(device.fs(), "left.zip"):read("a"), "b")`)
}

func TestFailures(t *testing.T) {
	b, _ := newBench(t)
	zip := `make("zip", {{"a", "hello"}})`
	var failures []moduletest.Failure
	for _, f := range []moduletest.Failure{
		{Call: `archive.open("no archive")`, Kind: "Invalid", Text: "unknown archive format (set opts.format)"},
		{Call: `archive.open("")`, Kind: "Invalid", Text: "unknown archive format"},
		{Call: `archive.open(12)`, Kind: "Invalid", Text: "archive source must be"},
		{Call: `archive.open(` + zip + `, {format = "rar"})`, Kind: "Invalid", Text: "unknown archive format: rar"},
		{Call: `archive.open(` + zip + `, {format = "tar"})`, Kind: "Invalid", Text: "unexpected EOF"},
		{Call: `archive.open("PK\3\4 no archive")`, Kind: "Invalid", Text: "zip"},
		{Call: `archive.open(device.stream("x"))`, Kind: "Unavailable", Text: "not seekable"},
		{Call: `archive.open(device.plain(), "f")`, Kind: "NotFound", Text: "f"},
		{Call: `(function() device.put("f", "x") return archive.open(device.plain(), "f") end)()`, Kind: "Unavailable", Text: "not seekable"},
		{Call: `archive.open(device.fs(), "none.zip")`, Kind: "NotFound", Text: "none.zip"},
		{Call: `archive.open(device.broken())`, Kind: "Internal", Text: "the disk is broken"},
		{Call: `archive.scan(12)`, Kind: "Invalid", Text: "archive source must be"},
		{Call: `archive.scan("no archive")`, Kind: "Invalid", Text: "unknown archive format"},
		{Call: `archive.scan(device.broken())`, Kind: "Internal", Text: "the disk is broken"},
		{Call: `archive.scan("\31\139 no archive")`, Kind: "Invalid", Text: "gzip"},
		{Call: `archive.scan(` + zip + `):extract_all(12)`, Kind: "Invalid", Text: "destination must be a file system"},
		{Call: `archive.open(` + zip + `):extract_all(device.read_only())`, Kind: "PermissionDenied", Text: "permission denied"},
		{Call: `archive.open(` + zip + `):extract("a", "b")`, Kind: "Invalid", Text: "destination must be a file system"},
		{Call: `archive.open(` + zip + `):extract("none", device.fs())`, Kind: "NotFound", Text: "entry not found: none"},
		{Call: `archive.open(` + zip + `):extract("a", device.fs(), "../b")`, Kind: "Invalid", Text: "unsafe entry path: ../b"},
		{Call: `archive.open(` + zip + `):stream("none")`, Kind: "NotFound", Text: "entry not found: none"},
		{Call: `archive.open(` + zip + `):stat("none")`, Kind: "NotFound", Text: "entry not found: none"},
		{Call: `archive.create(device.buffer())`, Kind: "Invalid", Text: "unknown archive format (set opts.format)"},
		{Call: `archive.create(device.fs(), "x.rar")`, Kind: "Invalid", Text: "unknown archive format"},
		{Call: `archive.create(12, {format = "zip"})`, Kind: "Invalid", Text: "archive destination must be"},
		{Call: `archive.create(device.stream("x"), {format = "zip"})`, Kind: "Invalid", Text: "destination stream is not writable"},
		{Call: `archive.create(device.deaf(), {format = "zip"})`, Kind: "Invalid", Text: "destination stream is not writable"},
		{Call: `archive.create(device.read_only(), "x.zip")`, Kind: "PermissionDenied", Text: "permission denied"},
		{Call: `archive.create(device.buffer(), {format = "zip"}):add("a", {})`, Kind: "Invalid", Text: "entry data must be"},
		{Call: `archive.create(device.buffer(), {format = "zip"}):add("", "x")`, Kind: "Invalid", Text: "entry name is required"},
		{Call: `archive.create(device.buffer(), {format = "zip"}):add("a", "x", {method = "lzma"})`, Kind: "Invalid", Text: "method must be"},
		{Call: `archive.create(device.buffer(), {format = "zip"}):add("a", device.broken())`, Kind: "Internal", Text: "the disk is broken"},
		{Call: `archive.create(device.buffer(), {format = "zip"}):add_file("a", 12, "x")`, Kind: "Invalid", Text: "source must be a file system"},
		{Call: `archive.create(device.buffer(), {format = "zip"}):add_file("a", device.fs(), "none")`, Kind: "NotFound", Text: "none"},
		{Call: `archive.create(device.buffer(), {format = "tar"}):add("a", device.stream("x"))`, Kind: "Invalid", Text: "size required to stream an entry into a tar archive (pass opts.size)"},
		{Call: `archive.create(device.buffer(), {format = "tar"}):add("a", device.stream("xyz"), {size = 2})`, Kind: "Invalid", Text: "does not have the size"},
		{Call: `archive.create(device.buffer(), {format = "tar"}):add("a", device.stream("x"), {size = 2})`, Kind: "Invalid", Text: "does not have the size"},
		{Call: `archive.create(device.buffer(), {format = "zip"}):add("a", "x", {size = 2})`, Kind: "Invalid", Text: "does not have the size"},
		{Name: "after an entry that failed", Call: `(function() local w = archive.create(device.buffer(), {format = "tar"}) w:add("a", "x", {size = 2}) return w:add("b", "x") end)()`, Kind: "Invalid", Text: "damaged"},
		{Name: "closing after an entry that failed", Call: `(function() local w = archive.create(device.buffer(), {format = "tar"}) w:add("a", "x", {size = 2}) return w:close() end)()`, Kind: "Invalid", Text: "tar"},
		{Call: `archive.create(device.broken(), {format = "zip"}):close()`, Kind: "Internal", Text: "the disk is broken"},
	} {
		if f.Name == "" {
			f.Name = f.Call
		}
		f.Call = `(function() ` + helpers + ` return ` + f.Call + ` end)()`
		failures = append(failures, f)
	}
	b.CheckFailures(t, failures)
}

func TestPermissions(t *testing.T) {
	denied := ""
	b := moduletest.New(t, archive.Module(archive.Config{Allowed: func(_ *engine.Process, action, resource string) bool {
		return action != denied || resource != ""
	}}), device(newMemory()))
	for action, calls := range map[string][]string{
		"archive.read":  {`archive.open("x", {format = "zip"})`, `archive.scan("x", {format = "zip"})`},
		"archive.write": {`archive.create(device.buffer(), {format = "zip"})`},
	} {
		denied = action
		var failures []moduletest.Failure
		for _, call := range calls {
			failures = append(failures, moduletest.Failure{Call: call, Kind: "PermissionDenied", Text: "permission denied: " + action})
		}
		b.CheckFailures(t, failures)
	}
}

// The host says what stands for a file system, and what programs read an entry with.
func TestHostDecidesAboutFileSystemsAndStreams(t *testing.T) {
	m := newMemory()
	var fsys archive.FS = m
	if err := fsys.MkdirAll("in"); err != nil {
		t.Fatal(err)
	}
	w, err := fsys.Create("in/a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.Open("in/a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(f); err != nil || string(text) != "hello" {
		t.Errorf("%q, %v", text, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}

	var sizes []int64
	b := moduletest.New(t, archive.Module(archive.Config{
		FS: func(v lua.LValue) (archive.FS, bool) { return fsys, v == lua.LString("disk") },
		Stream: func(_ *lua.LState, r io.ReadCloser, size int64) lua.LValue {
			defer r.Close()
			sizes = append(sizes, size)
			text, err := io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			return lua.LString("stream of " + string(text))
		},
	}), device(m))
	b.Check(t, helpers+`
		local w = assert(archive.create("disk", "out.zip"))
		assert(w:add("b.txt", "content") and w:close())
		local r = assert(archive.open("disk", "out.zip"))
		eq(r:stream("b.txt"), "stream of content")
		eq(r:extract_all("disk"), 1)`)
	if string(m.files["b.txt"]) != "content" || len(sizes) != 1 || sizes[0] != int64(len("content")) {
		t.Errorf("extracted %q, sizes %v", m.files["b.txt"], sizes)
	}
}
