// SPDX-License-Identifier: Apache-2.0

package text

import (
	"regexp"
	"slices"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
)

// definitions takes the link definitions off the beginning of a paragraph. Those of one line, nearly all, are found
// here. The library's own transformer takes time in the square of their number, 100 seconds for 1.6 MB of them; it
// sees what is left when that is not much, and finds those of several lines.
type definitions struct{}

// maxLibraryLines is how many lines of a paragraph the library's transformer gets to see.
const maxLibraryLines = 100

// definition is a link definition of one line: CommonMark 0.31, section 4.7.
var definition = regexp.MustCompile(`^ {0,3}\[((?:[^\[\]\\]|\\.)+)\]:[ \t]*(?:<([^<>]*)>|([^\s<]\S*))` +
	`(?:[ \t]+("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?[ \t]*\r?\n?$`)

// title is the beginning of a line that may be the title of the definition before it.
var title = regexp.MustCompile(`^[ \t]*["'(]`)

// Transform implements parser.ParagraphTransformer.
func (definitions) Transform(node *ast.Paragraph, reader gmtext.Reader, pc parser.Context) {
	lines, source := node.Lines(), reader.Source()
	line := func(i int) []byte {
		s := lines.At(i)
		return s.Value(source)
	}
	n := 0
	for n < lines.Len() {
		m := definition.FindSubmatch(line(n))
		if m == nil || len(m[1]) > maxLabel || n+1 < lines.Len() && title.Match(line(n+1)) {
			break
		}
		var text []byte
		if m[4] != nil {
			text = m[4][1 : len(m[4])-1]
		}
		pc.AddReference(parser.NewReference(m[1], slices.Concat(m[2], m[3]), text))
		n++
	}
	if n == lines.Len() {
		node.Parent().RemoveChild(node.Parent(), node)
		return
	}
	lines.SetSliced(n, lines.Len())
	if lines.Len() <= maxLibraryLines {
		parser.LinkReferenceParagraphTransformer.Transform(node, reader, pc)
	}
}
