// SPDX-License-Identifier: Apache-2.0

package all_test

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/all"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestModulesAreListedByName(t *testing.T) {
	byName := func(a, b engine.Module) int { return strings.Compare(a.Name, b.Name) }
	if modules := all.Modules(nil); !slices.IsSortedFunc(modules, byName) {
		t.Errorf("out of order: %v", modules)
	}
}

func TestModulesSayWhatTheyAre(t *testing.T) {
	for _, m := range all.Modules(nil) {
		if len(m.Classes) == 0 {
			t.Errorf("module %s has no classes", m.Name)
		}
	}
}

// TestModulesGoTogether registers all modules with one engine and looks at each from Lua.
func TestModulesGoTogether(t *testing.T) {
	b := moduletest.New(t, all.Modules(nil)...)
	for _, name := range b.Engine.Modules() {
		b.Check(t, `
			local m = require(...)
			assert(type(m) == "table" and next(m) ~= nil)
			for key, value in pairs(m) do
				assert(type(key) == "string", key)
				assert(not pcall(function() m[key] = nil end), key)
				assert(type(value) ~= "table" or not pcall(function() value.x = 1 end), key)
			end`, name)
	}
}
