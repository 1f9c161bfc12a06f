// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strings"

	"github.com/wippyrun/kit/luart/syntax"
)

// collectTypes notes the modules and imports that qualified type names such as lib.Config refer to, and what typeof
// looks at: these variables are used even where nothing reads them at run time.
func (c *checker) collectTypes() {
	note := func(t syntax.TypeNode) {
		if t != nil {
			c.noteType(textOf(c.lines, t.Span()))
		}
	}
	types := c.chunk.Types
	for _, list := range [][]*syntax.TypeDecl{types.Declared, types.Nested} {
		for _, d := range list {
			note(d.Type)
			for _, p := range d.Params {
				note(p.Bound)
			}
		}
	}
	for _, l := range types.Locals {
		for _, t := range l.Types {
			note(t)
		}
	}
	for _, f := range types.Functions {
		for _, list := range [][]syntax.TypeNode{f.Params, f.Returns, {f.Vararg}} {
			for _, t := range list {
				note(t)
			}
		}
		for _, p := range f.TypeParams {
			note(p.Bound)
		}
	}
	for _, cast := range types.Casts {
		note(cast.Type)
	}
}

// noteType notes the words of a type that are followed by a dot, and all of them when there is a typeof.
func (c *checker) noteType(text string) {
	all := strings.Contains(text, "typeof")
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && wordByte(text[j]) {
			j++
		}
		if rest := strings.TrimLeft(text[j:], " \t"); j > i && (all || strings.HasPrefix(rest, ".") && !strings.HasPrefix(rest, "...")) {
			c.typed[text[i:j]] = true
		}
		i = j + 1
	}
}

func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// textOf returns the source text of a span.
func textOf(lines []string, s syntax.Span) string {
	var b strings.Builder
	for n := s.Start.Line; n <= s.End.Line && n <= len(lines); n++ {
		if n < 1 {
			continue
		}
		line := lines[n-1]
		from, to := 0, len(line)
		if n == s.Start.Line {
			from = min(max(s.Start.Col-1, 0), len(line))
		}
		if n == s.End.Line {
			to = min(max(s.End.Col-1, from), len(line))
		}
		b.WriteString(line[from:to] + "\n")
	}
	return b.String()
}

// splitLines splits a source where Lua ends lines: LF, CR, CRLF and LFCR count as one.
func splitLines(text string) []string {
	var lines []string
	for {
		at := strings.IndexAny(text, "\r\n")
		if at < 0 {
			return append(lines, text)
		}
		lines = append(lines, text[:at])
		next := at + 1
		if next < len(text) && (text[next] == '\r' || text[next] == '\n') && text[next] != text[at] {
			next++
		}
		text = text[next:]
	}
}
