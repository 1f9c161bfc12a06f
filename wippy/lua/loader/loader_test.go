// SPDX-License-Identifier: Apache-2.0

package loader_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/loader"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/service/fs"
)

const helpers = `
local loader = require("loader")
local l = assert(loader.new("app:files"))
local function eq(got, want) if got ~= want then error("got " .. tostring(got) .. ", want " .. tostring(want), 2) end end
local function fails(kind, text, v, err)
	if v ~= nil then error("got " .. tostring(v), 2) end
	if not err or err:kind() ~= kind or not string.find(err:message(), text, 1, true) then error("got " .. tostring(err and err:kind()) .. " " .. tostring(err), 2) end
end
local function ids(list) local out = {} for _, e in ipairs(list) do out[#out + 1] = e.id end return table.concat(out, " ") end
`

func TestLoader(t *testing.T) {
	files := fstest.MapFS{
		"plugin/_index.yaml":  {Data: []byte("version: \"1.0\"\nnamespace: plugin\nentries:\n  - {name: main, kind: function.lua, meta: {tags: [a, b]}, source: \"file://src/main.lua\", modules: [json]}\n  - {name: value, kind: registry.entry, number: 7}\n")},
		"plugin/src/main.lua": {Data: []byte("return 1")},
		"plugin/more/x.json":  {Data: []byte(`{"version": "1.0", "namespace": "more", "entries": [{"name": "x", "kind": "registry.entry"}]}`)},
		"plugin/readme.txt":   {Data: []byte("text")},
		"bad/_index.yaml":     {Data: []byte("version: \"1.0\"\nnamespace: bad\nentries:\n  - {name: a}\n  - {name: b, kind: k, source: \"file://gone.lua\"}\n  - {name: c, kind: k, source: \"file://../plugin/readme.txt\"}\n")},
		"empty/notes.txt":     {Data: []byte("text")},
		"large/_index.yaml":   {Data: []byte(strings.Repeat("#", 17<<20))},
	}
	service := &fs.Service{}
	service.Add("app:files", fs.NewEmbedded(files))
	service.Add("app:denied", fs.NewEmbedded(files))
	s := luatest.New(t, func(s *luatest.System) {
		stream.Register(s.Dispatch)
		s.Register(loader.Module(service, func(_ *engine.Process, action, resource string, _ map[string]any) bool {
			return action == "fs.get" && resource != "app:denied"
		}))
	})
	for name, body := range map[string]string{
		"a directory": `local list = assert(l:load_directory("/plugin")) eq(ids(list), "plugin:main plugin:value more:x")
			eq(list[1].kind, "function.lua") eq(list[1].meta.tags[2], "b") eq(list[1].data.source, "return 1") eq(list[1].data.modules[1], "json")
			eq(list[2].data.number, 7) eq(next(list[2].meta), nil)`,
		"a file":        `eq(ids(assert(l:load_file("plugin/_index.yaml"))), "plugin:main plugin:value") eq(ids(assert(l:load_file("/plugin/more/x.json"))), "more:x")`,
		"nothing":       `eq(#assert(l:load_directory("empty")), 0)`,
		"problems":      `local v, err = l:load_directory("bad") fails("Invalid", "bad/_index.yaml:4:5", v, err) fails("Invalid", "gone.lua", v, err) fails("Invalid", "path traversal", v, err) fails("Invalid", "kind is required", l:load_file("bad/_index.yaml"))`,
		"missing":       `fails("NotFound", "no", l:load_directory("none")) fails("NotFound", "no", l:load_file("none.yaml"))`,
		"the wrong one": `fails("Invalid", "not a directory", l:load_directory("plugin/readme.txt")) fails("Invalid", "not a file of entries", l:load_file("plugin")) fails("Invalid", "not a file of entries", l:load_file("plugin/readme.txt"))`,
		"outside":       `fails("Invalid", "path traversal not allowed", l:load_directory("../x")) fails("Invalid", "path traversal", l:load_file("plugin/../../x.yaml"))`,
		"a large file":  `fails("Invalid", "more than 16 MiB", l:load_directory("large"))`,
		"no filesystem": `fails("Invalid", "filesystem name required", loader.new("")) fails("NotFound", "filesystem not found: app:none", loader.new("app:none")) fails("PermissionDenied", "not allowed to access filesystem: app:denied", loader.new("app:denied"))`,
		"a wrong value": `eq(pcall(l.load_file, {}, "x"), false) eq(pcall(l.load_file, l), false) eq(tostring(l), "loader.Loader{}")`,
	} {
		t.Run(name, func(t *testing.T) { s.Check(t, helpers+body) })
	}
}
