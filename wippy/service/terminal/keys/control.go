// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// finals are the keys whose sequence ends with a letter of its own.
var finals = map[byte]string{
	'A': "up", 'B': "down", 'C': "right", 'D': "left", 'H': "home", 'F': "end",
	'P': "f1", 'Q': "f2", 'R': "f3", 'S': "f4",
}

// numbers are the keys whose sequence has a number.
var numbers = map[int]string{
	1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pgup", 6: "pgdown", 7: "home", 8: "end",
	11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10", 23: "f11", 24: "f12",
}

// farKeys are function keys beyond the common ones.
var farKeys = map[int]string{
	25: "f13", 26: "f14", 28: "f15", 29: "f16", 31: "f17", 32: "f18", 33: "f19", 34: "f20",
}

// controlKeys are the keys that also have a code.
var controlKeys = map[int]string{9: "tab", 13: "enter", 27: "esc", 32: "space", 127: "backspace", 8: "backspace"}

// control decodes a control sequence, "[" and what follows, and returns its length, 0 when it goes on. It is not known
// when it can be none.
func (d *Decoder) control(b []byte) (n int, known bool) {
	if len(b) == 1 {
		return 0, true
	}
	switch b[1] {
	case 'M':
		if len(b) < 5 {
			return 0, true
		}
		d.mouse(int(b[2])-32, int(b[3])-33, int(b[4])-33, 'M', true)
		return 5, true
	case '[': // the console of Linux
		if len(b) < 3 {
			return 0, true
		}
		if b[2] >= 'A' && b[2] <= 'E' {
			d.named("f"+strconv.Itoa(int(b[2]-'A')+1), Event{})
			return 3, true
		}
		return 0, false
	}
	for i := 1; i < min(len(b), maxSequence); i++ {
		c := b[i]
		switch {
		case c >= 0x40 && c <= 0x7e, c == '$' && digits(b[1:i]):
			d.controlled(string(b[1:i]), c)
			return i + 1, true
		case c < 0x20 || c > 0x7e:
			return i, true // cut off: what comes now is something else
		}
	}
	if len(b) >= maxSequence {
		return maxSequence, true
	}
	return 0, true
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// controlled handles a complete control sequence. Those that are no input, answers of the terminal mostly, are dropped.
func (d *Decoder) controlled(params string, final byte) {
	if rest, ok := strings.CutPrefix(params, "<"); ok {
		if p := numbersOf(rest); len(p) == 3 && (final == 'M' || final == 'm') {
			d.mouse(p[0][0], p[1][0]-1, p[2][0]-1, final, false)
		}
		return
	}
	if strings.ContainsAny(params, "<=>?!\"#%&'()*+,-./ ") {
		return
	}
	p := numbersOf(params)
	code := at(p, 0, 0)
	e := modified(at(p, 1, 0), at(p, 1, 1))
	switch final {
	case 'I', 'O':
		if params == "" {
			d.emit(Event{Type: Focus, Focused: final == 'I'})
		}
	case 'Z':
		e.Shift = true
		d.named("tab", e)
	case 'a', 'b', 'c', 'd':
		if params == "" {
			e.Shift = true
			d.named(finals[final-'a'+'A'], e)
		}
	case 'u':
		d.coded(p, e)
	case '~':
		switch {
		case code == 200:
			d.pasting = true
		case code == 27 && len(p) > 2:
			d.coded([][]int{{at(p, 2, 0)}}, e)
		default:
			d.numbered(code, e)
		}
	case '$':
		e.Shift = true
		d.numbered(code, e)
	case '^':
		e.Ctrl = true
		d.numbered(code, e)
	case '@':
		e.Ctrl, e.Shift = true, true
		d.numbered(code, e)
	default:
		// A position the terminal was asked for ends like f3, but does not begin with 1.
		if name, ok := finals[final]; ok && code <= 1 {
			d.named(name, e)
		}
	}
}

func (d *Decoder) numbered(code int, e Event) {
	if name, ok := numbers[code]; ok {
		d.named(name, e)
	} else if name, ok := farKeys[code]; ok {
		d.unknown(name, e)
	}
}

// coded handles a key that comes as its code point, with the one it has with shift and the text it makes.
func (d *Decoder) coded(p [][]int, e Event) {
	code := at(p, 0, 0)
	if name, ok := controlKeys[code]; ok {
		d.named(name, e)
		return
	}
	const private, privateEnd = 0xe000, 0xf8ff // keys without text
	if code >= private && code <= privateEnd || code < ' ' || code > unicode.MaxRune || !utf8.ValidRune(rune(code)) {
		d.unknown("unknown", e)
		return
	}
	r := rune(code)
	if shifted := rune(at(p, 0, 1)); e.Shift && unicode.IsPrint(shifted) {
		r = shifted
	} else if e.Shift {
		r = unicode.ToUpper(r)
	}
	var text strings.Builder
	if len(p) > 2 {
		for _, c := range p[2] {
			if unicode.IsPrint(rune(c)) {
				text.WriteRune(rune(c))
			}
		}
	}
	if text.Len() > 0 {
		d.text(text.String(), e)
		return
	}
	d.text(string(r), e)
}

// keypad decodes "O" and what follows: function and arrow keys, and the keys of the number block in their other mode.
func (d *Decoder) keypad(b []byte) (n int, known bool) {
	i := 1
	for i < min(len(b), 4) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == len(b) {
		return 0, true
	}
	var e Event
	if i > 1 {
		modifiers, _ := strconv.Atoi(string(b[1:i]))
		e = modified(modifiers, 0)
	}
	c := b[i]
	switch name, ok := finals[c]; {
	case ok:
		d.named(name, e)
	case c >= 'a' && c <= 'd':
		e.Ctrl = true
		d.named(finals[c-'a'+'A'], e)
	case c == 'M':
		d.named("enter", e)
	case c == 'I':
		d.named("tab", e)
	case c == ' ':
		d.named("space", e)
	case c >= 'j' && c <= 'y':
		d.text(string("*+,-./0123456789"[c-'j']), e)
	case c == 'X':
		d.text("=", e)
	default:
		return 0, false
	}
	return i + 1, true
}

// mouse handles what the mouse did. The old way of telling it does not say which button was released.
func (d *Decoder) mouse(code, x, y int, final byte, old bool) {
	if code < 0 || x < 0 || y < 0 {
		return
	}
	const shift, alt, ctrl, moved, wheel, more = 4, 8, 16, 32, 64, 128
	e := Event{Type: Mouse, X: x, Y: y, Shift: code&shift != 0, Alt: code&alt != 0, Ctrl: code&ctrl != 0, Action: Press, Button: "none"}
	button := code & 3
	switch {
	case code&wheel != 0:
		e.Action = Wheel
		if button < 2 {
			e.Button = [...]string{"wheel_up", "wheel_down"}[button]
		}
	case code&more != 0: // buttons without a name
	default:
		e.Button = [...]string{"left", "middle", "right", "none"}[button]
	}
	switch {
	case e.Action == Wheel:
	case code&moved != 0:
		e.Action = Motion
	case final == 'm' || old && button == 3:
		e.Action = Release
	}
	d.emit(e)
}

// modified is the begin of an event of a key with modifiers, coded as 1 and the sum of their bits. kind 3 says that it
// was released.
func modified(modifiers, kind int) Event {
	bits := max(modifiers-1, 0)
	e := Event{Shift: bits&1 != 0, Alt: bits&2 != 0, Ctrl: bits&4 != 0}
	if kind == 3 {
		e.Action = Release
	}
	return e
}

// numbersOf reads parameters: groups of numbers, absent ones are 0.
func numbersOf(params string) [][]int {
	var out [][]int
	for group := range strings.SplitSeq(params, ";") {
		var numbers []int
		for text := range strings.SplitSeq(group, ":") {
			n, _ := strconv.Atoi(text)
			numbers = append(numbers, min(max(n, 0), unicode.MaxRune+1))
		}
		out = append(out, numbers)
	}
	return out
}

// at returns number j of group i, 0 when there is none.
func at(p [][]int, i, j int) int {
	if i < len(p) && j < len(p[i]) {
		return p[i][j]
	}
	return 0
}
