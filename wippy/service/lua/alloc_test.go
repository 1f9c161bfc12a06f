// SPDX-License-Identifier: Apache-2.0

//go:build !race

package lua_test

import "testing"

// TestCallAllocations pins what a call from a Lua function to another allocates.
func TestCallAllocations(t *testing.T) {
	f := newFixture(t)
	f.create(function("app:f", "return {main = function(x) return x end}"),
		function("app:loop", "return {main = function(n) for i = 1, n do assert(funcs.call('app:f', i)) end end}", "modules", []any{"funcs"}))
	const calls = 1000
	n := testing.AllocsPerRun(3, func() {
		if _, err := f.call("app:loop", calls); err != nil {
			t.Fatal(err)
		}
	}) / calls
	if n > 11.5 {
		t.Errorf("%.1f allocations", n)
	}
}
