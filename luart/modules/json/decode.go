// SPDX-License-Identifier: Apache-2.0

package json

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

var errDecodeDepth = errors.New("json: maximum nesting depth exceeded")

// SyntaxError says what is wrong with a JSON text, and where.
type SyntaxError struct {
	// Offset is the number of bytes before the problem.
	Offset int
	// Problem is the message without the position.
	Problem string
}

// Error returns the message with the position.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("json: %s at byte %d", e.Problem, e.Offset)
}

// Decode reads the first JSON value of text as a Lua value and ignores what follows it. Objects become tables
// with string keys, arrays 1-based tables; null is nil, so null members are absent and null elements are holes.
// An integer that a Lua number cannot represent exactly becomes a string of its digits. Duplicate members and
// text that is not UTF-8 are errors.
func Decode(text string) (lua.LValue, error) {
	d := decoder{text: text}
	return d.value(0)
}

type decoder struct {
	text string
	pos  int
}

func (d *decoder) fail(at int, format string, args ...any) error {
	return &SyntaxError{Offset: at, Problem: fmt.Sprintf(format, args...)}
}

// unexpected describes the byte at the current position as something that may not be there.
func (d *decoder) unexpected(where string) error {
	if d.pos >= len(d.text) {
		return d.fail(d.pos, "unexpected end of input %s", where)
	}
	r, size := utf8.DecodeRuneInString(d.text[d.pos:])
	if r == utf8.RuneError && size == 1 {
		return d.fail(d.pos, "invalid UTF-8")
	}
	return d.fail(d.pos, "invalid character %q %s", r, where)
}

func (d *decoder) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

func (d *decoder) value(depth int) (lua.LValue, error) {
	d.space()
	if d.pos >= len(d.text) {
		return nil, d.unexpected("looking for a value")
	}
	if depth > maxDepth {
		return nil, errDecodeDepth
	}
	switch c := d.text[d.pos]; {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '"':
		s, err := d.str()
		if err != nil {
			return nil, err
		}
		return lua.LString(s), nil
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	case c == 't':
		return lua.LTrue, d.word("true")
	case c == 'f':
		return lua.LFalse, d.word("false")
	case c == 'n':
		return lua.LNil, d.word("null")
	}
	return nil, d.unexpected("looking for a value")
}

func (d *decoder) word(word string) error {
	for i := range len(word) {
		if d.pos >= len(d.text) || d.text[d.pos] != word[i] {
			return d.unexpected("in " + word)
		}
		d.pos++
	}
	return nil
}

func (d *decoder) array(depth int) (lua.LValue, error) {
	d.pos++
	items := make([]lua.LValue, 0, 8)
	d.space()
	if d.pos < len(d.text) && d.text[d.pos] == ']' {
		d.pos++
		return newTable(0, 0), nil
	}
	for {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		more, err := d.next(']', "after an array element")
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	t := newTable(len(items), 0)
	for i, v := range items {
		if v != lua.LNil {
			t.RawSetInt(i+1, v)
		}
	}
	return t, nil
}

func (d *decoder) object(depth int) (lua.LValue, error) {
	d.pos++
	t := newTable(0, 4)
	d.space()
	if d.pos < len(d.text) && d.text[d.pos] == '}' {
		d.pos++
		t.RawSetString("", lua.LNil) // leaves the mark of an object: see hadNames
		return t, nil
	}
	var nulls map[string]bool // names of members that are null, and so leave no trace in the table
	for {
		d.space()
		at := d.pos
		if at >= len(d.text) || d.text[at] != '"' {
			return nil, d.unexpected("looking for a member name")
		}
		name, err := d.str()
		if err != nil {
			return nil, err
		}
		if t.RawGetString(name) != lua.LNil || nulls[name] {
			return nil, d.fail(at, "duplicate object member name %q", name)
		}
		d.space()
		if d.pos >= len(d.text) || d.text[d.pos] != ':' {
			return nil, d.unexpected("after a member name")
		}
		d.pos++
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if v == lua.LNil {
			if nulls == nil {
				nulls = make(map[string]bool)
			}
			nulls[name] = true
		} else {
			t.RawSetString(name, v)
		}
		more, err := d.next('}', "after an object member")
		if err != nil || !more {
			return t, err
		}
	}
}

// next takes the comma before a further item (true) or the closing bracket (false).
func (d *decoder) next(closing byte, where string) (bool, error) {
	d.space()
	if d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ',':
			d.pos++
			return true, nil
		case closing:
			d.pos++
			return false, nil
		}
	}
	return false, d.unexpected(where)
}

// str reads a string. Text without escapes, the usual case, is a part of the input and is not copied.
func (d *decoder) str() (string, error) {
	d.pos++
	start, ascii := d.pos, true
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			s := d.text[start:d.pos]
			if !ascii && !utf8.ValidString(s) {
				return "", d.fail(start, "invalid UTF-8 in a string")
			}
			d.pos++
			return s, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", d.unexpected("in a string")
		case c >= utf8.RuneSelf:
			ascii = false
		}
		d.pos++
	}
	return "", d.unexpected("in a string")
}

// escaped goes on with a string that begins at start, from its first backslash.
func (d *decoder) escaped(start int) (string, error) {
	var b strings.Builder
	part := start
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			b.WriteString(d.text[part:d.pos])
			d.pos++
			s := b.String()
			if !utf8.ValidString(s) {
				return "", d.fail(start, "invalid UTF-8 in a string")
			}
			return s, nil
		case c == '\\':
			b.WriteString(d.text[part:d.pos])
			r, err := d.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			part = d.pos
		case c < ' ':
			return "", d.unexpected("in a string")
		default:
			d.pos++
		}
	}
	return "", d.unexpected("in a string")
}

func (d *decoder) escape() (rune, error) {
	d.pos++
	if d.pos >= len(d.text) {
		return 0, d.unexpected("in an escape")
	}
	const letters, values = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := d.text[d.pos]
	if i := strings.IndexByte(letters, c); i >= 0 {
		d.pos++
		return rune(values[i]), nil
	}
	if c != 'u' {
		return 0, d.unexpected("in an escape")
	}
	at := d.pos - 1
	r, err := d.hex()
	if err != nil {
		return 0, err
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if strings.HasPrefix(d.text[d.pos:], `\u`) {
		d.pos++
		second, err := d.hex()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			return pair, nil
		}
	}
	return 0, d.fail(at, "invalid surrogate pair")
}

// hex reads the four digits of a \u escape; the position is at the u.
func (d *decoder) hex() (rune, error) {
	d.pos++
	var r rune
	for range 4 {
		if d.pos >= len(d.text) {
			return 0, d.unexpected("in an escape")
		}
		digit := strings.IndexByte(hexDigits, d.text[d.pos]|0x20)
		if digit < 0 || d.text[d.pos] < '0' {
			return 0, d.unexpected("in an escape")
		}
		r = r<<4 | rune(digit)
		d.pos++
	}
	return r, nil
}

func (d *decoder) digits() int {
	start := d.pos
	for d.pos < len(d.text) && d.text[d.pos] >= '0' && d.text[d.pos] <= '9' {
		d.pos++
	}
	return d.pos - start
}

func (d *decoder) number() (lua.LValue, error) {
	start := d.pos
	if d.text[d.pos] == '-' {
		d.pos++
	}
	first := d.pos
	if d.digits() == 0 {
		return nil, d.unexpected("in a number")
	}
	if d.text[first] == '0' && d.pos > first+1 {
		d.pos = first + 1 // numbers have no leading zeros: the value ends after the zero
		return nil, d.unexpected("after a leading zero")
	}
	whole := true
	if d.pos < len(d.text) && d.text[d.pos] == '.' {
		whole = false
		d.pos++
		if d.digits() == 0 {
			return nil, d.unexpected("in a number")
		}
	}
	if d.pos < len(d.text) && d.text[d.pos]|0x20 == 'e' {
		whole = false
		d.pos++
		if d.pos < len(d.text) && (d.text[d.pos] == '+' || d.text[d.pos] == '-') {
			d.pos++
		}
		if d.digits() == 0 {
			return nil, d.unexpected("in a number")
		}
	}
	text := d.text[start:d.pos]
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, d.fail(start, "number %s is out of range", text)
	}
	if whole && len(text) > 15 && !exact(text, f) {
		return lua.LString(text), nil
	}
	return lua.LNumber(f), nil
}

// exact reports whether f is the whole number written in text.
func exact(text string, f float64) bool {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return false
	}
	g, _ := big.NewFloat(f).Int(nil)
	return n.Cmp(g) == 0
}
