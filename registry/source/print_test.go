// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"pgregory.net/rapid"
)

// printer writes values as YAML, each in any of the styles that can hold it. The printer
// of the library cannot be used: it gets texts with leading blanks or line breaks wrong.
type printer struct {
	t *rapid.T
	b strings.Builder
}

func printYAML(t *rapid.T, doc map[string]any) []byte {
	p := &printer{t: t}
	if p.coin("start") {
		p.b.WriteString("# a comment\n---\n")
	}
	p.block(doc, 0)
	return []byte(p.b.String())
}

func (p *printer) coin(label string) bool { return rapid.Bool().Draw(p.t, label) }

func (p *printer) pick(label string, n int) int { return rapid.IntRange(0, n-1).Draw(p.t, label) }

// block writes a collection that is not empty, on lines of its own.
func (p *printer) block(v any, indent int) {
	pad := strings.Repeat(" ", indent)
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if p.pick("comment", 6) == 0 {
				p.b.WriteString(pad + "# comment: {\n")
			}
			p.b.WriteString(pad)
			p.b.WriteString(p.quoted(k))
			p.b.WriteString(":")
			p.value(v[k], indent)
		}
	case []any:
		for _, x := range v {
			p.b.WriteString(pad + "-")
			p.value(x, indent)
		}
	}
}

// value writes what follows a key or a dash, and the end of the line.
func (p *printer) value(v any, indent int) {
	switch {
	case !flowOnly(v) && p.pick("flow", 4) > 0:
		p.b.WriteString("\n")
		p.block(v, indent+1+p.pick("indent", 4))
		return
	case p.literal(v, indent):
		return
	}
	p.b.WriteString(" ")
	p.flow(v)
	if p.pick("comment", 6) == 0 {
		p.b.WriteString(" # comment")
	}
	p.b.WriteString("\n")
}

// flowOnly tells which values have no block style.
func flowOnly(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return true
}

func (p *printer) flow(v any) {
	switch v := v.(type) {
	case map[string]any:
		p.b.WriteString("{")
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				p.b.WriteString(", ")
			}
			p.b.WriteString(p.quoted(k) + ": ")
			p.flow(v[k])
		}
		p.b.WriteString("}")
	case []any:
		p.b.WriteString("[")
		for i, x := range v {
			if i > 0 {
				p.b.WriteString(", ")
			}
			p.flow(x)
		}
		p.b.WriteString("]")
	case string:
		p.b.WriteString(p.quoted(v))
	case float64:
		p.b.WriteString(p.number(v))
	case nil:
		p.b.WriteString([]string{"null", "~", "Null"}[p.pick("null", 3)])
	default:
		fmt.Fprint(&p.b, v)
	}
}

func (p *printer) number(f float64) string {
	if i := int64(f); float64(i) == f && f > 0 {
		return fmt.Sprintf([]string{"%d", "0%o", "0o%o", "0x%x", "+%d"}[p.pick("base", 5)], i)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

var plain = regexp.MustCompile(`^[a-z][a-z0-9_./]*( [a-z0-9]+)*$`)

func (p *printer) quoted(s string) string {
	if plain.MatchString(s) && s != "null" && s != "true" && s != "false" && p.coin("plain") {
		return s
	}
	if !strings.ContainsFunc(s, fold) && p.coin("single") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r < 0x80 || fold(r) || p.pick("escape", 3) == 0 {
			q := strconv.QuoteToASCII(string(r))
			if r == '\'' {
				q = `"'"`
			}
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// fold tells which characters change or are not allowed unless they are escaped.
func fold(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// literal writes a text as a block, if it can be one.
func (p *printer) literal(v any, indent int) bool {
	s, ok := v.(string)
	body := strings.TrimRight(s, "\n")
	if !ok || body == "" || strings.ContainsFunc(strings.ReplaceAll(s, "\n", ""), fold) || p.coin("quoted") {
		return false
	}
	head, more := "|", 1+p.pick("indent", 4)
	if body[0] == ' ' || body[0] == '\n' {
		head += strconv.Itoa(more)
	}
	switch len(s) - len(body) {
	case 0:
		head += "-"
	case 1:
	default:
		head += "+"
	}
	p.b.WriteString(" " + head + "\n")
	for line := range strings.SplitAfterSeq(strings.TrimSuffix(s, "\n"), "\n") {
		if strings.TrimSuffix(line, "\n") != "" {
			p.b.WriteString(strings.Repeat(" ", indent+more))
		}
		p.b.WriteString(line)
	}
	p.b.WriteString("\n")
	return true
}
