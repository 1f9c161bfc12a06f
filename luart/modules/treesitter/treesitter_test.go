// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter_test

import (
	"embed"
	"path"
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/treesitter"
)

//go:embed testdata/*.lua
var scripts embed.FS

// tools are what the scripts are written with: same compares, at compares the parts of a point, fails expects a first
// result and an error of a kind, raises expects an error that is raised.
const tools = `
local function same(got, want)
	if got ~= want then error("got " .. tostring(got) .. ", want " .. tostring(want), 2) end
end
local function at(got, row, column)
	if got.row ~= row or got.column ~= column then error("got " .. got.row .. ":" .. got.column, 2) end
end
local function fails(kind, text, first, v, err)
	if v ~= first then error("got " .. tostring(v) .. ", want " .. tostring(first), 2) end
	if not err or err:kind() ~= kind or not err:message():find(text, 1, true) then error("got error " .. tostring(err), 2) end
end
local function raises(text, f, ...)
	local ok, err = pcall(f, ...)
	if ok then error("nothing raised, want " .. text, 2) end
	if not tostring(err):find(text, 1, true) then error("raised " .. tostring(err) .. ", want " .. text, 2) end
end
`

// TestScripts runs the scripts in testdata, each a program with its own asserts.
func TestScripts(t *testing.T) {
	b := moduletest.New(t, treesitter.Modules()...)
	files, err := scripts.ReadDir("testdata")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(f.Name(), func(t *testing.T) {
			source, err := scripts.ReadFile(path.Join("testdata", f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			b.Check(t, tools+string(source))
			if n := treesitter.Live(); n != 0 {
				t.Errorf("%d objects are left", n)
			}
		})
	}
}
