// SPDX-License-Identifier: Apache-2.0

package all_test

import (
	_ "embed"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/all"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/payload"
)

//go:embed testdata/facts.lua
var facts string

// factTools are what the facts are written with: same compares, has looks for a text,
// and fails expects a first result of nil and an error of a kind; it returns both.
const factTools = `
local function same(got, want)
	if got ~= want then error("got " .. tostring(got) .. ", want " .. tostring(want), 2) end
end
local function has(v, part, second)
	v = second or v
	if not tostring(v):find(part, 1, true) then error("no " .. part .. " in " .. tostring(v), 2) end
end
local function fails(kind, v, err)
	if v ~= nil then error("got " .. tostring(v) .. ", want an error", 2) end
	if err == nil then error("no error", 2) end
	if err:kind() ~= kind then error("got an error of kind " .. err:kind() .. ", want " .. kind .. ": " .. err:message(), 2) end
	return err, err
end
`

// TestFacts runs testdata/facts.lua: what applications rely on, one fact after the other,
// each under its number.
func TestFacts(t *testing.T) {
	b := moduletest.New(t, all.Modules(nil)...)
	payload.Register(b.Engine)
	for _, fact := range strings.Split(facts, "--- ")[1:] {
		name, body, _ := strings.Cut(fact, "\n")
		t.Run(name, func(t *testing.T) { b.Check(t, factTools+body) })
	}
}
