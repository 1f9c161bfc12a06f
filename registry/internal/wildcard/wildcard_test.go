// SPDX-License-Identifier: Apache-2.0

package wildcard

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var table = []struct {
	pattern string
	yes, no []string
}{
	{"*", []string{"a", "a-b"}, []string{"", "a.b"}},
	{"**", []string{"", "a", "a.b.c"}, nil},
	{"a.**", []string{"a", "a.b", "a.b.c"}, []string{"b", "ab", "b.a"}},
	{"a.*", []string{"a.b"}, []string{"a", "a.b.c", "a."}},
	{"**.z", []string{"z", "x.z", "x.y.z"}, []string{"x", "z.x", "xz"}},
	{"a.**.z", []string{"a.z", "a.b.z", "a.z.z"}, []string{"a", "z", "a.b"}},
	{"(a|b)", []string{"a", "b"}, []string{"c", "a|b", "a.b"}},
	{"f.(a|b.c)", nil, []string{"f.a", "f.b.c"}}, // a group must lie within one segment
	{"f.(a|b).*", []string{"f.a.x", "f.b.y"}, []string{"f.c.x", "f.a"}},
	{"foo*", []string{"foo*"}, []string{"foobar"}},
	{"a.b", []string{"a.b"}, []string{"a", "a.b.c"}},
	{"", []string{""}, []string{"a"}},
	{"*.*", []string{"a.b"}, []string{"a", "a.b.c"}},
	{"**.**", []string{"", "a", "a.b"}, nil},
}

func TestMatch(t *testing.T) {
	for _, c := range table {
		p := Compile(c.pattern)
		for _, s := range c.yes {
			if !p.Match(s) {
				t.Errorf("%q does not match %q", c.pattern, s)
			}
		}
		for _, s := range c.no {
			if p.Match(s) {
				t.Errorf("%q matches %q", c.pattern, s)
			}
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	p := Compile("a.**.(x|y).*")
	if n := testing.AllocsPerRun(100, func() { p.Match("a.b.c.x.d") }); n != 0 {
		t.Errorf("Match allocates %v times", n)
	}
}

func TestLiterals(t *testing.T) {
	for pattern, want := range map[string][]string{
		"a.b": {"a.b"}, "a.*": nil, "**": nil, "f.(a|b).(c|d)": {"f.a.c", "f.a.d", "f.b.c", "f.b.d"}, "(a|b)": {"a", "b"},
	} {
		if got := Literals(pattern, 10); !slices.Equal(got, want) {
			t.Errorf("Literals(%q) = %q", pattern, got)
		}
	}
	if got := Literals("(a|b).(a|b).(a|b).(a|b)", 10); got != nil {
		t.Errorf("more literals than allowed: %q", got)
	}
}

// FuzzMatch compares with a translation to a regular expression.
func FuzzMatch(f *testing.F) {
	for _, c := range table {
		for _, s := range slices.Concat(c.yes, c.no) {
			f.Add(c.pattern, s)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, subject string) {
		if strings.Count(pattern, "**") > 6 || len(pattern)+len(subject) > 200 || strings.Contains(pattern+subject, "\n") || !utf8.ValidString(pattern+subject) {
			return
		}
		// Segments of the subject end in a dot here, so that "**" is a plain repetition.
		var b strings.Builder
		for _, s := range strings.Split(pattern, ".") {
			switch {
			case s == "*":
				b.WriteString(`[^.]+\.`)
			case s == "**":
				b.WriteString(`(?:[^.]*\.)*`)
			case isGroup(s):
				var alts []string
				for _, a := range strings.Split(s[1:len(s)-1], "|") {
					alts = append(alts, regexp.QuoteMeta(a))
				}
				b.WriteString(`(?:` + strings.Join(alts, "|") + `)\.`)
			default:
				b.WriteString(regexp.QuoteMeta(s) + `\.`)
			}
		}
		re, err := regexp.Compile(`^(?s:` + b.String() + `)$`)
		if err != nil {
			return
		}
		want := re.MatchString(subject + ".")
		if !IsWild(pattern) {
			want = pattern == subject
		}
		if got := Compile(pattern).Match(subject); got != want {
			t.Errorf("Match(%q, %q) = %v, the expression says %v", pattern, subject, got, want)
		}
	})
}
