// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"strconv"
	"strings"
)

// part is one statement of several, with the parameters it takes.
type part struct {
	text string
	args []any
}

// script splits a text of several SQLite statements that share parameters: each takes those that the ones before
// have left. The driver would give all of them the first ones. It returns nil when there is nothing to split.
func script(dialect, text string, args []any) []part {
	if dialect != SQLite || len(args) == 0 || !strings.Contains(text, ";") {
		return nil
	}
	var parts []part
	for len(text) > 0 {
		one, params, end := statement(text)
		text = text[end:]
		if blank(one) {
			continue
		}
		n := min(params, len(args))
		parts = append(parts, part{one, args[:n]})
		args = args[n:]
	}
	return parts
}

// numbered gives the parameters of a SQLite statement that have names numbers: values come in order, and the driver
// would look for them by name.
func numbered(dialect, text string) string {
	if dialect != SQLite || !strings.ContainsAny(text, ":@$") {
		return text
	}
	var out strings.Builder
	for len(text) > 0 {
		one, _, end := statement(text)
		out.WriteString(one)
		text = text[end:]
	}
	return out.String()
}

// runScript runs statements one after the other. The result is that of the last one.
func runScript(ctx context.Context, r runner, parts []part) (out Result, err error) {
	for _, p := range parts {
		if out, err = exec(ctx, r, SQLite, p.text, p.args); err != nil {
			return Result{}, err
		}
	}
	return out, nil
}

// blank tells that a statement has nothing to run.
func blank(text string) bool {
	for text != "" {
		if n := skipSpace(text); n > 0 {
			text = text[n:]
		} else if text[0] == ';' {
			text = text[1:]
		} else {
			return false
		}
	}
	return true
}

// statement reads the first statement of a text up to end, its semicolon included. It returns the statement with its
// named parameters numbered, and how many values it takes. The body of a trigger, which has no parameters, is taken
// for several statements.
func statement(text string) (out string, params, end int) {
	var (
		b      strings.Builder
		copied int
		named  = map[string]int{}
	)
	i := 0
	for i < len(text) {
		switch c := text[i]; {
		case skipSpace(text[i:]) > 0:
			i += skipSpace(text[i:])
		case c == '\'' || c == '"' || c == '`':
			i += quoted(text[i:], c)
		case c == '[':
			i += quoted(text[i:], ']')
		case c == ';':
			b.WriteString(text[copied : i+1])
			return b.String(), params, i + 1
		case c == '?':
			n := word(text[i+1:])
			if k, err := strconv.Atoi(text[i+1 : i+1+n]); err == nil {
				params = max(params, k)
			} else {
				params++
			}
			i += 1 + n
		case (c == ':' || c == '@' || c == '$') && word(text[i+1:]) > 0:
			n := 1 + word(text[i+1:])
			name := text[i : i+n]
			k, known := named[name]
			if !known {
				params++
				k = params
				named[name] = k
			}
			b.WriteString(text[copied:i] + "?" + strconv.Itoa(k))
			i += n
			copied = i
		case word(text[i:]) > 0:
			i += word(text[i:])
		default:
			i++
		}
	}
	b.WriteString(text[copied:])
	return b.String(), params, len(text)
}

// skipSpace returns the length of the white space or the comment that text begins with.
func skipSpace(text string) int {
	switch {
	case text == "":
		return 0
	case strings.ContainsRune(" \t\r\n\f", rune(text[0])):
		return 1
	case strings.HasPrefix(text, "--"):
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			return end + 1
		}
		return len(text)
	case strings.HasPrefix(text, "/*"):
		if end := strings.Index(text[2:], "*/"); end >= 0 {
			return end + 4
		}
		return len(text)
	}
	return 0
}

// quoted returns the length of the quoted text that text begins with; a doubled quote is part of it.
func quoted(text string, quote byte) int {
	for i := 1; i < len(text); i++ {
		if text[i] != quote {
			continue
		}
		if quote != ']' && i+1 < len(text) && text[i+1] == quote {
			i++
			continue
		}
		return i + 1
	}
	return len(text)
}

// word returns the length of the name or number that text begins with.
func word(text string) int {
	for i := range len(text) {
		c := text[i]
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c < 0x80 {
			return i
		}
	}
	return len(text)
}
