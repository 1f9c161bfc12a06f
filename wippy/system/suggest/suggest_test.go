package suggest_test

import (
	"testing"

	"github.com/wippyrun/kit/wippy/system/suggest"
)

func TestClosestFindsTheNearestNameOrNothing(t *testing.T) {
	names := []string{"app:tour", "app:tours", "app:main", "process.lua", "function.lua", "funcs"}
	for _, tc := range []struct{ word, want string }{
		{"app:tuor", "app:tour"},      // swapped neighbours count once
		{"proces.lua", "process.lua"}, // one letter missing
		{"fucntion.lua", "function.lua"},
		{"APP:MAIN", "app:main"},
		{"app:tour", "app:tours"}, // the word itself is never suggested
		{"nothing-like-it", ""},
		{"", ""},
	} {
		got, ok := suggest.Closest(tc.word, names)
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("Closest(%q) = %q, %v; want %q", tc.word, got, ok, tc.want)
		}
	}
}

func TestHintIsASentence(t *testing.T) {
	if got := suggest.Hint("jsn", []string{"json", "time"}); got != `did you mean "json"?` {
		t.Errorf("Hint = %q", got)
	}
	if got := suggest.Hint("zzz", []string{"json"}); got != "" {
		t.Errorf("Hint for a stranger = %q", got)
	}
}
