// SPDX-License-Identifier: Apache-2.0

package text

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// Module returns the Lua module `text` with the tables regexp, diff and splitter. No call yields.
func Module() engine.Module {
	return engine.Module{
		Name:    "text",
		Classes: []string{"deterministic"},
		Build: func(b *engine.Builder) error {
			buildRegexp(b)
			buildDiff(b)
			buildSplitter(b)
			return nil
		},
	}
}

// number returns an option that is a number, false for any other and for one that is not a number in the other sense.
func number(t *lua.LTable, name string) (float64, bool) {
	n, ok := t.RawGetString(name).(lua.LNumber)
	return float64(n), ok && !math.IsNaN(float64(n))
}

// whole turns a number into an integer without its fraction. Numbers that are too large become the limit.
func whole(f float64, limit int) int { return int(min(math.Trunc(f), float64(limit))) }
