// SPDX-License-Identifier: Apache-2.0

package text

import (
	"strings"

	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/util"
)

// references are the link definitions of a document by their labels in normal form. It is not nil.
func references(pc parser.Context) map[string]parser.Reference {
	all := map[string]parser.Reference{}
	for _, r := range pc.References() {
		all[util.ToLinkReference(r.Label())] = r
	}
	return all
}

// inlineLinks writes reference links, [text][label], [label][] and [label], as links with their target. What has no
// definition, and what is in code spans or behind a backslash, stays as it is. It takes time linear in the text.
func inlineLinks(text string, references map[string]parser.Reference) string {
	if len(references) == 0 || !strings.Contains(text, "[") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	closing := brackets(text)
	at := 0 // what is before it is written
	for i := 0; i < len(text); i++ {
		end, ok := closing[i]
		if !ok {
			continue
		}
		label, after := text[i+1:end], end+1
		if next, ok := closing[after]; ok {
			if inner := text[after+1 : next]; inner != "" {
				label = inner
			}
			after = next + 1
		} else if after < len(text) && text[after] == '(' {
			continue // a link already
		}
		if len(label) > maxLabel {
			continue
		}
		r, ok := references[util.ToLinkReference([]byte(label))]
		if !ok {
			continue
		}
		b.WriteString(text[at : end+1])
		b.WriteByte('(')
		b.Write(r.Destination())
		if title := r.Title(); len(title) > 0 {
			b.WriteString(` "` + string(title) + `"`)
		}
		b.WriteByte(')')
		at = after
		i = after - 1
	}
	b.WriteString(text[at:])
	return b.String()
}

// maxLabel is the length of a label, by CommonMark 0.31, section 4.7.
const maxLabel = 999

// brackets finds the brackets of text that belong together, outside code spans: the index of the closing one by that of
// the opening one.
func brackets(text string) map[int]int {
	pairs := map[int]int{}
	spans := codeSpans(text)
	var open []int
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '`':
			if end, ok := spans[i]; ok {
				i = end - 1
			}
		case '[':
			open = append(open, i)
		case ']':
			if n := len(open); n > 0 {
				pairs[open[n-1]] = i
				open = open[:n-1]
			}
		}
	}
	return pairs
}

// codeSpans finds where the code spans of text end, by where they begin: at the next run of as many backticks. A run
// that closes a span opens another one here, too; whoever goes through the spans in order does not see it.
func codeSpans(text string) map[int]int {
	spans := map[int]int{}
	last := map[int]int{} // start of the last run, by its length
	for i := 0; i < len(text); i++ {
		if text[i] != '`' {
			continue
		}
		start := i
		for i < len(text) && text[i] == '`' {
			i++
		}
		if opening, ok := last[i-start]; ok {
			spans[opening] = i
		}
		last[i-start] = start
	}
	return spans
}
