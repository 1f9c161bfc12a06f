// SPDX-License-Identifier: Apache-2.0

package security_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/system/security"
)

// FuzzForgedTokens offers texts to a store that has one signed token.
func FuzzForgedTokens(f *testing.F) {
	for _, seed := range []string{"", ".", "a", "a.b", "a.b.c", strings.Repeat("A", 44) + "." + strings.Repeat("A", 44), "\x00", "=.="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b := newBench()
		s := b.store(t, map[string]any{"store": "kv", "token_key": "secret"})
		token, err := s.Create(t.Context(), alice, scope, security.TokenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(token, ".")
		for _, forged := range []string{text, first + text, first + "." + text, token + text, text + token} {
			if forged == token {
				continue
			}
			if _, _, err := s.Validate(t.Context(), forged); err == nil {
				t.Fatalf("%q was taken for %q", forged, token)
			}
		}
	})
}

// TestPatternModel compares patterns with what they are described as.
func TestPatternModel(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab.:*")), 0, 6, -1)
	rapid.Check(t, func(rt *rapid.T) {
		pattern, name := text.Filter(func(s string) bool { return s != "" }).Draw(rt, "pattern"), text.Draw(rt, "name")
		var want bool
		switch {
		case pattern == "*":
			want = true
		case strings.HasSuffix(pattern, ".*"):
			want = strings.HasPrefix(name, pattern[:len(pattern)-2])
		case strings.HasSuffix(pattern, "*"):
			want = strings.HasPrefix(name, pattern[:len(pattern)-1])
		default:
			want = name == pattern
		}
		p := load(t, entry("security.policy", "p", block(map[string]any{"actions": pattern})))
		if got := p.Evaluate(request(name, "r", nil)) == security.Allow; got != want {
			rt.Errorf("%q of %q: %v", pattern, name, got)
		}
	})
}
