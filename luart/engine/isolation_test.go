// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var updateReachable = flag.Bool("reachable.update", false, "rewrite testdata/reachable.txt")

// walker lists everything a program without modules can reach: through globals,
// fields, metatables of every type, and what functions without arguments return.
const walker = `
local seen, lines = {}, {}
local shared = {}
local visit
local function fields(path, t)
	local keys = {}
	for k in pairs(t) do keys[#keys + 1] = tostring(k) end
	table.sort(keys)
	for _, k in ipairs(keys) do visit(path .. "." .. k, t[k]) end
end
visit = function(path, v)
	local kind = type(v)
	if kind == "table" or kind == "userdata" or kind == "function" then
		if seen[v] then
			lines[#lines + 1] = path .. " = " .. seen[v]
			return
		end
		seen[v] = path
	end
	lines[#lines + 1] = path .. ": " .. kind
	if kind == "table" then
		fields(path, v)
		if path ~= "_G" then shared[#shared + 1] = {path, v} end
	end
	if kind ~= "function" and kind ~= "string" then
		local mt = getmetatable(v)
		if mt ~= nil then visit("metatable(" .. path .. ")", mt) end
	end
end
local function reach()
	visit("_G", _G)
	for name, v in pairs({["a string"] = "", ["a number"] = 1, ["a boolean"] = true, ["a function"] = print, ["a thread"] = coroutine.create(print)}) do
		local mt = getmetatable(v)
		if mt ~= nil then visit("metatable of " .. name, mt) end
	end
end
`

// TestReachableFromAProcessWithoutModules compares all that can be reached with the
// list in testdata. Whatever is new there needs a reason.
func TestReachableFromAProcessWithoutModules(t *testing.T) {
	got := runOurs(walker + `reach() return table.concat(lines, "\n")`)
	const file = "testdata/reachable.txt"
	if *updateReachable {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		known := map[string]bool{}
		for line := range strings.Lines(string(want)) {
			known[line] = true
		}
		for line := range strings.Lines(got) {
			if !known[line] {
				t.Errorf("new: %s", line)
			}
			delete(known, line)
		}
		for line := range known {
			t.Errorf("gone: %s", line)
		}
	}
	for _, absent := range []string{
		"load", "loadstring", "loadfile", "dofile", "collectgarbage", "getfenv", "setfenv", "module", "newproxy", "debug", "io",
		"os.execute", "os.exit", "os.remove", "os.rename", "os.tmpname", "os.getenv", "os.setlocale",
		"package.loaded", "package.preload", "package.loaders",
	} {
		if strings.Contains(got, "\n_G."+absent+":") || strings.Contains(got, "\n_G."+absent+" =") {
			t.Errorf("%s can be reached", absent)
		}
	}
}

// TestSharedTablesRefuseEveryWayOfWriting tries all of them on every table that can
// be reached.
func TestSharedTablesRefuseEveryWayOfWriting(t *testing.T) {
	got := runOurs(walker + `
reach()
assert(#shared > 5, #shared)
local function refuses(path, how, f, ...)
	if pcall(f, ...) then error(path .. " takes " .. how, 0) end
end
for _, entry in ipairs(shared) do
	local path, t = entry[1], entry[2]
	local known = next(t)
	refuses(path, "a new field", function() t.intruder = 1 end)
	refuses(path, "a new value", function() t[known or 1] = 1 end)
	refuses(path, "nil", function() t[known or 1] = nil end)
	refuses(path, "rawset", rawset, t, "intruder", 1)
	refuses(path, "table.insert", table.insert, t, 1)
	refuses(path, "table.remove", table.remove, t, 1)
	refuses(path, "table.sort", table.sort, t)
	refuses(path, "setmetatable", setmetatable, t, {})
	assert(t.intruder == nil, path)
end
for _, library in ipairs({"string", "table", "math", "coroutine", "os", "errors", "channel"}) do
	assert(rawget(_G, library) == nil or type(_G[library]) == "table", library)
end
return "none"`)
	if got != "none\n" {
		t.Error(got)
	}
}

// TestProcessesCannotObserveEachOther gives two processes of one program the run of
// everything they can write to.
func TestProcessesCannotObserveEachOther(t *testing.T) {
	e := newEngine(t)
	prog := link(t, e, `
local own = {}
string_patched, _G.marker = false, nil
return function(leave)
	if leave then
		marker, own.x = "left behind", 1
		print, string = nil, {upper = function() return "patched" end}
		_G.pcall, _G[1], _G.type = error, "x", nil
		math.randomseed(1)
		pcall = nil
		return "left"
	end
	assert(marker == nil and own.x == nil and _G[1] == nil and type(print) == "function" and pcall(function() end))
	assert(("x"):upper() == "X" and string.upper("y") == "Y" and string_patched == false)
	return "clean"
end`)
	for i, want := range []string{"left", "clean", "left", "clean", "clean"} {
		m, err := tryStart(t, e, prog, want == "left")
		if err != nil {
			t.Fatal(err)
		}
		if m.run(); m.err != nil || m.result.String() != want {
			t.Fatalf("process %d: %v, %v", i, m.result, stackOf(m.err))
		}
	}
}
