// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// key returns the key at an offset in the line, and where the value begins.
func (q *quickParser) key(at int) (n *yaml.Node, after int) {
	text, style, after := q.keyText(at)
	if after == 0 {
		return nil, 0
	}
	n = q.node(yaml.ScalarNode, at)
	n.Value, n.Style = text, style
	if style == 0 {
		resolve(n)
	} else {
		n.Tag = "!!str"
	}
	return n, after
}

// keyText finds a key and the colon behind it; after is 0 when there is none.
func (q *quickParser) keyText(at int) (text string, style yaml.Style, after int) {
	end := at
	switch c := q.s[at]; {
	case c == '"' || c == '\'':
		if text, end = q.quotedText(at); end == 0 {
			return "", 0, 0
		}
		style = quoteStyle(c)
	case isWord(c):
		for end < q.end && (isWord(q.s[end]) || q.s[end] == '-') {
			end++
		}
		text = q.s[at:end]
	}
	// The library limits the length of keys to 1024.
	if end == at || end-at > 1000 || end >= q.end || q.s[end] != ':' || end+1 < q.end && q.s[end+1] != ' ' {
		return "", 0, 0
	}
	return text, style, end + 1
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '/'
}

// resolve sets the tag of a plain scalar. Most are strings for sure, which saves asking
// the library.
func resolve(n *yaml.Node) {
	switch c := n.Value[0]; {
	case strings.IndexByte("+-.0123456789~", c) >= 0,
		strings.IndexByte("yYnNtTfFoO", c) >= 0 && len(n.Value) <= len("false"):
		n.Tag = n.ShortTag()
	default:
		n.Tag = "!!str"
	}
}

func quoteStyle(c byte) yaml.Style {
	if c == '"' {
		return yaml.DoubleQuotedStyle
	}
	return yaml.SingleQuotedStyle
}

func (q *quickParser) quoted(at int) (n *yaml.Node, after int) {
	text, after := q.quotedText(at)
	if after == 0 {
		return nil, 0
	}
	n = q.node(yaml.ScalarNode, at)
	n.Value, n.Style, n.Tag = text, quoteStyle(q.s[at]), "!!str"
	return n, after
}

// quotedText returns a text in quotes; after is 0 when it does not end on the line or has
// something rare in it.
func (q *quickParser) quotedText(at int) (text string, after int) {
	quote := q.s[at]
	for i := at + 1; i < q.end; i++ {
		switch c := q.s[i]; {
		case c == '\t', c == '\\' && quote == '"', c == quote && quote == '\'' && i+1 < q.end && q.s[i+1] == quote:
			return q.escapedText(at)
		case c == quote:
			return q.s[at+1 : i], i + 1
		}
	}
	return "", 0
}

// escapedText is quotedText for a text that is not written as it is.
func (q *quickParser) escapedText(at int) (text string, after int) {
	var b strings.Builder
	quote := q.s[at]
	for i := at + 1; i < q.end; i++ {
		c := q.s[i]
		switch {
		case c == quote && (quote == '"' || i+1 == q.end || q.s[i+1] != quote):
			return b.String(), i + 1
		case c == quote:
			i++
		case c == '\t':
			return "", 0
		case c == '\\' && quote == '"':
			if i++; i == q.end {
				return "", 0
			}
			switch c = q.s[i]; c {
			case '"', '\\':
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'r':
				c = '\r'
			default:
				return "", 0
			}
		}
		b.WriteByte(c)
	}
	return "", 0
}

// plain parses a scalar without quotes up to the end of the line or a comment.
func (q *quickParser) plain(at int) (n *yaml.Node, after int) {
	switch q.s[at] {
	case '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '<', '=':
		return nil, 0
	case '-':
		if q.isDash(at) {
			return nil, 0
		}
	}
	end := at
	for i := at; i < q.end; i++ {
		switch c := q.s[i]; {
		case c == ' ':
			continue
		case c == '\t', c == ':' && (i+1 == q.end || q.s[i+1] == ' '):
			return nil, 0
		case c == '#' && q.s[i-1] == ' ':
			i = q.end
			continue
		}
		end = i + 1
	}
	n = q.node(yaml.ScalarNode, at)
	n.Value = q.s[at:end]
	resolve(n)
	return n, end
}

// literal parses a block scalar and goes to the line after it.
func (q *quickParser) literal(indent, at int) *yaml.Node {
	n := q.node(yaml.ScalarNode, at)
	n.Tag, n.Style = "!!str", yaml.LiteralStyle
	header := q.s[at:q.end]
	if header != "|" && header != "|-" {
		return q.fail()
	}
	var b strings.Builder
	margin, blank := 0, 0 // columns before the text; empty lines that may be the last ones
	for {
		begin := q.end + 1
		if begin >= len(q.s) {
			break
		}
		size := strings.IndexByte(q.s[begin:], '\n')
		if size < 0 {
			return q.fail() // whether the last line has an end matters
		}
		text := q.skip(begin)
		end := begin + size
		switch {
		case text == end && (margin == 0 || text-begin <= margin):
			if margin == 0 && text > begin {
				return q.fail() // may count as indentation
			}
			blank++
		case margin == 0:
			if margin = text - begin; margin <= indent || q.s[text] == '\t' {
				return q.fail()
			}
			b.Grow(4 * size)
			fallthrough
		case text-begin >= margin:
			for ; blank > 0; blank-- {
				b.WriteByte('\n')
			}
			b.WriteString(q.s[begin+margin : end+1])
		default:
			return q.closeLiteral(n, header, &b)
		}
		q.end = end
		q.number++
	}
	return q.closeLiteral(n, header, &b)
}

func (q *quickParser) closeLiteral(n *yaml.Node, header string, b *strings.Builder) *yaml.Node {
	n.Value = b.String()
	if n.Value == "" {
		return q.fail()
	}
	if header == "|-" {
		n.Value = n.Value[:len(n.Value)-1]
	}
	q.next()
	return n
}

// flow parses a collection in brackets that ends on the same line.
func (q *quickParser) flow(at, depth int) (n *yaml.Node, after int) {
	if depth > maxQuickDepth {
		return nil, 0
	}
	n, after = q.node(yaml.SequenceNode, at), at+1
	height, end := len(q.stack), byte(']')
	n.Tag, n.Style = "!!seq", yaml.FlowStyle
	if q.s[at] == '{' {
		n.Kind, n.Tag, end = yaml.MappingNode, "!!map", '}'
	}
	if after = q.skip(after); after < q.end && q.s[after] == end {
		return n, after + 1
	}
	for {
		if n.Kind == yaml.MappingNode {
			if after >= q.end {
				return nil, 0
			}
			var key *yaml.Node
			if key, after = q.key(after); key == nil {
				return nil, 0
			}
			q.stack = append(q.stack, key)
			after = q.skip(after)
		}
		var item *yaml.Node
		if item, after = q.flowItem(after, depth); item == nil {
			return nil, 0
		}
		q.stack = append(q.stack, item)
		after = q.skip(after)
		switch {
		case after >= q.end:
			return nil, 0
		case q.s[after] == end:
			return q.close(n, height), after + 1
		case q.s[after] != ',':
			return nil, 0
		}
		after = q.skip(after + 1)
	}
}

// flowItem parses a value inside brackets.
func (q *quickParser) flowItem(at, depth int) (n *yaml.Node, after int) {
	if at >= q.end {
		return nil, 0
	}
	switch c := q.s[at]; {
	case c == '[' || c == '{':
		return q.flow(at, depth+1)
	case c == '"' || c == '\'':
		return q.quoted(at)
	case !isWord(c) && (c != '-' || at+1 == q.end || !isWord(q.s[at+1])):
		return nil, 0
	}
	after = at
	for i := at; i < q.end; i++ {
		switch c := q.s[i]; {
		case c == ' ':
			continue
		case c == ',' || c == ']' || c == '}':
			i = q.end
			continue
		case isWord(c) || c == '-' || c == '*':
		case c == ':' && i+1 < q.end && isWord(q.s[i+1]):
		default:
			return nil, 0
		}
		after = i + 1
	}
	n = q.node(yaml.ScalarNode, at)
	n.Value = q.s[at:after]
	resolve(n)
	return n, after
}
