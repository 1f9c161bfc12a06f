// SPDX-License-Identifier: Apache-2.0

package readme_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/tools/consume/readme"
)

func TestFirstGoFindsTheFirstGoBlock(t *testing.T) {
	tests := []struct {
		name, text string
		want       string
		line       int // 0: there is none
	}{
		{"plain", "# x\n\n```go\na()\n\nb()\n```\n", "a()\n\nb()\n", 4},
		{"first of two", "```go\na()\n```\n```go\nb()\n```\n", "a()\n", 2},
		{"after others", "```\ngo get x\n```\n~~~sh\n```go\n~~~\n```go\na()\n```\n", "a()\n", 8},
		{"attributes", "```go title=x\na()\n```\n", "a()\n", 2},
		{"space before the language", "``` go\na()\n```\n", "a()\n", 2},
		{"longer fence around a shorter", "````go\na()\n```\nb()\n````\n", "a()\n```\nb()\n", 2},
		{"tildes do not close backticks", "```go\na()\n~~~\n```\n", "a()\n~~~\n", 2},
		{"a language does not close", "```go\n```go\n```\n", "```go\n", 2},
		{"indented by three", "   ```go\na()\n  ```\n", "a()\n", 2},
		{"carriage returns", "```go\r\na()\r\n```\r\n", "a()\n", 2},
		{"never closed", "```go\na()\n", "a()\n", 2},
		{"empty", "```go\n```\n", "", 2},
		{"another language", "```golang\na()\n```\n```lua\nb()\n```\n", "", 0},
		{"indented by four is text", "    ```go\n    a()\n", "", 0},
		{"code in a line", "```go``` is a language\n", "", 0},
		{"no block", "# x\n", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block, ok := readme.FirstGo(tt.text)
			if ok != (tt.line > 0) || ok && (block.Source != tt.want || block.Line != tt.line) {
				t.Errorf("%t, line %d: %q", ok, block.Line, block.Source)
			}
		})
	}
}

func TestOutputIsTheCommentThatAnnouncesIt(t *testing.T) {
	tests := []struct {
		name, src string
		want      string
		ok        bool
	}{
		{"one line", "f()\n// Output: a\n", "a", true},
		{"lines", "f()\n// Output:\n// a\n//   b\n//\n// c\nf()\n// d\n", "a\n  b\n\nc", true},
		{"small letters", "//output: a", "a", true},
		{"the last one", "// Output: a\nf()\n// Output: b\n", "b", true},
		{"ends with the comment", "// Output: a\n\n// b\n", "a", true},
		{"nothing", "// Output:\nf()\n", "", true},
		{"in a string", "f(`\n// Output: a\n`)", "", false},
		{"in a sentence", "// The Output: a\n", "", false},
		{"none", "f() // a\n", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := readme.Output(tt.src); got != tt.want || ok != tt.ok {
				t.Errorf("%q, %t", got, ok)
			}
		})
	}
}

func TestCompareOutputMatchesLines(t *testing.T) {
	tests := []struct {
		got, want string
		equal     bool
	}{
		{"a\nb\n", "a\nb", true},
		{"\na  \r\nb\n\n", "a\nb", true},
		{"a\nb\n", "a", false},
		{"a\n", "a\nb", false},
		{" a\nb", "a\nb", true},
		{"a\n b", "a\nb", false},
		{"a\nx\ny\nb", "a\n...\nb", true},
		{"a\nb", "a\n...\nb", true},
		{"a\nb\nc\nb", "...\nb", true},
		{"a\nb\nc", "...\nb", false},
		{"a\nb", "a\n...", true},
		{"b", "a\n...", false},
		{"", "...", true},
		{"", "a", false},
	}
	for _, tt := range tests {
		err := readme.CompareOutput(tt.got, tt.want)
		if (err == nil) != tt.equal {
			t.Errorf("CompareOutput(%q, %q) = %v", tt.got, tt.want, err)
		}
		if err == nil {
			continue
		}
		for _, line := range strings.Split(tt.want, "\n") {
			if !strings.Contains(err.Error(), "\t"+line) {
				t.Errorf("error does not show %q: %v", line, err)
			}
		}
	}
}
