// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is the reason why a source text was refused. The first problem ends the parse, so there is one per text.
type Error struct {
	Name       string // chunk name, normally an entry id
	Line       int    // line of the problem, from 1
	Col        int    // byte column, from 1; 0 when only the line is known
	EndCol     int    // column after the offending text on the same line; 0 when unknown
	Message    string // what is wrong, without a position
	Hint       string // what to do about it, or ""
	SourceLine string // text of the line, without its line break
	AtEOF      bool   // the text ended too early
	Compile    bool   // the text has the right form but cannot be compiled, as a goto without a label
}

// Error returns `<name>:<line>:<col>: <message>`, `<name> at EOF: <message>` for a text that ended too early, and
// `compile error near line(<line>) <name>: <message>` for a text that cannot be compiled.
func (e *Error) Error() string {
	switch {
	case e.Compile:
		return fmt.Sprintf("compile error near line(%d) %s: %s", e.Line, e.Name, e.Message)
	case e.AtEOF:
		return e.Name + " at EOF: " + e.Message
	case e.Col == 0:
		return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Col, e.Message)
}

// Kind returns "Invalid": an entry whose source does not parse is an invalid entry.
func (e *Error) Kind() string { return "Invalid" }

// Pretty renders the error over several lines: a header, the position, the source line with a caret under the problem,
// and the hint. The text ends without a line break.
func (e *Error) Pretty() string {
	number := strconv.Itoa(e.Line)
	margin := strings.Repeat(" ", len(number))
	var b strings.Builder
	fmt.Fprintf(&b, "error: %s\n%s--> %s:%d", e.Message, margin, e.Name, e.Line)
	if e.Col > 0 {
		fmt.Fprintf(&b, ":%d", e.Col)
	}
	if e.SourceLine != "" || e.Col > 0 {
		line, from, to := e.expand()
		fmt.Fprintf(&b, "\n%s |\n%s | %s", margin, number, line)
		if e.Col > 0 {
			fmt.Fprintf(&b, "\n%s | %s^%s", margin, strings.Repeat(" ", from), strings.Repeat("~", max(to-from-1, 0)))
		}
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "\n%s = help: %s", margin, e.Hint)
	}
	return b.String()
}

// expand returns the source line with tabs widened to stops of eight and the columns, from 0, that the span has in it.
func (e *Error) expand() (line string, from, to int) {
	var b strings.Builder
	for i := 0; i < len(e.SourceLine); i++ {
		if i == e.Col-1 {
			from = b.Len()
		}
		if i == e.EndCol-1 {
			to = b.Len()
		}
		if e.SourceLine[i] == '\t' {
			b.WriteString("        "[:8-b.Len()%8])
			continue
		}
		b.WriteByte(e.SourceLine[i])
	}
	if e.Col > len(e.SourceLine) {
		from = b.Len()
	}
	if e.EndCol > len(e.SourceLine) {
		to = b.Len()
	}
	return b.String(), from, to
}

// fail ends the parse with an error at token t. Parse recovers the value.
func (lx *lexer) fail(t token, message, hint string) {
	panic(lx.errorAt(t, message, hint))
}

func (lx *lexer) errorAt(t token, message, hint string) *Error {
	start, end := t.bol, t.pos
	for end < len(lx.src) && class[lx.src[end]]&cNewline == 0 {
		end++
	}
	e := &Error{
		Name: lx.name, Line: t.line, Col: t.pos - start + 1, Message: message, Hint: hint,
		SourceLine: lx.src[start:end], AtEOF: t.kind == kEOF && t.pos >= len(lx.src),
	}
	e.EndCol = max(min(t.end, end), t.pos+1) - start + 1
	return e
}

// position is where a token begins.
func (t *token) position() Position { return Position{t.line, t.pos - t.bol + 1} }
