// SPDX-License-Identifier: Apache-2.0

package text

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

const (
	// maxMarkdown is the longest Markdown text, in bytes. There are a few hundred bytes of nodes for a line.
	maxMarkdown = 16 << 20
	// maxNested is how deep lists and quotes may be within each other; deeper ones are text. Each of them looks at
	// every line that is in it.
	maxNested = 20
)

var errMarkdown = errors.New("markdown is longer than 16777216 bytes")

// markdownSplitter cuts Markdown where its blocks end. Every chunk has the heading that it stands under.
type markdownSplitter struct {
	sizes
	second    recursive // cuts blocks that are too long
	code      bool      // keep code blocks
	links     bool      // write the targets of reference links in their place
	hierarchy bool      // chunks have all headings that they stand under
	joinRows  bool      // rows of tables go together into chunks
}

// blocks is a parser without inline elements, what is in a paragraph is not looked at, and without HTML, which is text.
var blocks = parser.NewParser(
	parser.WithBlockParsers(
		util.Prioritized(parser.NewSetextHeadingParser(), 100),
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(nested{parser.NewListParser()}, 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewCodeBlockParser(), 500),
		util.Prioritized(parser.NewATXHeadingParser(), 600),
		util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
		util.Prioritized(nested{parser.NewBlockquoteParser()}, 800),
		util.Prioritized(parser.NewParagraphParser(), 1000),
	),
	parser.WithParagraphTransformers(
		util.Prioritized(definitions{}, 100),
		util.Prioritized(extension.NewTableParagraphTransformer(), 200),
	),
)

// nested is the parser of a block that holds others. It does not open one that is too deep.
type nested struct{ parser.BlockParser }

// Open implements parser.BlockParser.
func (n nested) Open(parent ast.Node, reader gmtext.Reader, pc parser.Context) (ast.Node, parser.State) {
	depth := 0
	for p := parent; p != nil; p = p.Parent() {
		if depth++; depth > 2*maxNested { // a list is two nodes
			return nil, parser.NoChildren
		}
	}
	return n.BlockParser.Open(parent, reader, pc)
}

// split returns the chunks.
func (m markdownSplitter) split(text string) ([]string, error) {
	if len(text) > maxMarkdown {
		return nil, errMarkdown
	}
	source := []byte(strings.ReplaceAll(text, "\r\n", "\n"))
	pc := parser.NewContext()
	root := blocks.Parse(gmtext.NewReader(source), parser.WithContext(pc))
	s := section{markdownSplitter: m, source: source, chunks: new(chunks)}
	if m.links {
		s.references = references(pc)
	}
	s.blocks(root)
	s.flush()
	return s.chunks.list, s.chunks.err
}

// section is a run of blocks that are cut together: the document, or what is in a quote or a list.
type section struct {
	markdownSplitter
	source     []byte
	references map[string]parser.Reference // nil when links are left alone
	chunks     *chunks

	snippet  string   // blocks that are no chunk yet
	headings []string // by level
	title    string   // what chunks begin with
	titled   bool     // a chunk has the title
}

// inner is a section for what is in a block.
func (s *section) inner() *section {
	return &section{markdownSplitter: s.markdownSplitter, source: s.source, references: s.references, chunks: new(chunks)}
}

// blocks takes the blocks within a node.
func (s *section) blocks(parent ast.Node) {
	for n := parent.FirstChild(); n != nil && s.chunks.err == nil; n = n.NextSibling() {
		s.block(n)
	}
}

// block takes one block.
func (s *section) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		s.heading(n)
	case *ast.Paragraph, *ast.TextBlock:
		s.add(s.lines(n))
	case *ast.Blockquote:
		s.quote(n)
	case *ast.List:
		s.list(n, "")
	case *extast.Table:
		s.table(n)
	case *ast.CodeBlock:
		if s.code {
			s.add("\n" + indent(s.raw(n), "    "))
		}
	case *ast.FencedCodeBlock:
		if s.code {
			s.add(fmt.Sprintf("\n```%s\n%s```\n", info(n, s.source), s.raw(n)))
		}
	case *ast.ThematicBreak:
		s.add("\n---")
	}
}

// info is what is written after the opening fence: the language.
func info(n *ast.FencedCodeBlock, source []byte) string {
	if n.Info == nil {
		return ""
	}
	return string(n.Info.Segment.Value(source))
}

// raw returns the lines of a block as they are.
func (s *section) raw(n ast.Node) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(s.source))
	}
	return b.String()
}

// lines returns the text of a block without the white space around its lines.
func (s *section) lines(n ast.Node) string {
	list := strings.Split(strings.TrimSpace(s.raw(n)), "\n")
	for i, line := range list {
		list[i] = strings.TrimLeft(line, " \t")
	}
	text := strings.Join(list, "\n")
	if s.references != nil {
		text = inlineLinks(text, s.references)
	}
	return text
}

func (s *section) heading(n *ast.Heading) {
	s.flush()
	s.title = strings.Repeat("#", n.Level) + " " + s.lines(n)
	s.titled = false
	if !s.hierarchy {
		return
	}
	for len(s.headings) < n.Level {
		s.headings = append(s.headings, "")
	}
	s.headings = append(s.headings[:n.Level-1], s.title)
	above := make([]string, 0, n.Level)
	for _, h := range s.headings {
		if h != "" {
			above = append(above, h)
		}
	}
	s.title = strings.Join(above, "\n")
}

func (s *section) quote(n ast.Node) {
	in := s.inner()
	in.blocks(n)
	s.take(in, "> ")
	s.flush()
}

// take adds the chunks of an inner section, with a mark in front of each line.
func (s *section) take(in *section, mark string) {
	in.flush()
	if in.chunks.err != nil {
		s.chunks.err = in.chunks.err
		return
	}
	for _, chunk := range in.chunks.list {
		s.add(indent(chunk, mark))
	}
}

func indent(text, mark string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = mark + line
	}
	return strings.Join(lines, "\n")
}

// list takes the items of a list. Each of them is a block of its own, with what is in it besides text indented. mark is
// put in front of each line.
func (s *section) list(n *ast.List, mark string) {
	number := 0
	for item := n.FirstChild(); item != nil && s.chunks.err == nil; item = item.NextSibling() {
		in := s.inner()
		for block := item.FirstChild(); block != nil && in.chunks.err == nil; block = block.NextSibling() {
			switch block := block.(type) {
			case *ast.Paragraph, *ast.TextBlock:
				number++
				bullet := "- "
				if n.IsOrdered() {
					bullet = fmt.Sprintf("%d. ", number)
				}
				in.add(bullet + in.lines(block))
			case *ast.List:
				in.list(block, "  ")
			default:
				deeper := in.inner()
				deeper.block(block)
				in.take(deeper, "  ")
			}
		}
		s.take(in, mark)
	}
}

// table takes the rows of a table. Each chunk has its header. A header without text is no header: the first row is
// then, as it is in tables that are made for their looks.
func (s *section) table(n *extast.Table) {
	var rows [][]string
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, s.lines(cell))
		}
		rows = append(rows, cells)
	}
	header, body := rows[0], rows[1:]
	if strings.Join(header, "") == "" && len(body) > 0 {
		header, body = body[0], body[1:]
	}
	rule := make([]string, len(header))
	for i := range rule {
		rule[i] = "---"
	}
	head := tableRow(header) + "\n" + tableRow(rule)
	if len(body) == 0 {
		s.add(head)
		s.flush()
		return
	}
	for _, cells := range body {
		line := tableRow(cells)
		if s.snippet == "" || s.full(line) {
			line = head + "\n" + line
		}
		s.add(line)
		if !s.joinRows {
			s.flush()
		}
	}
}

func tableRow(cells []string) string {
	if len(cells) == 0 {
		return ""
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// full reports whether there is no room for more text in the chunk at hand.
func (s *section) full(more string) bool {
	return utf8.RuneCountInString(s.snippet)+utf8.RuneCountInString(more) >= s.chunk
}

// add appends a block to the chunk at hand, or begins a new one.
func (s *section) add(block string) {
	switch {
	case s.snippet == "":
		s.snippet = block
	case s.full(block):
		s.flush()
		s.snippet = block
	default:
		s.snippet += "\n" + block
	}
}

// flush ends the chunk at hand. A heading that nothing stands under is a chunk, too.
func (s *section) flush() {
	snippet := s.snippet
	s.snippet = ""
	parts := []string{snippet}
	if utf8.RuneCountInString(snippet) > s.chunk+s.overlap {
		var err error
		if parts, err = s.second.split(snippet); err != nil {
			s.chunks.err = err
			return
		}
	}
	if strings.TrimSpace(snippet) == "" {
		if s.title != "" && !s.titled {
			s.chunks.add(s.title)
			s.titled = true
		}
		return
	}
	s.titled = true
	above := s.title != "" && !strings.Contains(snippet, s.title)
	for _, part := range parts {
		if above {
			s.chunks.addTitled(s.title, part)
		} else {
			s.chunks.add(part)
		}
	}
}
