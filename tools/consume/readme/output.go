// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"fmt"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

var outputMark = regexp.MustCompile(`(?i)^//[ \t]*output:[ \t]?`)

// Output returns what a Go text says that it prints: the lines of comment from
// "// Output:" to the first line that is not a comment, as in an Example. The last
// such comment counts.
func Output(src string) (want string, ok bool) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, []byte(src), func(token.Position, string) {}, scanner.ScanComments)
	var out strings.Builder
	last := 0 // the line of the last line of the comment
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return strings.TrimSpace(out.String()), ok
		}
		if tok != token.COMMENT {
			continue
		}
		line := file.Line(pos)
		if mark := outputMark.FindString(lit); mark != "" {
			ok, last = true, line
			out.Reset()
			out.WriteString(strings.TrimRight(lit[len(mark):], " \t\r") + "\n")
		} else if ok && line == last+1 && strings.HasPrefix(lit, "//") {
			last = line
			out.WriteString(strings.TrimRight(strings.TrimPrefix(lit[len("//"):], " "), " \t\r") + "\n")
		}
	}
}

// CompareOutput returns an error unless a program's output is what was announced.
// Space at the ends of lines and of the whole does not count. A line of three dots
// in want stands for any lines, so that a program may print what differs from run
// to run.
func CompareOutput(got, want string) error {
	if matchLines(trimmedLines(got), trimmedLines(want)) {
		return nil
	}
	return fmt.Errorf("printed\n%s\nand not\n%s", indent(got), indent(want))
}

// matchLines matches lines with a pattern in which "..." is any number of lines.
func matchLines(got, want []string) bool {
	for i, w := range want {
		if w == "..." {
			for skip := range len(got) + 1 {
				if matchLines(got[skip:], want[i+1:]) {
					return true
				}
			}
			return false
		}
		if len(got) == 0 || got[0] != w {
			return false
		}
		got = got[1:]
	}
	return len(got) == 0
}

func trimmedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\r")
	}
	return lines
}

func indent(text string) string {
	return "\t" + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n\t")
}
