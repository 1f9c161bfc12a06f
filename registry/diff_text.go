// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/wippyrun/kit/registry/internal/linediff"
)

// String renders the difference for people; see WriteTo.
func (d Difference) String() string {
	var b strings.Builder
	_, _ = d.WriteTo(&b) // a builder does not fail
	return b.String()
}

// WriteTo renders the difference for people: every entry and every field on a line of its
// own that begins with +, ~ or -, long values shortened, texts of several lines compared
// line by line. Control characters are escaped. The form may change; programs use the
// fields.
//
//	v1 -> v2: 0 added, 1 changed, 0 removed
//	~ app:db (db.sql)
//	    ~ data.pool.size: 5 -> 10
//	    + data.pool.name: "main"
func (d Difference) WriteTo(w io.Writer) (int64, error) {
	p := &diffPrinter{w: w}
	counts := map[How]int{}
	for _, e := range d.Entries {
		counts[e.How]++
	}
	p.printf("%v -> %v: %d added, %d changed, %d removed\n", d.From, d.To, counts[Added], counts[Changed], counts[Removed])
	for _, e := range d.Entries {
		kind := e.New
		if kind == nil {
			kind = e.Old
		}
		p.printf("%s %s (%s)\n", e.How.sign(), escape(e.ID.String()), escape(kind.Kind))
		for _, f := range e.Fields {
			if f.Path != "kind" || f.How == Changed {
				p.field(f)
			}
		}
	}
	return p.n, p.err
}

func (h How) sign() string {
	switch h {
	case Added:
		return "+"
	case Removed:
		return "-"
	}
	return "~"
}

// diffPrinter writes until the first error.
type diffPrinter struct {
	w   io.Writer
	n   int64
	err error
}

func (p *diffPrinter) printf(format string, args ...any) {
	if p.err != nil {
		return
	}
	n, err := fmt.Fprintf(p.w, format, args...)
	p.n += int64(n)
	p.err = err
}

func (p *diffPrinter) field(f FieldDifference) {
	old, isText := f.Old.(string)
	next, stillText := f.New.(string)
	if isText && stillText && strings.Contains(old+next, "\n") {
		p.printf("    %s %s:\n", f.How.sign(), escape(f.Path))
		p.lines(old, next)
		return
	}
	p.printf("    %s %s: ", f.How.sign(), escape(f.Path))
	switch f.How {
	case Added:
		p.printf("%s\n", brief(f.New))
	case Removed:
		p.printf("%s\n", brief(f.Old))
	default:
		p.printf("%s -> %s\n", brief(f.Old), brief(f.New))
	}
}

// diffContext is how many lines around a change are shown.
const diffContext = 3

// lines prints the changed lines of a text with some around them.
func (p *diffPrinter) lines(old, next string) {
	all := linediff.Diff(strings.Split(old, "\n"), strings.Split(next, "\n"))
	near := make([]bool, len(all))
	for i, l := range all {
		if l.Kind != linediff.Keep {
			for j := max(i-diffContext, 0); j <= min(i+diffContext, len(all)-1); j++ {
				near[j] = true
			}
		}
	}
	number := 1 // of the line in the new text
	for i, l := range all {
		if near[i] {
			if i == 0 || !near[i-1] {
				p.printf("        @ line %d\n", number)
			}
			p.printf("        %c%s\n", l.Kind, escape(l.Text))
		}
		if l.Kind != linediff.Delete {
			number++
		}
	}
}

// briefWidth is how many characters of a value are shown.
const briefWidth = 100

// brief renders a value on one line.
func brief(v any) string {
	if s, ok := v.(string); ok && strings.Contains(s, "\n") {
		return fmt.Sprintf("text of %d lines", strings.Count(strings.TrimSuffix(s, "\n"), "\n")+1)
	}
	var text string
	if s, ok := v.(string); ok {
		text = strconv.Quote(s)
	} else if raw, err := json.Marshal(v); err == nil {
		text = string(raw)
	} else {
		text = fmt.Sprint(v)
	}
	if runes := []rune(text); len(runes) > briefWidth {
		text = string(runes[:briefWidth]) + "…"
	}
	return escape(text)
}

// escape makes control characters visible, which could otherwise change what a terminal
// shows of the rest.
func escape(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) && r != '\t' {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
