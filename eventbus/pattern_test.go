package eventbus_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/eventbus"
	"pgregory.net/rapid"
)

var patternTable = []struct {
	pattern string
	yes, no []string
}{
	{"", []string{""}, []string{"a", "."}},
	{"a", []string{"a"}, []string{"", "b", "a.b", "ab"}},
	{"a.b", []string{"a.b"}, []string{"a", "b", "a.b.c", "a.c", "a..b"}},
	{"*", []string{"a", "entry"}, []string{"", "a.b", "."}},
	{"**", []string{"", "a", "a.b", "a.b.c", ".", "a."}, nil},
	{"a.*", []string{"a.b", "a."}, []string{"a", "a.b.c", "b.a"}},
	{"*.a", []string{"x.a", ".a"}, []string{"a", "x.y.a"}},
	{"*.*", []string{"a.b", "."}, []string{"a", "a.b.c", ""}},
	{"a.**", []string{"a", "a.b", "a.b.c"}, []string{"", "b", "ab", "b.a"}},
	{"**.z", []string{"z", "x.z", "x.y.z"}, []string{"", "x", "z.x", "xz"}},
	{"a.**.z", []string{"a.z", "a.b.z", "a.b.c.z", "a.z.z"}, []string{"a", "z", "a.b", "b.z"}},
	{"**.m.**", []string{"m", "a.m", "m.b", "a.m.b", "m.m"}, []string{"", "a", "a.b"}},
	{"**.**", []string{"", "a", "a.b"}, nil},
	{"**.*", []string{"a", "a.b"}, []string{""}},
	{"*.**", []string{"a", "a.b", "a.b.c"}, []string{""}},
	{"**.a.**.b.**", []string{"a.b", "x.a.y.b.z", "a.a.b.b"}, []string{"b.a", "a", "b"}},
	{"**.a.b", []string{"a.b", "a.a.b", "a.b.a.b"}, []string{"a.b.a", "a.a"}},
	{"(a|b)", []string{"a", "b"}, []string{"", "c", "a|b", "(a|b)", "ab"}},
	{"(a|b).c", []string{"a.c", "b.c"}, []string{"c.c", "a", "a.b"}},
	{"(a)", []string{"a"}, []string{"(a)", "b"}},
	{"x.(a|)", []string{"x.a", "x."}, []string{"x", "x.b"}},
	{"(entry|registry).*", []string{"entry.create", "registry.begin"}, []string{"other.create", "entry", "entry.a.b"}},
	{"(a|*)", []string{"a", "*"}, []string{"b"}},
	// No globbing inside a segment, and what is no wildcard is literal.
	{"foo*", []string{"foo*"}, []string{"foo", "foobar"}},
	{"a.***", []string{"a.***"}, []string{"a.b", "a"}},
	{"(a|b", []string{"(a|b"}, []string{"a", "b"}},
	{"(a.b|c)", []string{"(a.b|c)"}, []string{"a", "c", "a.c"}},
	{")", []string{")"}, []string{""}},
	{"(", []string{"("}, []string{""}},
	{"()", []string{}, []string{"", "a", "()"}},
	{"a..b", []string{"a..b"}, []string{"a.b", "a.x.b"}},
	{"a.*.b", []string{"a..b", "a.x.b"}, []string{"a.b"}},
	{"ü.*", []string{"ü.ß"}, []string{"u.s"}},
}

func TestPatternTable(t *testing.T) {
	for _, tc := range patternTable {
		m := eventbus.CompilePattern(tc.pattern)
		if m.String() != tc.pattern {
			t.Errorf("String() = %q, want %q", m, tc.pattern)
		}
		for _, s := range tc.yes {
			if !m.Match(s) {
				t.Errorf("%q does not match %q", tc.pattern, s)
			}
		}
		for _, s := range tc.no {
			if m.Match(s) {
				t.Errorf("%q matches %q", tc.pattern, s)
			}
		}
	}
	if (eventbus.Matcher{}).Match("a") || !(eventbus.Matcher{}).Match("") {
		t.Error("the zero Matcher does not match exactly the empty subject")
	}
}

// oracle is the definition of a pattern, followed word by word.
func oracle(pattern, subject string) bool {
	split := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, ".")
	}
	var match func(p, s []string) bool
	match = func(p, s []string) bool {
		switch {
		case len(p) == 0:
			return len(s) == 0
		case p[0] == "**":
			return match(p[1:], s) || len(s) > 0 && match(p, s[1:])
		case len(s) == 0:
			return false
		case p[0] == "*" || p[0] == s[0] && !(strings.HasPrefix(p[0], "(") && strings.HasSuffix(p[0], ")") && len(p[0]) > 1):
			return match(p[1:], s[1:])
		case len(p[0]) > 1 && p[0][0] == '(' && p[0][len(p[0])-1] == ')':
			for word := range strings.SplitSeq(p[0][1:len(p[0])-1], "|") {
				if word == s[0] {
					return match(p[1:], s[1:])
				}
			}
		}
		return false
	}
	return match(split(pattern), split(subject))
}

// FuzzMatch compares a compiled pattern with its definition. The input is kept
// short because the definition takes exponential time.
func FuzzMatch(f *testing.F) {
	for _, tc := range patternTable {
		for _, s := range append(tc.yes, tc.no...) {
			f.Add(tc.pattern, s)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, subject string) {
		if len(pattern) > 32 || len(subject) > 32 {
			return
		}
		if got, want := eventbus.CompilePattern(pattern).Match(subject), oracle(pattern, subject); got != want {
			t.Errorf("pattern %q, subject %q: got %v, want %v", pattern, subject, got, want)
		}
	})
}

var (
	segmentGen = rapid.SampledFrom([]string{"a", "b", "c", "", "a", "b"})
	tokenGen   = rapid.SampledFrom([]string{"a", "b", "c", "", "*", "*", "**", "**", "(a|b)", "(b|c|)", "(a)", "(a|a|c)"})
	subjectGen = rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(segmentGen, 0, 5).Draw(t, "segments"), ".")
	})
	patternGen = rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(tokenGen, 0, 6).Draw(t, "tokens"), ".")
	})
)

func TestMatchFollowsTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := patternGen.Draw(t, "pattern"), subjectGen.Draw(t, "subject")
		if got, want := eventbus.CompilePattern(p).Match(s), oracle(p, s); got != want {
			t.Fatalf("pattern %q, subject %q: got %v, want %v", p, s, got, want)
		}
	})
}

func TestMatchTakesPolynomialTime(t *testing.T) {
	m := eventbus.CompilePattern(strings.Repeat("**.a.", 200) + "b")
	if m.Match(strings.Repeat("a.", 2000) + "c") {
		t.Error("matches")
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	m := eventbus.CompilePattern("registry.**.(create|update)")
	if n := testing.AllocsPerRun(100, func() { m.Match("registry.entry.a.b.update") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestEventPatternMatchesPartsOnTheirOwn(t *testing.T) {
	ev := eventbus.Event{System: "registry", Kind: "entry.create"}
	for _, tc := range []struct {
		p    eventbus.Pattern
		want bool
	}{
		{eventbus.Pattern{}, true},
		{eventbus.Pattern{System: "registry"}, true},
		{eventbus.Pattern{Kind: "entry.*"}, true},
		{eventbus.Pattern{System: "*", Kind: "**"}, true},
		{eventbus.Pattern{System: "registry.entry", Kind: "create"}, false},
		{eventbus.Pattern{System: "registry", Kind: "*"}, false},
		{eventbus.Pattern{System: "process"}, false},
	} {
		if got := tc.p.Match(ev); got != tc.want {
			t.Errorf("%v: got %v, want %v", tc.p, got, tc.want)
		}
	}
	if got := ev.Topic(); got != "registry.entry.create" {
		t.Errorf("Topic() = %q", got)
	}
	if got := (eventbus.Pattern{System: "a"}).String(); got != "a.**" {
		t.Errorf("String() = %q", got)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, p := range []string{"registry.entry.create", "registry.*.create", "**.create", "registry.(entry|version).*"} {
		b.Run(p, func(b *testing.B) {
			m := eventbus.CompilePattern(p)
			b.ReportAllocs()
			for b.Loop() {
				m.Match("registry.entry.create")
			}
		})
	}
}
