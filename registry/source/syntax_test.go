// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry/source"
)

// oneProblem loads a file that must have exactly one problem, of which it returns
// "line:column" and the text.
func oneProblem(t *testing.T, name, text string) (place, message string) {
	t.Helper()
	_, _, err := load(t, source.Options{}, name, text)
	var ps source.Problems
	if !errors.As(err, &ps) || len(ps) != 1 {
		t.Fatalf("%q: error %v", text, err)
	}
	return fmt.Sprintf("%d:%d", ps[0].Line, ps[0].Col), ps[0].Message
}

func TestYAMLSyntaxErrorsAreReportedWhereTheMistakeIs(t *testing.T) {
	const head = "namespace: app\nentries:\n  - name: x\n    kind: k\n" // the text below begins on line 5
	for _, c := range []struct{ text, place, message string }{
		{"    a: b: c\n    z: 1\n", "5:9", "mapping values are not allowed"},
		{"    a: 1\n      b: 2\n    z: 3\n", "6:8", "mapping values are not allowed"},
		{"    é: 1\n      ü: 2\n", "6:8", "mapping values are not allowed"}, // characters are counted, not bytes
		{"    a: 'open\n    z: 1\n    y: 2\n", "5:8", "found unexpected end of stream"},
		{"    a: 'closed' # 'x\n    z: \"open\n", "6:8", "found unexpected end of stream"},
		{"    a: \"bad \\q\"\n    z: 1\n", "5:13", "unknown escape character"},
		{"    a: \"text\n      bad \\q\"\n    z: 1\n", "6:11", "unknown escape character"},
		{"    a: [1, 2\n    z: 1\n", "6:5", "did not find expected ',' or ']'"},
		{"    a: [1,\n      \"2\" \"x\",\n      3]\n    z: 1\n", "6:13", "did not find expected ',' or ']'"},
		{"    a: {b: 1,\n      c: [}\n", "6:11", "did not find expected node content"},
		{"    a: [1]]\n    y: 1\n", "5:11", "did not find expected key"},
		{"   a: 1\n    z: 2\n", "5:4", "did not find expected '-' indicator"},
		{"    a: 1\n  b: 2\n    z: 3\n", "6:3", "did not find expected '-' indicator"},
		{"  - name: y\n   kind: k\n", "6:4", "did not find expected '-' indicator"},
		{"    a: 1\n    - b\n", "6:5", "did not find expected key"},
		{"    a: \"x\" y\n    b: 1\n", "5:12", "did not find expected key"},
		{"    a: |\n      t\n     u\n    z: 3\n", "7:6", "did not find expected key"},
		{"    a: |x\n      t\n", "5:9", "did not find expected comment or line break"},
		{"    a: *none\n    z: 3\n", "5:8", "unknown anchor 'none' referenced"},
		{"    a: @bad\n    z: 3\n", "5:8", "found character that cannot start any token"},
		{"    a: 1\n    z\n    y: 2\n", "6:5", "could not find expected ':'"},
		{"    a: 1\n    z\n", "6:5", "could not find expected ':'"},
		{"    a: 1\n\tz: 3\n", "6:1", "found a tab character that violates indentation"},
		{"    a:\n\t\tz: 3\n", "6:1", "found character that cannot start any token"},
		{"    a: !<\n    z: 3\n", "5:9", "did not find expected tag URI"},
		{"    a: \xff\n    b: 1\n", "5:8", "invalid leading UTF-8 octet"},
		{"    a: \x01\n    b: 1\n", "5:8", "control characters are not allowed"},
		{"    a: 1\n]\n", "6:1", "did not find expected key"},
	} {
		for _, more := range []string{"", "# comment\n", strings.Repeat("    k: v\n", 200)} {
			if more != "" && strings.Contains(c.message, "end of stream") {
				continue // a quote further down would close it
			}
			place, message := oneProblem(t, "a.yaml", head+c.text+more)
			if place != c.place || !strings.Contains(message, c.message) {
				t.Errorf("%q: %s: %s, want %s: %s", c.text, place, message, c.place, c.message)
			}
		}
	}
}

func TestYAMLSyntaxErrorsWithoutABlockAround(t *testing.T) {
	for text, want := range map[string]string{
		"a: b: c":                              "1:5",
		"'":                                    "1:1",
		"namespace: app\nentries: ]":           "2:10",
		"%YAML 9.9\n---\nnamespace: app\n":     "1:9",
		"\xff\xfe\x00":                         "1:1",     // UTF-16: offsets mean nothing
		strings.Repeat("- x\n", 80_000) + "x:": "80001:1", // too long to search

		"a: [" + strings.Repeat("1,", 300) + "'open": "1:609", // the line is
	} {
		if got, message := oneProblem(t, "a.yaml", text); got != want {
			t.Errorf("%.40q: %s: %s, want %s", text, got, message, want)
		}
	}
}

func TestJSONSyntaxErrorsAreReportedWhereTheMistakeIs(t *testing.T) {
	const head = "{\"namespace\": \"app\", \"é\": 1,\n"
	for _, c := range []struct{ text, place, message string }{
		{`"a": }`, "2:6", "invalid character '}'"},
		{`"a": tru, "b": 1}`, "2:9", "invalid character ','"},
		{`"é": "x" "y": 1}`, "2:10", "invalid character '\"'"},
		{`"a": "x\q"}`, "2:9", "invalid character 'q'"},
		{`"a": 01}`, "2:7", "invalid character '1'"},
		{`"a": [1,]}`, "2:9", "invalid character ']'"},
		{`"a": 1,}`, "2:8", "invalid character '}'"},
		{`"a": 1} x`, "2:9", "after top-level value"},
		{`"a": 1}{}`, "2:8", "after top-level value"},
		{`"a": [1`, "2:8", "unexpected"},
		{`"é": "` + "\xff" + `"}`, "2:7", "invalid UTF-8"},
		{`"a": ` + strings.Repeat("[", 1200) + strings.Repeat("]", 1200) + "}", "2:1006", "nested deeper than 1000 levels"},
	} {
		place, message := oneProblem(t, "a.json", head+c.text)
		if place != c.place || !strings.Contains(message, c.message) {
			t.Errorf("%q: %s: %s, want %s: %s", c.text, place, message, c.place, c.message)
		}
	}
}

// The settings of other tools often are JSON with comments; a broken file of ours is not
// mistaken for them.
func TestBrokenJSONThatHoldsNoEntriesIsAWarning(t *testing.T) {
	es, warnings, err := load(t, source.Options{}, "tsconfig.json", "{\n  // settings\n  \"compilerOptions\": {},\n}\n")
	if err != nil || len(es) != 0 || len(warnings) != 1 || !strings.HasPrefix(warnings[0], "src/tsconfig.json:2:3: ignored, since it holds no entries: bad JSON") {
		t.Errorf("%v, %q, %v", es, warnings, err)
	}
}

func TestDeepNestingIsAProblem(t *testing.T) {
	for name, text := range map[string]string{
		"a.yaml": "namespace: app\nname: x\nkind: k\na: " + strings.Repeat("[", 1500) + strings.Repeat("]", 1500) + "\n",
		"a.json": `{"namespace": "app", "name": "x", "kind": "k", "a": ` + strings.Repeat("[", 999) + strings.Repeat("]", 999) + "}",
	} {
		_, _, err := load(t, source.Options{}, name, text)
		if deep := name == "a.yaml"; deep != (err != nil) || deep && !strings.Contains(err.Error(), "nested deeper than 1000 levels") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
