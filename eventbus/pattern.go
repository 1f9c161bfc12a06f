// SPDX-License-Identifier: Apache-2.0

package eventbus

import (
	"slices"
	"strings"
)

// Matcher is a compiled wildcard pattern; make it with [CompilePattern]. The zero
// Matcher matches only the empty subject. A Matcher is immutable.
type Matcher struct {
	text   string
	tokens []token
	plain  bool // no wildcard: compare text
}

// token is one segment of a pattern.
type token struct {
	kind tokenKind
	text string   // the segment for literal; the sorted words joined by '|' for oneOf
	any  []string // the words of oneOf, sorted
}

type tokenKind uint8

const (
	literal    tokenKind = iota
	oneSegment           // *
	anySegments
	oneOf // (a|b)
)

// CompilePattern compiles a wildcard pattern. Pattern and subject are split on "."
// and compared segment by segment:
//
//   - matches exactly one segment
//     **      matches zero or more segments
//     (a|b)   matches one segment equal to any of the alternatives
//
// Anything else, foo* and (a|b included, is literal. The empty subject has no
// segments: it is matched by "" and "**", not by "*". Every string is a valid
// pattern.
func CompilePattern(pattern string) Matcher {
	m := Matcher{text: pattern, plain: true}
	if pattern == "" {
		return m
	}
	for segment := range strings.SplitSeq(pattern, ".") {
		t := compileSegment(segment)
		if t.kind != literal {
			m.plain = false
		}
		if n := len(m.tokens); t.kind == anySegments && n > 0 && m.tokens[n-1].kind == anySegments {
			continue // **.** says no more than **
		}
		m.tokens = append(m.tokens, t)
	}
	return m
}

func compileSegment(s string) token {
	switch {
	case s == "*":
		return token{kind: oneSegment}
	case s == "**":
		return token{kind: anySegments}
	case len(s) >= 2 && s[0] == '(' && s[len(s)-1] == ')':
		words := strings.Split(s[1:len(s)-1], "|")
		slices.Sort(words)
		words = slices.Compact(words)
		return token{kind: oneOf, text: strings.Join(words, "|"), any: words}
	default:
		return token{kind: literal, text: s}
	}
}

// String returns the text the matcher was compiled from.
func (m Matcher) String() string { return m.text }

// Match reports whether the pattern matches subject. It allocates nothing and takes
// time proportional, at worst, to the product of both lengths.
func (m Matcher) Match(subject string) bool {
	if m.plain {
		return subject == m.text
	}
	// The usual treatment of a glob: on a mismatch go back to the latest ** and let
	// it take one segment more. An earlier ** never has to be reconsidered, because
	// the later one could take whatever the earlier would.
	var (
		rest         = segments{text: subject, end: subject == ""}
		p            = 0
		retry        = -1 // token after the latest **
		retrySegment segments
	)
	for !rest.end {
		if p < len(m.tokens) {
			t := &m.tokens[p]
			if t.kind == anySegments {
				p++
				retry, retrySegment = p, rest
				continue
			}
			segment, next := rest.cut()
			if t.matches(segment) {
				p++
				rest = next
				continue
			}
		}
		if retry < 0 {
			return false
		}
		_, retrySegment = retrySegment.cut()
		p, rest = retry, retrySegment
	}
	for p < len(m.tokens) && m.tokens[p].kind == anySegments {
		p++
	}
	return p == len(m.tokens)
}

// matches reports whether a token that stands for one segment accepts s.
func (t *token) matches(s string) bool {
	switch t.kind {
	case literal:
		return t.text == s
	case oneOf:
		return slices.Contains(t.any, s)
	default:
		return true
	}
}

// segments is a cursor over the segments of a subject.
type segments struct {
	text string
	end  bool // no segment left; an empty text alone may be one empty segment
}

// cut returns the next segment and the cursor behind it.
func (s segments) cut() (string, segments) {
	i := strings.IndexByte(s.text, '.')
	if i < 0 {
		return s.text, segments{end: true}
	}
	return s.text[:i], segments{text: s.text[i+1:]}
}
