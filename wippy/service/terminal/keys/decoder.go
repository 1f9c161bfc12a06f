// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

const (
	esc = 0x1b

	// maxSequence bounds a control sequence, maxString the answer of a terminal to a question: longer ones are none.
	maxSequence = 64
	maxString   = 4096
	// maxPaste is how much pasted text makes one event; more makes several.
	maxPaste = 1 << 20
)

var pasteEnd = []byte("\x1b[201~")

// Decoder decodes the input of a terminal. The zero value is ready.
type Decoder struct {
	emit    func(Event)
	buf     []byte
	pasting bool
}

// Feed decodes more input. emit is called for each event, in order.
func (d *Decoder) Feed(input []byte, emit func(Event)) {
	d.buf = append(d.buf, input...)
	d.decode(emit, false)
}

// Pending reports whether input is kept that may be the begin of something longer, or may be all: the escape key and
// the begin of an arrow key are the same. Call Flush when nothing has come for a moment.
func (d *Decoder) Pending() bool { return len(d.buf) > 0 && !d.pasting }

// Flush takes what is pending for all there is.
func (d *Decoder) Flush(emit func(Event)) {
	if d.Pending() {
		d.decode(emit, true)
	}
}

func (d *Decoder) decode(emit func(Event), last bool) {
	d.emit = emit
	at := 0
	for at < len(d.buf) {
		var n int
		if d.pasting {
			n = d.paste(d.buf[at:])
		} else {
			n = d.one(d.buf[at:], last)
		}
		if n == 0 {
			break
		}
		at += n
	}
	d.buf = append(d.buf[:0], d.buf[at:]...)
	if cap(d.buf) > maxPaste && len(d.buf) == 0 {
		d.buf = nil
	}
}

// one decodes what b begins with and returns its length, 0 when more input is needed.
func (d *Decoder) one(b []byte, last bool) int {
	if b[0] != esc {
		return d.plain(b, last, Event{})
	}
	if len(b) == 1 {
		if last {
			d.named("esc", Event{})
			return 1
		}
		return 0
	}
	n, known := d.sequence(b[1:], last)
	switch {
	case known && n > 0:
		return 1 + n
	case known && !last:
		return 0
	case b[1] != esc:
		// Alt makes a terminal send escape before the key.
		if n = d.plain(b[1:], last, Event{Alt: true}); n == 0 {
			return 0
		}
		return 1 + n
	}
	return d.escaped(b, last)
}

// escaped decodes two escapes: alt with the escape key, or with a key that sends a sequence.
func (d *Decoder) escaped(b []byte, last bool) int {
	if len(b) == 2 {
		if !last {
			return 0
		}
		d.named("esc", Event{Alt: true})
		return 2
	}
	emit := d.emit
	d.emit = func(e Event) {
		e.Alt = e.Alt || e.Type == Key
		emit(e)
	}
	n, known := d.sequence(b[2:], last)
	d.emit = emit
	switch {
	case known && n > 0:
		return 2 + n
	case known && !last:
		return 0
	}
	d.named("esc", Event{})
	return 1
}

// sequence decodes what follows an escape when it is the begin of a sequence: known tells whether, n is 0 when it goes
// on.
func (d *Decoder) sequence(b []byte, last bool) (n int, known bool) {
	switch b[0] {
	case '[':
		return d.control(b)
	case 'O':
		return d.keypad(b)
	case ']', 'P', '_', '^', 'X':
		return answer(b, last)
	}
	return 0, false
}

// plain decodes a key that sends no sequence. e has the modifiers that are known already.
func (d *Decoder) plain(b []byte, last bool, e Event) int {
	c := b[0]
	switch {
	case c == 0:
		e.Ctrl = true
		d.named("space", e)
	case c == '\t':
		d.named("tab", e)
	case c == '\r':
		d.named("enter", e)
	case c == esc:
		d.named("esc", e)
	case c == ' ':
		d.named("space", e)
	case c == 0x7f:
		d.named("backspace", e)
	case c < 0x1b:
		e.Ctrl = true
		d.text(string(rune(c)+'a'-1), e)
	case c < ' ':
		e.Ctrl = true
		d.text(string(rune(c)+'@'), e)
	case c < utf8.RuneSelf:
		e.Shift = unicode.IsUpper(rune(c))
		d.text(string(rune(c)), e)
	default:
		if !last && !utf8.FullRune(b) {
			return 0
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			d.unknown("unknown", e)
			return 1
		}
		e.Shift = unicode.IsUpper(r)
		d.text(string(r), e)
		return n
	}
	return 1
}

// paste collects pasted text until its end.
func (d *Decoder) paste(b []byte) int {
	if i := bytes.Index(b, pasteEnd); i >= 0 {
		d.pasting = false
		if i > 0 {
			d.emit(Event{Type: Paste, Text: string(b[:i])})
		}
		return i + len(pasteEnd)
	}
	if len(b) < maxPaste {
		return 0
	}
	n := len(b) - len(pasteEnd) // the end may have begun
	for n > maxPaste/2 && !utf8.RuneStart(b[n]) {
		n--
	}
	d.emit(Event{Type: Paste, Text: string(b[:n])})
	return n
}

// answer skips what a terminal answers to a question: a text that ends with a bell or with escape and a backslash.
// Without an end it was a key with alt, when it is that short.
func answer(b []byte, last bool) (n int, known bool) {
	for i := 1; i < min(len(b), maxString); i++ {
		switch {
		case b[i] == 7:
			return i + 1, true
		case b[i] == esc && i+1 < len(b) && b[i+1] == '\\':
			return i + 2, true
		case b[i] == esc && i+1 < len(b):
			return i, true // cut off
		}
	}
	if len(b) >= maxString || last && len(b) > 1 {
		return len(b), true
	}
	return 0, true
}

func (d *Decoder) text(key string, e Event) { d.key(key, Runes, e) }

func (d *Decoder) named(name string, e Event) { d.key(name, name, e) }

func (d *Decoder) unknown(name string, e Event) { d.key(name, Unknown, e) }

func (d *Decoder) key(key, kind string, e Event) {
	e.Type, e.Key, e.KeyType = Key, key, kind
	if e.Action == "" {
		e.Action = Press
	}
	d.emit(e)
}
