// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	words := slices.Values([]string{"function.lua", "process.lua", "library.lua", "http.router", "function.lua", ""})
	for word, want := range map[string][]string{
		"function.lau": {"function.lua"}, "functoin.lua": {"function.lua"}, "Function.Lua": {"function.lua"},
		"http.roter": {"http.router"}, "zzz": {}, "function.lua": {},
	} {
		if got := Nearest(word, words, 2); !slices.Equal(got, want) {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
	if got := Hint("http.roter", words); got != `did you mean "http.router"?` {
		t.Errorf("Hint = %q", got)
	}
	if got := Hint("zzz", words); got != "" {
		t.Errorf("Hint = %q", got)
	}
	if got := Hint("ab", slices.Values([]string{"aa", "bb", "cb"})); got != `did you mean "aa" or "bb" or "cb"?` {
		t.Errorf("Hint = %q", got)
	}
}
