// SPDX-License-Identifier: Apache-2.0

package engine

import "strings"

// matcher is a backtracking matcher for Lua patterns, as the reference manual of
// Lua 5.1 describes them in §5.4.1, with %f added.
//
// Matching can take time exponential in the length of the pattern, in a Go
// function where the process cannot be interrupted: poll is asked every
// matchSteps steps whether to go on.
type matcher struct {
	src, pat string
	level    int
	captures [maxCaptures]capture
	steps    int
	depth    int
	poll     func() bool
}

type capture struct{ start, length int }

const (
	maxCaptures     = 32
	captureOpen     = -1
	capturePosition = -2
	matchSteps      = 1 << 16
	matchDepth      = 20000
)

// patternError is what is wrong with a pattern. The matcher panics with it.
type patternError string

func (m *matcher) fail(msg string) { panic(patternError(msg)) }

// find looks for the first match at or after init.
func (m *matcher) find(init int) (start, end int, ok bool) {
	anchored := strings.HasPrefix(m.pat, "^")
	p := 0
	if anchored {
		p = 1
	}
	for s := init; s <= len(m.src); s++ {
		m.level = 0
		if e := m.match(s, p); e >= 0 {
			return s, e, true
		}
		if anchored {
			break
		}
	}
	return 0, 0, false
}

func (m *matcher) tick() {
	if m.steps++; m.steps >= matchSteps {
		m.steps = 0
		if m.poll != nil && !m.poll() {
			m.fail("interrupted")
		}
	}
}

// match matches the pattern from p against the source from s and returns the end
// of the match, or -1.
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > matchDepth {
		m.fail("pattern too complex")
	}
	defer func() { m.depth-- }()
	for p < len(m.pat) {
		m.tick()
		switch c := m.pat[p]; {
		case c == '(' && p+1 < len(m.pat) && m.pat[p+1] == ')':
			return m.open(s, p+2, capturePosition)
		case c == '(':
			return m.open(s, p+1, captureOpen)
		case c == ')':
			return m.close(s, p+1)
		case c == '$' && p+1 == len(m.pat):
			if s == len(m.src) {
				return s
			}
			return -1
		case c == '%' && p+1 < len(m.pat) && m.pat[p+1] == 'b':
			if s = m.balance(s, p+2); s < 0 {
				return -1
			}
			p += 4
			continue
		case c == '%' && p+1 < len(m.pat) && m.pat[p+1] == 'f':
			p += 2
			if p >= len(m.pat) || m.pat[p] != '[' {
				m.fail("missing '[' after '%f' in pattern")
			}
			end := m.classEnd(p)
			var before, after byte
			if s > 0 {
				before = m.src[s-1]
			}
			if s < len(m.src) {
				after = m.src[s]
			}
			if m.inSet(before, p, end-1) || !m.inSet(after, p, end-1) {
				return -1
			}
			p = end
			continue
		case c == '%' && p+1 < len(m.pat) && isDigit(m.pat[p+1]):
			n := m.backReference(m.pat[p+1])
			text := m.src[m.captures[n].start:][:m.captures[n].length]
			if !strings.HasPrefix(m.src[s:], text) {
				return -1
			}
			s += len(text)
			p += 2
			continue
		}
		end := m.classEnd(p)
		var suffix byte
		if end < len(m.pat) {
			suffix = m.pat[end]
		}
		switch suffix {
		case '?':
			if m.single(s, p, end) {
				if r := m.match(s+1, end+1); r >= 0 {
					return r
				}
			}
			p = end + 1
		case '*':
			return m.greedy(s, p, end, 0)
		case '+':
			return m.greedy(s, p, end, 1)
		case '-':
			for {
				m.tick()
				if r := m.match(s, end+1); r >= 0 {
					return r
				}
				if !m.single(s, p, end) {
					return -1
				}
				s++
			}
		default:
			if !m.single(s, p, end) {
				return -1
			}
			s++
			p = end
		}
	}
	return s
}

// greedy matches as many repetitions as possible, at least least.
func (m *matcher) greedy(s, p, end, least int) int {
	n := 0
	for m.single(s+n, p, end) {
		n++
	}
	for ; n >= least; n-- {
		m.tick()
		if r := m.match(s+n, end+1); r >= 0 {
			return r
		}
	}
	return -1
}

func (m *matcher) open(s, p, length int) int {
	if m.level >= maxCaptures {
		m.fail("too many captures")
	}
	m.captures[m.level] = capture{s, length}
	m.level++
	r := m.match(s, p)
	if r < 0 {
		m.level--
	}
	return r
}

func (m *matcher) close(s, p int) int {
	for l := m.level - 1; l >= 0; l-- {
		if m.captures[l].length != captureOpen {
			continue
		}
		m.captures[l].length = s - m.captures[l].start
		r := m.match(s, p)
		if r < 0 {
			m.captures[l].length = captureOpen
		}
		return r
	}
	m.fail("invalid pattern capture")
	return -1
}

func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		m.fail("missing arguments to '%b'")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return -1
	}
	opening, closing, depth := m.pat[p], m.pat[p+1], 1
	for i := s + 1; i < len(m.src); i++ {
		switch m.src[i] {
		case closing:
			if depth--; depth == 0 {
				return i + 1
			}
		case opening:
			depth++
		}
	}
	return -1
}

func (m *matcher) backReference(c byte) int {
	n := int(c - '1')
	if n < 0 || n >= m.level || m.captures[n].length == captureOpen {
		m.fail("invalid capture index")
	}
	return n
}

// classEnd returns where the single character class at p ends.
func (m *matcher) classEnd(p int) int {
	switch c := m.pat[p]; c {
	case '%':
		if p+1 >= len(m.pat) {
			m.fail("malformed pattern (ends with '%')")
		}
		return p + 2
	case '[':
		p++
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; first || p >= len(m.pat) || m.pat[p] != ']'; first = false {
			if p >= len(m.pat) {
				m.fail("malformed pattern (missing ']')")
			}
			if m.pat[p] == '%' {
				p++
			}
			p++
		}
		return p + 1
	}
	return p + 1
}

// single reports whether the character at s is in the class from p to end.
func (m *matcher) single(s, p, end int) bool {
	if s >= len(m.src) {
		return false
	}
	c := m.src[s]
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(c, m.pat[p+1])
	case '[':
		return m.inSet(c, p, end-1)
	}
	return m.pat[p] == c
}

// inSet reports whether c is in the set whose '[' is at p and whose ']' is at
// last.
func (m *matcher) inSet(c byte, p, last int) bool {
	p++
	in := true
	if m.pat[p] == '^' {
		in = false
		p++
	}
	for p < last {
		switch {
		case m.pat[p] == '%' && p+1 < last+1:
			if inClass(c, m.pat[p+1]) {
				return in
			}
			p += 2
		case p+2 < last && m.pat[p+1] == '-':
			if m.pat[p] <= c && c <= m.pat[p+2] {
				return in
			}
			p += 3
		default:
			if m.pat[p] == c {
				return in
			}
			p++
		}
	}
	return !in
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func inClass(c, class byte) bool {
	in := false
	switch class | 0x20 {
	case 'a':
		in = isLetter(c)
	case 'c':
		in = c < 0x20 || c == 0x7f
	case 'd':
		in = isDigit(c)
	case 'l':
		in = c >= 'a' && c <= 'z'
	case 'p':
		in = c > 0x20 && c < 0x7f && !isLetter(c) && !isDigit(c)
	case 's':
		in = c == ' ' || c >= '\t' && c <= '\r'
	case 'u':
		in = c >= 'A' && c <= 'Z'
	case 'w':
		in = isLetter(c) || isDigit(c)
	case 'x':
		in = isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return class == c
	}
	if !isLetter(class) {
		return class == c
	}
	if class >= 'A' && class <= 'Z' {
		return !in
	}
	return in
}
