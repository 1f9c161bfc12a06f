// SPDX-License-Identifier: Apache-2.0

package exec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/service/exec"
)

var splits = []struct {
	line string
	want []string
}{
	{"", nil},
	{"   ", nil},
	{"ls", []string{"ls"}},
	{"  ls   -l  /tmp ", []string{"ls", "-l", "/tmp"}},
	{`sh -c 'exit 42'`, []string{"sh", "-c", "exit 42"}},
	{`a"b c"d`, []string{"ab cd"}},
	{`'a'"b"c`, []string{"abc"}},
	{`""`, []string{""}},
	{`x '' ""`, []string{"x", "", ""}},
	{`"it's" 'say "hi"'`, []string{"it's", `say "hi"`}},
	{`echo "hello`, []string{"echo", `"hello`}},
	{`echo 'a b" c`, []string{"echo", `'a b" c`}},
	{`a"b c`, []string{`a"b c`}},
	{`a\ b`, []string{`a\`, "b"}},
	{`"a\"b"`, []string{`a\b"`}},
	{"a\tb\nc", []string{"a\tb\nc"}},
	{"a\u00a0b", []string{"a\u00a0b"}},
	{"ls; rm -rf / && $(reboot) `id` | cat > x", []string{"ls;", "rm", "-rf", "/", "&&", "$(reboot)", "`id`", "|", "cat", ">", "x"}},
	{"päth 'ü ö'", []string{"päth", "ü ö"}},
}

func TestSplit(t *testing.T) {
	for _, c := range splits {
		if got := exec.Split(c.line); !slices.Equal(got, c.want) {
			t.Errorf("Split(%q) = %q, want %q", c.line, got, c.want)
		}
	}
}

var unquoted = strings.NewReplacer(" ", "", "'", "", `"`, "")

// FuzzSplit checks that quoting what has no single quote keeps it in one piece, whatever stands around it, and
// that nothing is lost.
func FuzzSplit(f *testing.F) {
	for _, c := range splits {
		f.Add(c.line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := exec.Split(text)
		// By bytes: parts that are no UTF-8 may become some when they touch.
		kept, got := unquoted.Replace(text), unquoted.Replace(strings.Join(args, ""))
		if got != kept {
			t.Errorf("Split(%q) = %q lost or invented something", text, args)
		}
		if strings.Contains(text, "'") {
			return
		}
		if args := exec.Split("echo '" + text + "' end"); !slices.Equal(args, []string{"echo", text, "end"}) {
			t.Errorf("quoted %q became %q", text, args)
		}
	})
}
