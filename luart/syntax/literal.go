// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"errors"
	"strconv"
	"strings"
)

// scanNumber reads a numeral starting at offset i and stores it in a form that gopher-lua's own number reader takes
// for what it means: it would read 010 as octal, 1e999 and a hexadecimal numeral beyond 64 bits as not a number.
func (lx *lexer) scanNumber(t *token, i int) {
	src := lx.src
	t.kind = kNumber
	if src[i] == '0' && (lx.at(i+1) == 'x' || lx.at(i+1) == 'X') {
		j := i + 2
		for class[lx.at(j)]&cHex != 0 {
			j++
		}
		t.end = j
		if j == i+2 {
			lx.fail(*t, "illegal hexadecimal number", "at least one digit 0-9 or a-f must follow 0x")
		}
		lx.off, t.text = j, hexText(src[i:j])
		return
	}
	j := i
	for class[lx.at(j)]&cDigit != 0 {
		j++
	}
	if lx.at(j) == '.' {
		j++
		for class[lx.at(j)]&cDigit != 0 {
			j++
		}
	}
	exponent := false
	if c := lx.at(j); c == 'e' || c == 'E' {
		exponent = true
		j++
		if c = lx.at(j); c == '+' || c == '-' {
			j++
		}
		if class[lx.at(j)]&cDigit == 0 {
			t.end = j
			lx.fail(*t, "malformed exponent", "digits must follow the exponent mark")
		}
		for class[lx.at(j)]&cDigit != 0 {
			j++
		}
	}
	text := src[i:j]
	for len(text) > 1 && text[0] == '0' && class[text[1]]&cDigit != 0 {
		text = text[1:]
	}
	if exponent || len(text) > 300 {
		if _, err := strconv.ParseFloat(text, 64); errors.Is(err, strconv.ErrRange) {
			text = "inf"
		}
	}
	t.end, t.text, lx.off = j, text, j
}

// hexText returns a hexadecimal numeral as it is when it fits an int64, else as a decimal float.
func hexText(s string) string {
	if len(s) < 18 {
		return s
	}
	if _, err := strconv.ParseInt(s, 0, 64); err == nil {
		return s
	}
	f, err := strconv.ParseFloat(s+"p0", 64)
	if err != nil {
		return "inf"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// scanString reads a short string. Without escapes its text is a piece of the source.
func (lx *lexer) scanString(t *token, quote byte) {
	src := lx.src
	start := t.pos + 1
	i := start
	for i < len(src) {
		switch c := src[i]; {
		case c == quote:
			t.kind, t.text, t.end = kString, src[start:i], i+1
			lx.off = t.end
			return
		case c == '\\':
			lx.scanEscaped(t, quote, i)
			return
		case class[c]&cNewline != 0:
			lx.unterminated(t, i)
		}
		i++
	}
	lx.unterminated(t, i)
}

// scanEscaped finishes a short string whose first backslash is at offset i.
func (lx *lexer) scanEscaped(t *token, quote byte, i int) {
	src := lx.src
	var buf strings.Builder
	buf.WriteString(src[t.pos+1 : i])
	for i < len(src) {
		c := src[i]
		switch {
		case c == quote:
			t.kind, t.text, t.end = kString, buf.String(), i+1
			lx.off = t.end
			return
		case class[c]&cNewline != 0:
			lx.unterminated(t, i)
		case c != '\\':
			buf.WriteByte(c)
			i++
		default:
			i = lx.escape(t, &buf, i+1)
		}
	}
	lx.unterminated(t, i)
}

// escape decodes the escape sequence whose first byte after the backslash is at offset i and returns the offset behind
// it. A character without a meaning of its own stands for itself, as in Lua 5.1.
func (lx *lexer) escape(t *token, buf *strings.Builder, i int) int {
	if i >= len(lx.src) {
		lx.unterminated(t, i)
	}
	c := lx.src[i]
	switch {
	case class[c]&cNewline != 0:
		buf.WriteByte('\n')
		return lx.newline(i)
	case class[c]&cDigit != 0:
		n, j := 0, i
		for j < i+3 && class[lx.at(j)]&cDigit != 0 {
			n = n*10 + int(lx.src[j]-'0')
			j++
		}
		if n > 255 {
			lx.fail(token{pos: i - 1, end: j, line: lx.line, bol: lx.bol}, "decimal escape too large",
				"a decimal escape stands for one byte, \\0 to \\255")
		}
		buf.WriteByte(byte(n))
		return j
	}
	switch c {
	case 'a':
		c = '\a'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'v':
		c = '\v'
	}
	buf.WriteByte(c)
	return i + 1
}

func (lx *lexer) unterminated(t *token, end int) {
	t.end = end
	lx.fail(*t, "unterminated string", "close the string with "+lx.src[t.pos:t.pos+1]+" on the same line, or use [[...]]")
}

// longOpen reports whether a long bracket opens at offset i, and its level.
func (lx *lexer) longOpen(i int) (level int, ok bool) {
	j := i + 1
	for lx.at(j) == '=' {
		j++
	}
	return j - i - 1, lx.at(j) == '['
}

// longBracket moves over the long bracket that opens at offset i and, when text is not nil, stores its content there
// with line breaks as line feeds and without a leading one.
func (lx *lexer) longBracket(i, level int, text *string) (end int, ok bool) {
	src := lx.src
	i += level + 2
	if i < len(src) && class[src[i]]&cNewline != 0 {
		i = lx.newline(i)
	}
	start := i
	var buf strings.Builder
	copied := false
	for i < len(src) {
		switch c := src[i]; {
		case c == ']' && lx.closes(i, level):
			if text != nil {
				*text = src[start:i]
				if copied {
					buf.WriteString(src[start:i])
					*text = buf.String()
				}
			}
			return i + level + 2, true
		case class[c]&cNewline != 0:
			j := lx.newline(i)
			if text != nil && (c == '\r' || j > i+1) {
				copied = true
				buf.WriteString(src[start:i])
				buf.WriteByte('\n')
				start = j
			}
			i = j
		default:
			i++
		}
	}
	return i, false
}

func (lx *lexer) closes(i, level int) bool {
	i++
	for ; level > 0; level-- {
		if lx.at(i) != '=' {
			return false
		}
		i++
	}
	return lx.at(i) == ']'
}

func longCloser(level int) string { return "]" + strings.Repeat("=", level) + "]" }

// scanLongString reads a string in long brackets.
func (lx *lexer) scanLongString(t *token) {
	level, ok := lx.longOpen(t.pos)
	t.end = t.pos + level + 1
	if !ok {
		lx.fail(*t, "invalid multiline string", "a long string opens with [[ or [=[")
	}
	t.end++
	end, ok := lx.longBracket(t.pos, level, &t.text)
	if !ok {
		lx.fail(*t, "unterminated multiline string", "close it with "+longCloser(level))
	}
	t.kind, t.end, lx.off = kString, end, end
}
