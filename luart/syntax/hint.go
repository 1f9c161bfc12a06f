// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// invalidToken refuses a byte that starts no token, naming the look-alike the author probably wanted.
func (lx *lexer) invalidToken(t *token) {
	r, size := utf8.DecodeRuneInString(lx.src[t.pos:])
	t.kind, t.end = kString, t.pos+size
	hint := ""
	switch r {
	case '\u201c', '\u201d', '\u2018', '\u2019', '`':
		hint = `strings are written with " or '`
	case '\u00a0', '\u2003', '\u200b', '\ufeff':
		hint = "this is an invisible character; replace it with a space"
	case '\\':
		hint = "a backslash has a meaning inside strings only"
	case '$':
		hint = "names consist of letters, digits and _"
	default:
		if r > 127 && r != utf8.RuneError {
			hint = fmt.Sprintf("%q is not allowed outside strings and comments", r)
		}
	}
	lx.fail(*t, "Invalid token", hint)
}

// describe names a token the way messages quote it.
func (lx *lexer) describe(t *token) string {
	switch t.kind {
	case kEOF:
		return "end of input"
	case kName:
		return "'" + t.text + "'"
	case kLabel:
		return "'::" + t.text + "::'"
	case kString, kNumber:
		s := lx.src[t.pos:t.end]
		if i := strings.IndexAny(s, "\r\n"); i >= 0 {
			s = s[:i]
		}
		if len(s) > 20 {
			s = s[:20] + "..."
		}
		return kindText[t.kind] + " " + s
	}
	return "'" + kindText[t.kind] + "'"
}

// unexpected ends the parse at the current token, saying what was wanted there.
func (p *parser) unexpected(wanted string) {
	message := "syntax error: unexpected " + p.describe(&p.tok)
	if wanted != "" {
		message += ", expected " + wanted
	}
	p.fail(p.tok, message, p.hint())
}

// hint guesses, from the current token and its neighbours, what was meant.
func (p *parser) hint() string {
	rest := p.src[p.tok.end:]
	switch {
	case p.tok.kind == kBang && strings.HasPrefix(rest, "="), p.prevKind == kBang && p.tok.kind == kAssign:
		return "'not equal' is written ~="
	case p.tok.kind == kBang:
		return "write 'not' to negate; a postfix ! ends an expression"
	case p.tok.kind == kAmp && (p.prevKind == kAmp || strings.HasPrefix(rest, "&")):
		return "'logical and' is written and"
	case p.tok.kind == kPipe && (p.prevKind == kPipe || strings.HasPrefix(rest, "|")):
		return "'logical or' is written or"
	case p.tok.kind == kAssign && isArithmetic(p.prevKind), isArithmetic(p.tok.kind) && strings.HasPrefix(rest, "="):
		return "there are no compound assignments; write x = x + 1"
	case p.tok.kind == kPlus && strings.HasPrefix(rest, "+"):
		return "there is no ++; write x = x + 1"
	case p.tok.kind == kDoubleSlash:
		return "comments begin with --"
	case p.tok.kind.isTypeWord():
		return "'" + p.tok.text + "' is a reserved word; it can name fields and methods only"
	case p.tok.kind == kAssign:
		return "equality is written =="
	}
	return ""
}

func isArithmetic(k kind) bool { return k >= kPlus && k <= kConcat && k != kHash }

// expectEnd consumes the word that closes a block, or explains which block is still open.
func (p *parser) expectEnd(want kind, opener string, line int) {
	if p.tok.kind == want {
		p.next()
		return
	}
	message := fmt.Sprintf("syntax error: unexpected %s, expected '%s'", p.describe(&p.tok), kindText[want])
	hint := fmt.Sprintf("'%s' on line %d needs its '%s'", opener, line, kindText[want])
	if line == p.tok.line {
		hint = fmt.Sprintf("'%s' needs its '%s'", opener, kindText[want])
	}
	if p.elseIf > 0 {
		hint += fmt.Sprintf("; 'else if' on line %d opens a block of its own, write elseif", p.elseIf)
	}
	if h := p.hint(); h != "" {
		hint = h
	}
	p.fail(p.tok, message, hint)
}

// expectClose consumes the bracket that closes the one opened by token open.
func (p *parser) expectClose(want kind, open *token) {
	if p.tok.kind == want {
		p.next()
		return
	}
	hint := p.hint()
	if hint == "" && open.line != p.tok.line {
		hint = fmt.Sprintf("'%s' on line %d needs its '%s'", kindText[open.kind], open.line, kindText[want])
	}
	p.fail(p.tok, fmt.Sprintf("syntax error: unexpected %s, expected '%s'", p.describe(&p.tok), kindText[want]), hint)
}
