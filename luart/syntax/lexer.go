// SPDX-License-Identifier: Apache-2.0

package syntax

// Character classes of the lexer.
const (
	cIdent   = 1 << iota // letter, digit or underscore
	cDigit               // decimal digit
	cHex                 // hexadecimal digit
	cBlank               // space or tab
	cNewline             // line feed or carriage return
)

var class = buildClasses()

func buildClasses() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9':
			t[c] = cIdent | cDigit | cHex
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			t[c] = cIdent | cHex
		case c >= 'g' && c <= 'z', c >= 'G' && c <= 'Z', c == '_':
			t[c] = cIdent
		case c == ' ', c == '\t':
			t[c] = cBlank
		case c == '\n', c == '\r':
			t[c] = cNewline
		}
	}
	return t
}

// lexer turns source text into tokens, one per call of scan.
type lexer struct {
	name string // chunk name used in errors
	src  string
	off  int // offset of the next unread byte
	line int // line of the next unread byte
	bol  int // offset of the beginning of that line
}

// at returns the byte at offset i, or 0 beyond the end. A NUL byte in the source starts no token, so the two need no telling apart.
func (lx *lexer) at(i int) byte {
	if i < len(lx.src) {
		return lx.src[i]
	}
	return 0
}

// newline steps over one line break at offset i and returns the offset behind it: LF, CR, CRLF and LFCR count as one.
func (lx *lexer) newline(i int) int {
	c := lx.src[i]
	i++
	if n := lx.at(i); (n == '\n' || n == '\r') && n != c {
		i++
	}
	lx.line++
	lx.bol = i
	return i
}

// skip moves over white space and comments.
func (lx *lexer) skip() {
	i := lx.off
	for i < len(lx.src) {
		c := lx.src[i]
		switch {
		case class[c]&cBlank != 0:
			i++
		case class[c]&cNewline != 0:
			i = lx.newline(i)
		case c == '-' && lx.at(i+1) == '-':
			start := i
			i += 2
			if lx.at(i) == '[' {
				if level, open := lx.longOpen(i); open {
					opener := token{pos: start, end: start + 2, line: lx.line, bol: lx.bol}
					end, ok := lx.longBracket(i, level, nil)
					if !ok {
						lx.fail(opener, "invalid multiline comment",
							"the comment opened here is never closed with "+longCloser(level))
					}
					i = end
					continue
				}
			}
			for i < len(lx.src) && class[lx.src[i]]&cNewline == 0 {
				i++
			}
		default:
			lx.off = i
			return
		}
	}
	lx.off = i
}

// scan reads the next token into t.
func (lx *lexer) scan(t *token) {
	lx.skip()
	i := lx.off
	t.pos, t.line, t.bol = i, lx.line, lx.bol
	if i >= len(lx.src) {
		t.kind, t.end, t.text = kEOF, i, ""
		return
	}
	c := lx.src[i]
	if class[c]&cIdent != 0 {
		if class[c]&cDigit != 0 {
			lx.scanNumber(t, i)
			return
		}
		j := i + 1
		for j < len(lx.src) && class[lx.src[j]]&cIdent != 0 {
			j++
		}
		t.text = lx.src[i:j]
		t.kind = wordKind(t.text)
		t.end, lx.off = j, j
		return
	}
	lx.scanSymbol(t, c)
}

// scanSymbol reads everything that is neither a word nor a number starting with a digit.
func (lx *lexer) scanSymbol(t *token, c byte) {
	i := t.pos
	n := lx.at(i + 1)
	k, size := kEOF, 1
	switch c {
	case '"', '\'':
		lx.scanString(t, c)
		return
	case '(':
		k = kLparen
	case ')':
		k = kRparen
	case '.':
		switch {
		case n == '.' && lx.at(i+2) == '.':
			k, size = kEllipsis, 3
		case n == '.':
			k, size = kConcat, 2
		case class[n]&cDigit != 0:
			lx.scanNumber(t, i)
			return
		default:
			k = kDot
		}
	case ',':
		k = kComma
	case '=':
		k, size = either(n == '=', kEq, kAssign)
	case '{':
		k = kLbrace
	case '}':
		k = kRbrace
	case '[':
		if n == '[' || n == '=' {
			lx.scanLongString(t)
			return
		}
		k = kLbracket
	case ']':
		k = kRbracket
	case ':':
		if n == ':' {
			lx.scanDoubleColon(t)
			return
		}
		k = kColon
	case ';':
		k = kSemicolon
	case '+':
		k = kPlus
	case '-':
		k, size = either(n == '>', kArrow, kMinus)
	case '*':
		k = kStar
	case '/':
		k, size = either(n == '/', kDoubleSlash, kSlash)
	case '%':
		k = kPercent
	case '^':
		k = kCaret
	case '#':
		k = kHash
	case '&':
		k = kAmp
	case '|':
		k = kPipe
	case '~':
		k, size = either(n == '=', kNe, kTilde)
	case '<':
		if n == '<' {
			k, size = kShl, 2
		} else {
			k, size = either(n == '=', kLe, kLt)
		}
	case '>':
		if n == '>' {
			k, size = kShr, 2
		} else {
			k, size = either(n == '=', kGe, kGt)
		}
	case '?':
		k, size = either(n == ':', kQuestionColon, kQuestion)
	case '!':
		k = kBang
	case '@':
		k = kAt
	default:
		lx.invalidToken(t)
	}
	t.kind, t.text = k, kindText[k]
	t.end = i + size
	lx.off = t.end
}

func either(two bool, a, b kind) (kind, int) {
	if two {
		return a, 2
	}
	return b, 1
}

// scanDoubleColon decides between a label, which is one token, and the cast operator.
func (lx *lexer) scanDoubleColon(t *token) {
	i := t.pos + 2
	for class[lx.at(i)]&cBlank != 0 {
		i++
	}
	start := i
	if class[lx.at(i)]&(cIdent|cDigit) == cIdent {
		for class[lx.at(i)]&cIdent != 0 {
			i++
		}
		end := i
		for class[lx.at(i)]&cBlank != 0 {
			i++
		}
		if lx.at(i) == ':' && lx.at(i+1) == ':' {
			t.kind, t.text, t.end = kLabel, lx.src[start:end], i+2
			lx.off = t.end
			return
		}
	}
	t.kind, t.text, t.end = kDoubleColon, "::", t.pos+2
	lx.off = t.end
}
