// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"fmt"
	"strings"
)

// maxAction is how long one action may be. Jet's parser calls itself for each parenthesis, and executing an
// expression, or naming it in an error, takes time and stack that grow with it. A parenthesis takes 2 KB of stack.
const maxAction = 16 << 10

// checkActions fails for a source with an action that is too long.
func checkActions(source string, o Options) error {
	s := newScanner(source, o)
	for s.next() {
		if !s.isComment && s.pos-s.start > maxAction {
			return fmt.Errorf("templates: line %d: an action is longer than %d bytes", 1+strings.Count(source[:s.start], "\n"), maxAction)
		}
	}
	return nil
}

// trimComments removes the comments at the end. Jet stops looking for comments where there is no further byte like
// the first one of an action's delimiter, and would show them when a comment begins with another one.
func trimComments(source string, o Options) string {
	if o.Left[0] == o.CommentLeft[0] {
		return source
	}
	last := strings.LastIndexByte(source, o.Left[0])
	s := newScanner(source, o)
	var b strings.Builder
	copied := 0
	for s.next() {
		if s.isComment && s.start > last {
			b.WriteString(source[copied:s.start])
			copied = s.pos
		}
	}
	b.WriteString(source[copied:])
	return b.String()
}

// scanner finds actions and comments the way Jet's lexer does.
type scanner struct {
	source            string
	options           Options
	pos               int
	actions, comments *finder
	// What was found last: it ends at pos.
	start     int
	isComment bool
}

func newScanner(source string, o Options) *scanner {
	return &scanner{source: source, options: o, actions: &finder{text: o.Left}, comments: &finder{text: o.CommentLeft}}
}

// finder finds a text from one position after the other. It looks at each part of the source once.
type finder struct {
	text  string
	found int // where it is, when that is not before the position; len(source) when it is nowhere
	known bool
}

func (f *finder) next(source string, pos int) int {
	if !f.known || f.found < pos {
		f.found, f.known = len(source), true
		if i := strings.Index(source[pos:], f.text); i >= 0 {
			f.found = pos + i
		}
	}
	return f.found
}

// next goes behind the next action or comment. A comment that does not end is not one.
func (s *scanner) next() bool {
	action, comment := s.actions.next(s.source, s.pos), s.comments.next(s.source, s.pos)
	s.start, s.isComment = min(action, comment), comment < action
	switch {
	case s.start == len(s.source):
		return false
	case s.isComment:
		s.pos = s.start + len(s.options.CommentLeft)
		end := strings.Index(s.source[s.pos:], s.options.CommentRight)
		if end < 0 {
			return false
		}
		s.pos += end + len(s.options.CommentRight)
	default:
		s.pos = s.start + len(s.options.Left)
		s.inside()
	}
	return true
}

// inside goes to the end of the action.
func (s *scanner) inside() {
	for s.pos < len(s.source) {
		switch c := s.source[s.pos]; {
		case strings.HasPrefix(s.source[s.pos:], s.options.Right):
			s.pos += len(s.options.Right)
			return
		case c == '"', c == '\'', c == '`':
			s.quoted(c)
		default:
			s.pos++
		}
	}
}

// quoted skips a quoted text. Only raw ones, in backquotes, know no backslash.
func (s *scanner) quoted(quote byte) {
	for s.pos++; s.pos < len(s.source); s.pos++ {
		switch c := s.source[s.pos]; {
		case c == quote:
			s.pos++
			return
		case c == '\\' && quote != '`':
			s.pos++
		}
	}
	s.pos = len(s.source)
}
