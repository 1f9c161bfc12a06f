// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// maxPattern is how long a query may be: the library counts its steps with 16 bits.
	maxPattern = 32 << 10
	// maxNesting is how deep a query may be nested: the library reads it with a recursive function.
	maxNesting = 200
)

var errZero = errors.New("the query contains a zero byte")

// inspect fails for patterns that the library must not get, good or bad: it reads on behind zero bytes in names, and
// does not come to an end with "+" after what may match nothing.
func inspect(pattern string) error {
	if len(pattern) > maxPattern {
		return fmt.Errorf("the query is longer than %d bytes", maxPattern)
	}
	if !utf8.ValidString(pattern) {
		return errors.New("the query is not valid UTF-8")
	}
	return (&inspector{pattern: pattern, frames: []frame{{}}}).run()
}

// inspector reads a pattern as the library does, as far as it has to.
type inspector struct {
	pattern string
	at      int
	frames  []frame // those around, the pattern itself first
}

// frame is a pair of brackets, or the whole pattern.
type frame struct {
	kind byte // '[' for alternatives, '(' for a sequence, 'n' for a node, '#' for a predicate
	// item reports whether something stands before the place at hand, empty whether that may match nothing.
	item, empty bool
	// some and full report whether any of what stands before that may match nothing, and whether any may not.
	some, full bool
}

// next begins something in the frame that may match nothing, or may not.
func (f *frame) next(empty bool) {
	f.settle()
	f.item, f.empty = true, empty
}

func (f *frame) settle() {
	if f.item {
		f.some, f.full = f.some || f.empty, f.full || !f.empty
	}
	f.item = false
}

// mayBeEmpty reports whether a frame may match nothing.
func (f *frame) mayBeEmpty() bool {
	f.settle()
	switch f.kind {
	case '[':
		return f.some
	case '(':
		return !f.full
	}
	return false
}

func (r *inspector) run() error {
	for ; r.at < len(r.pattern); r.at++ {
		f := &r.frames[len(r.frames)-1]
		switch c := r.pattern[r.at]; c {
		case 0:
			return errZero
		case ';':
			r.comment()
		case '"':
			if err := r.text(); err != nil {
				return err
			}
			f.next(false)
		case '(', '[':
			if len(r.frames) > maxNesting {
				return fmt.Errorf("the query is nested more than %d levels deep", maxNesting)
			}
			r.frames = append(r.frames, frame{kind: r.opened(c)})
		case ')', ']':
			if len(r.frames) == 1 {
				return nil // the library reports it
			}
			r.frames = r.frames[:len(r.frames)-1]
			if f.kind != '#' {
				r.frames[len(r.frames)-1].next(f.mayBeEmpty())
			}
		case '*', '?':
			f.empty = true
		case '+':
			if f.item && f.empty {
				return r.problem("Quantifier + after a pattern that may match nothing")
			}
		case '@':
			r.at++
			r.word()
		case '_':
			f.next(false)
		default:
			if letter(c) {
				r.word() // a kind of nodes or the name of a field
			}
		}
	}
	return nil
}

// opened returns what a bracket opens.
func (r *inspector) opened(c byte) byte {
	if c == '[' {
		return c
	}
	look := *r
	for look.at++; look.at < len(look.pattern); look.at++ {
		switch look.pattern[look.at] {
		case ' ', '\t', '\n', '\v', '\f', '\r':
		case ';':
			look.comment()
		case '(', '[', '"':
			return '('
		case '.', '#':
			return '#'
		default:
			return 'n'
		}
	}
	return 'n'
}

// comment goes to the end of the line.
func (r *inspector) comment() {
	for r.at+1 < len(r.pattern) && r.pattern[r.at+1] != '\n' && r.pattern[r.at+1] != 0 {
		r.at++
	}
}

// text goes to the end of a string, or of the line that it must end in.
func (r *inspector) text() error {
	for r.at++; r.at < len(r.pattern) && r.pattern[r.at] != '"'; r.at++ {
		escaped := r.pattern[r.at] == '\\'
		if escaped {
			if r.at++; r.at == len(r.pattern) {
				break
			}
		}
		if c := r.pattern[r.at]; c == 0 || escaped && c == '0' {
			return errZero
		}
	}
	return nil
}

// word goes to the last character of a word.
func (r *inspector) word() {
	for r.at < len(r.pattern) && (letter(r.pattern[r.at]) || strings.IndexByte("_.?!", r.pattern[r.at]) >= 0) {
		r.at++
	}
	r.at--
}

func letter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-'
}

// problem makes an error in the form of the library's.
func (r *inspector) problem(what string) error {
	before := r.pattern[:r.at]
	line := strings.LastIndexByte(before, '\n') + 1
	return fmt.Errorf("Query error at %d:%d. %s", strings.Count(before, "\n")+1, r.at-line+1, what)
}
