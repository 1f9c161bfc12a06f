// SPDX-License-Identifier: Apache-2.0

package fs_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/archive"
	"github.com/wippyrun/kit/luart/modules/excel"
	luafs "github.com/wippyrun/kit/wippy/lua/fs"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/service/fs"
)

// archives is a bench with the modules that take files.
func archives(t *testing.T, allowed func(p *engine.Process, action, resource string) bool) *bench {
	t.Helper()
	d, err := fs.NewDirectory(t.TempDir(), 0o755, false)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{data: &counted{FS: d}}
	var service fs.Service
	service.Add("app:data", b.data)
	b.System = luatest.New(t, func(s *luatest.System) {
		stream.Register(s.Dispatch)
		s.Register(luafs.Module(&service, nil), luafs.ArchiveModule(archive.Config{Allowed: allowed}), excel.Module())
	})
	return b
}

func TestArchivesOfFiles(t *testing.T) {
	b := archives(t, nil)
	for _, format := range []string{"zip", "tar", "tar.gz", "tar.zst"} {
		b.check(t, `
			local archive, format = require("archive"), "`+format+`"
			vol:mkdir("`+format+`.d") vol:chdir("`+format+`.d")
			vol:writefile("in.txt", string.rep("line of text\n", 10000))
			local w = assert(archive.create(vol, "a." .. format))
			assert(w:add_file("dir/in.txt", vol, "in.txt")) assert(w:add("b", "bee")) assert(w:add("../evil", "no"))
			local f = vol:open("in.txt", "r") assert(w:add("f", f, {size = 130000})) assert(w:close())
			eq(vol:exists("a." .. format), true)
			if format == "zip" or format == "tar" then
				local file = vol:open("a." .. format, "r")
				for _, r in ipairs({assert(archive.open(vol, "a." .. format)), assert(archive.open(file))}) do
					local s = assert(r:stream("dir/in.txt"))
					eq(s:stat().size, 130000)
					local sc, n = s:scanner(), 0
					while sc:scan() do eq(sc:text(), "line of text") n = n + 1 end
					eq(n, 10000)
					eq(r:read("b"), "bee") eq(s:close(), true)
					eq(r:extract("b", vol, "out/b"), true) eq(vol:readfile("out/b"), "bee")
					s = r:stream("b") eq(vol:writefile("copied", s), true) eq(vol:readfile("copied"), "bee")
					fails("NotFound", "entry not found: missing", r:read("missing"))
					fails("Invalid", "unsafe entry path: ../evil", r:extract("../evil", vol))
				end
			else
				fails("Unavailable", "archive.scan", archive.open(vol, "a." .. format))
			end
			vol:mkdir("all") vol:chdir("all")
			local s = assert(archive.scan(vol:open("../a." .. format, "r")))
			local names = {}
			for e, entry in s:walk() do names[#names + 1] = e.name if e.name == "b" then eq(entry:read(), "bee") eq(entry:read(), nil) end end
			eq(table.concat(names, " "), "dir/in.txt b ../evil f")
			s = assert(archive.scan(vol:open("../a." .. format, "r")))
			eq(s:extract_all(vol, {prefix = "p"}), 3)
			eq(#vol:readfile("p/dir/in.txt"), 130000) eq(vol:exists("p/evil"), false) eq(vol:exists("/evil"), false)
			fails("NotFound", "no such file", archive.open(vol, "none.zip"))
			fails("Invalid", "path traversal not allowed", archive.open(vol, "../../../x.zip"))`)
	}
}

func TestArchivesAskForPermission(t *testing.T) {
	b := archives(t, func(_ *engine.Process, action, _ string) bool { return action == "archive.read" })
	b.check(t, `
		fails("PermissionDenied", "archive.write", require("archive").create(vol, "a.zip"))
		eq(vol:exists("a.zip"), false)
		fails("NotFound", "no such file", require("archive").open(vol, "a.zip"))`)
}

// TestWorkbooksOfFiles writes a workbook into a file and reads it back.
func TestWorkbooksOfFiles(t *testing.T) {
	b := archives(t, nil)
	b.check(t, `
		local excel = require("excel")
		local wb = excel.new()
		assert(not wb:set_cell_value("Sheet1", "A1", "hello"))
		local f = vol:open("w.xlsx", "w") eq(wb:write_to(f), nil) f:close() wb:close()
		f = vol:open("w.xlsx", "r") wb = assert(excel.open(f))
		eq(wb:get_rows("Sheet1")[1][1], "hello")`)
}
