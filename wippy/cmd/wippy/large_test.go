// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// writeProject is the command "project DIR FILES ENTRIES": it writes an application of FILES files with ENTRIES functions each, and app:main, which counts
// the functions and calls the last, and app:count, which only counts.
func writeProject(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: project dir files entries")
	}
	files, err := strconv.Atoi(args[1])
	ts.Check(err)
	entries, err := strconv.Atoi(args[2])
	ts.Check(err)
	write := func(name, text string) {
		name = ts.MkAbs(filepath.Join(args[0], name))
		ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
		ts.Check(os.WriteFile(name, []byte(text), 0o644))
	}
	count := `local n = #registry.find({[".kind"] = "function.lua"}) io.print(n .. " functions")`
	call := fmt.Sprintf(`io.print("f%d_%d says " .. funcs.call("part%d:f%d"))`, files-1, entries-1, files-1, entries-1)
	write("_index.yaml", `version: "1.0"
namespace: app
entries:
  - {name: terminal, kind: terminal.host, lifecycle: {auto_start: true}}
  - {name: main, kind: process.lua, source: "file://main.lua", method: main, modules: [io, registry, funcs]}
  - {name: count, kind: process.lua, source: "file://count.lua", method: main, modules: [io, registry]}
`)
	write("main.lua", "return {main = function() "+count+" "+call+" end}\n")
	write("count.lua", "return {main = function() "+count+" end}\n")
	for f := range files {
		var b strings.Builder
		fmt.Fprintf(&b, "version: \"1.0\"\nnamespace: part%d\nentries:\n", f)
		for e := range entries {
			fmt.Fprintf(&b, "  - name: f%d\n    kind: function.lua\n    source: file://f.lua\n    method: main\n    meta: {part: %d, tags: [generated, t%d]}\n", e, f, e%7)
		}
		write(fmt.Sprintf("part%d/_index.yaml", f), b.String())
		write(fmt.Sprintf("part%d/f.lua", f), fmt.Sprintf("return {main = function() return %d end}\n", f))
	}
}
