// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// quickParser parses the part of YAML that files of entries are written in, into the
// nodes the library would make of it, several times as fast (BenchmarkParse): block
// mappings and sequences indented with spaces, and in them scalars on one line, literal
// blocks and flow collections on one line. It refuses everything else, and everything
// that may be wrong: then the library has to look. Comments are not kept.
//
// That both make the same nodes of any text it accepts is what FuzzQuick and
// TestQuickParserAgreesWithTheLibrary are about.
//
// It may be used for one text after the other. While it works it has a line with content
// at hand, the first one that was not dealt with.
type quickParser struct {
	s      string
	wide   bool // some characters are more than one byte
	tabs   bool // there are tabs
	failed bool // refuses; what follows does not matter

	number     int // of the line
	begin, end int // of the line in s, without the line break
	indent     int
	at         int // where its content begins
	eof        bool

	stack []*yaml.Node // children of the collections that are open

	// Nodes and lists of children are made in these and used again for the next text:
	// they are 20 times as big as the text, and the garbage collector took two thirds of
	// the time when they were not.
	slabs []*[slabSize]yaml.Node
	made  int // nodes of the present text
	kids  []*yaml.Node
}

// slabSize is how many nodes are allocated at a time: 20 KB, which the allocator still
// takes from a size class.
const slabSize = 128

// parse returns the root of a text, or false for a text that it refuses. The nodes are
// valid until the next call.
func (q *quickParser) parse(text string) (root *yaml.Node, ok bool) {
	*q = quickParser{s: text, end: -1, stack: q.stack[:0], slabs: q.slabs, kids: q.kids[:0]}
	if !q.admissible() {
		return nil, false
	}
	q.start()
	if q.failed || q.eof || q.indent != 0 || q.isDash(q.at) {
		return nil, false
	}
	root = q.mapping(0, q.at, 0)
	if q.failed || !q.eof {
		return nil, false
	}
	return root, true
}

// maxQuickDepth bounds recursion; nobody writes so deep.
const maxQuickDepth = 100

// admissible reports whether all characters are what they seem to be.
func (q *quickParser) admissible() bool {
	for i := 0; i < len(q.s); i++ {
		switch c := q.s[i]; {
		case c >= ' ' && c < 0x7f || c == '\n':
		case c == '\t':
			q.tabs = true
		case c >= utf8.RuneSelf:
			q.wide = true
		default:
			return false
		}
	}
	if !q.wide {
		return true
	}
	if !utf8.ValidString(q.s) {
		return false
	}
	for _, r := range q.s {
		switch { // control characters, line breaks of other people, byte order marks
		case r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
			return false
		}
	}
	return true
}

// start goes to the first line of the document, which may follow a marker.
func (q *quickParser) start() {
	q.next()
	if !q.failed {
		return
	}
	if strings.TrimRight(q.s[q.begin:q.end], " ") == "---" {
		q.failed = false
		q.next()
	}
}

// next goes to the next line with content.
func (q *quickParser) next() {
	for {
		q.begin = q.end + 1
		if q.begin >= len(q.s) {
			q.eof = true
			return
		}
		q.number++
		q.end = len(q.s)
		if i := strings.IndexByte(q.s[q.begin:], '\n'); i >= 0 {
			q.end = q.begin + i
		}
		q.at = q.skip(q.begin)
		q.indent = q.at - q.begin
		switch {
		case q.at == q.end || q.s[q.at] == '#':
			continue
		case q.s[q.at] == '\t':
			q.failed = true
		case q.indent == 0 && (strings.HasPrefix(q.s[q.at:q.end], "---") || strings.HasPrefix(q.s[q.at:q.end], "...")):
			q.failed = true // a marker, or so close to one that it does not matter
		}
		return
	}
}

// skip returns where the spaces end.
func (q *quickParser) skip(at int) int {
	for at < len(q.s) && q.s[at] == ' ' {
		at++
	}
	return at
}

func (q *quickParser) fail() *yaml.Node {
	q.failed = true
	return nil
}

// endsAt reports whether the line ends at an offset, save a comment.
func (q *quickParser) endsAt(at int) bool {
	from := at
	at = q.skip(at)
	return at == q.end || at > from && q.s[at] == '#'
}

// isDash reports whether an item of a sequence begins at an offset.
func (q *quickParser) isDash(at int) bool {
	return at < q.end && q.s[at] == '-' && (at+1 == q.end || q.s[at+1] == ' ')
}

// node makes a node that begins at an offset in the line.
func (q *quickParser) node(kind yaml.Kind, at int) *yaml.Node {
	if q.made == len(q.slabs)*slabSize {
		q.slabs = append(q.slabs, new([slabSize]yaml.Node))
	}
	n := &q.slabs[q.made/slabSize][q.made%slabSize]
	q.made++
	column := at - q.begin
	if q.wide {
		column = utf8.RuneCountInString(q.s[q.begin:at])
	}
	*n = yaml.Node{Kind: kind, Line: q.number, Column: column + 1}
	return n
}

// close gives a collection the children that were pushed since the stack had that height.
func (q *quickParser) close(n *yaml.Node, height int) *yaml.Node {
	from := len(q.kids)
	q.kids = append(q.kids, q.stack[height:]...) // where it grows, the old array lives on
	n.Content = q.kids[from:len(q.kids):len(q.kids)]
	q.stack = q.stack[:height]
	return n
}

// mapping parses a mapping whose first key is at an offset in the line and whose other
// keys are indented by indent.
func (q *quickParser) mapping(indent, at, depth int) *yaml.Node {
	if depth > maxQuickDepth {
		return q.fail()
	}
	n, height := q.node(yaml.MappingNode, at), len(q.stack)
	n.Tag = "!!map"
	for {
		key, after := q.key(at)
		if key == nil {
			return q.fail()
		}
		value := q.value(indent, after, depth, false)
		if q.failed {
			return nil
		}
		q.stack = append(q.stack, key, value)
		if q.eof || q.indent < indent {
			return q.close(n, height)
		}
		if q.indent > indent {
			return q.fail()
		}
		at = q.at
	}
}

// sequence parses a sequence whose first dash is where the content of the line begins.
func (q *quickParser) sequence(depth int) *yaml.Node {
	if depth > maxQuickDepth {
		return q.fail()
	}
	indent, n, height := q.indent, q.node(yaml.SequenceNode, q.at), len(q.stack)
	n.Tag = "!!seq"
	for {
		at := q.skip(q.at + 1)
		if at >= q.end || q.isDash(at) {
			return q.fail()
		}
		var item *yaml.Node
		if _, _, after := q.keyText(at); after > 0 {
			item = q.mapping(at-q.begin, at, depth+1)
		} else {
			item = q.value(indent, at, depth, true)
		}
		if q.failed {
			return nil
		}
		q.stack = append(q.stack, item)
		// A key with the indentation of the dashes goes on with the mapping around.
		if q.eof || q.indent < indent || q.indent == indent && !q.isDash(q.at) {
			return q.close(n, height)
		}
		if q.indent > indent {
			return q.fail()
		}
	}
}

// value parses what follows a key or a dash and goes to the line after it. indent is that
// of the key or the dash.
func (q *quickParser) value(indent, at, depth int, item bool) *yaml.Node {
	colon := at
	at = q.skip(at)
	if at == q.end || q.s[at] == '#' {
		if item {
			return q.fail()
		}
		null := q.node(yaml.ScalarNode, colon)
		null.Tag = "!!null"
		q.next()
		switch {
		case q.failed:
			return nil
		case !q.eof && q.isDash(q.at) && q.indent >= indent:
			return q.sequence(depth + 1)
		case !q.eof && q.indent > indent:
			return q.mapping(q.indent, q.at, depth+1)
		}
		return null
	}
	var n *yaml.Node
	after := at
	switch q.s[at] {
	case '|':
		return q.literal(indent, at)
	case '[', '{':
		n, after = q.flow(at, depth+1)
	case '"', '\'':
		n, after = q.quoted(at)
	default:
		n, after = q.plain(at)
	}
	if n == nil || !q.endsAt(after) {
		return q.fail()
	}
	q.next() // if it is indented more, the caller fails: a scalar may go on there
	return n
}
