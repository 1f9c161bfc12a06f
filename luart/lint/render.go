// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Styles of a terminal.
const (
	styleReset  = "\x1b[0m"
	styleBold   = "\x1b[1m"
	styleRed    = "\x1b[1;31m"
	styleYellow = "\x1b[1;33m"
	styleCyan   = "\x1b[1;36m"
	styleBlue   = "\x1b[1;34m"
)

// Render returns the diagnostic for people: header, place, source line with a caret, help. It ends without a line break.
func (d Diagnostic) Render(color bool) string {
	paint := func(style, text string) string {
		if !color {
			return text
		}
		return style + text + styleReset
	}
	style := map[Severity]string{Error: styleRed, Warning: styleYellow, Hint: styleCyan}[d.Severity]
	if d.text != "" {
		header, rest, _ := strings.Cut(d.text, "\n")
		if kind, message, ok := strings.Cut(header, ": "); ok {
			header = paint(style, kind) + ": " + paint(styleBold, message)
		}
		if d.File != "" {
			rest += "\n" + paint(styleBlue, "  = ") + "note: " + d.File
		}
		return header + "\n" + rest
	}
	number := ""
	if d.Line > 0 {
		number = strconv.Itoa(d.Line)
	}
	margin := strings.Repeat(" ", max(len(number), 1))
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", paint(style, fmt.Sprintf("%s[%s]", d.Severity, d.Code)), paint(styleBold, d.Message))
	at := d.Entry
	switch {
	case d.Line > 0:
		at = fmt.Sprintf("%s:%d:%d", d.Entry, d.Line, d.Column)
		if d.File != "" {
			at += " (" + d.File + ")"
		}
	case d.File != "":
		at = d.File + " (" + d.Entry + ")"
	}
	fmt.Fprintf(&b, "%s %s", paint(styleBlue, margin+"-->"), at)
	if d.Line > 0 {
		line, from, to := expand(d.Excerpt, d.Column, d.EndColumn)
		fmt.Fprintf(&b, "\n%s\n%s %s\n%s %s%s", paint(styleBlue, margin+" |"), paint(styleBlue, number+" |"), line,
			paint(styleBlue, margin+" |"), strings.Repeat(" ", from), paint(style, "^"+strings.Repeat("~", max(to-from-1, 0))))
	}
	if d.Help != "" {
		fmt.Fprintf(&b, "\n%s %s", paint(styleBlue, margin+" ="), "help: "+d.Help)
	}
	return b.String()
}

// expand returns a source line with tabs widened to stops of eight and the columns, from 0, that a span has in it. What
// a terminal would obey is replaced.
func expand(source string, column, end int) (line string, from, to int) {
	var b strings.Builder
	width := 0
	for i, r := range source {
		if i < column {
			from = width
		}
		if i < end {
			to = width
		}
		switch {
		case r == '\t':
			n := 8 - width%8
			b.WriteString("        "[:n])
			width += n
		case unicode.IsControl(r):
			b.WriteRune(unicode.ReplacementChar)
			width++
		default:
			b.WriteRune(r)
			width++
		}
	}
	if column > len(source) {
		from = width
	}
	if end > len(source) {
		to = width
	}
	return b.String(), from, to
}
