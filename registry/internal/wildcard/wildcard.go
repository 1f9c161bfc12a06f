// SPDX-License-Identifier: Apache-2.0

// Package wildcard matches dotted names against patterns: `*` stands for exactly
// one segment, `**` for any number of segments including none, `(a|b)` for one
// segment equal to an alternative. Anything else in a segment is literal.
package wildcard

import (
	"slices"
	"strings"
)

type kind uint8

const (
	literal kind = iota
	one
	many
	oneOf
)

type segment struct {
	kind kind
	text string
	alts []string
}

// Pattern is a compiled pattern. The zero value matches only the empty string.
type Pattern struct {
	text string
	segs []segment // nil: compare text exactly
}

// Compile never fails: a segment that is no wildcard is a literal.
func Compile(text string) Pattern {
	p := Pattern{text: text}
	if !IsWild(text) {
		return p
	}
	for s := range strings.SplitSeq(text, ".") {
		seg := segment{text: s}
		switch {
		case s == "*":
			seg.kind = one
		case s == "**":
			seg.kind = many
		case isGroup(s):
			seg.kind, seg.alts = oneOf, strings.Split(s[1:len(s)-1], "|")
		}
		p.segs = append(p.segs, seg)
	}
	return p
}

func isGroup(s string) bool {
	return len(s) >= 2 && s[0] == '(' && s[len(s)-1] == ')'
}

// IsWild reports whether a segment of the pattern is a wildcard.
func IsWild(text string) bool {
	for s := range strings.SplitSeq(text, ".") {
		if s == "*" || s == "**" || isGroup(s) {
			return true
		}
	}
	return false
}

// String returns the pattern as it was given to Compile.
func (p Pattern) String() string { return p.text }

// Match reports whether the subject matches. It does not allocate.
func (p Pattern) Match(subject string) bool {
	if p.segs == nil {
		return p.text == subject
	}
	return match(p.segs, subject, false)
}

// match consumes segments from the front of rest. end tells that rest is used up,
// which an empty rest alone does not: the subject "a." has an empty last segment.
func match(segs []segment, rest string, end bool) bool {
	for i, s := range segs {
		if s.kind == many {
			tail := segs[i+1:]
			for {
				if match(tail, rest, end) {
					return true
				}
				if end {
					return false
				}
				_, rest, end = next(rest)
			}
		}
		if end {
			return false
		}
		var head string
		head, rest, end = next(rest)
		switch s.kind {
		case one:
			if head == "" {
				return false
			}
		case oneOf:
			if !slices.Contains(s.alts, head) {
				return false
			}
		default:
			if head != s.text {
				return false
			}
		}
	}
	return end
}

func next(s string) (head, rest string, end bool) {
	if i := strings.IndexByte(s, '.'); i >= 0 {
		return s[:i], s[i+1:], false
	}
	return s, "", true
}

// Literals returns the names a pattern without `*` and `**` stands for, at most
// limit of them, and nil for any other pattern.
func Literals(text string, limit int) []string {
	out := []string{""}
	for i, s := range strings.Split(text, ".") {
		alts := []string{s}
		switch {
		case s == "*" || s == "**":
			return nil
		case isGroup(s):
			alts = strings.Split(s[1:len(s)-1], "|")
		}
		var grown []string
		for _, prefix := range out {
			for _, a := range alts {
				if i > 0 {
					a = prefix + "." + a
				}
				if grown = append(grown, a); len(grown) > limit {
					return nil
				}
			}
		}
		out = grown
	}
	return out
}
