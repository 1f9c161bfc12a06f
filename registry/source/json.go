// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// jsonParser builds the same nodes from JSON that the YAML parser builds from YAML. A
// YAML parser would accept almost all JSON, but not its surrogate escapes.
type jsonParser struct {
	raw []byte
	dec *json.Decoder

	// The place of the last token. Counting goes on from there, since a file may be one
	// long line.
	at, line, col int
}

func parseJSON(raw []byte) (*yaml.Node, *Problem) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	if !utf8.Valid(raw) { // the decoder would replace what is not
		return nil, jsonProblem(raw, invalidUTF8(raw), "invalid UTF-8")
	}
	if !json.Valid(raw) {
		return nil, jsonSyntax(raw)
	}
	p := &jsonParser{raw: raw, dec: json.NewDecoder(bytes.NewReader(raw)), line: 1, col: 1}
	p.dec.UseNumber()
	n, err := p.value(0)
	if err != nil {
		return nil, jsonProblem(raw, int(p.dec.InputOffset()), err.Error())
	}
	return n, nil
}

// jsonSyntax finds out what is wrong with a text that is not JSON. A Decoder, which the
// parser uses, tells no place that can be relied on.
func jsonSyntax(raw []byte) *Problem {
	var whole json.RawMessage
	err := json.Unmarshal(raw, &whole)
	at := len(raw)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && !strings.HasPrefix(err.Error(), "unexpected end") {
		at = int(syntax.Offset) - 1 // that of the character after the bad one
	}
	return jsonProblem(raw, at, err.Error())
}

func jsonProblem(raw []byte, at int, message string) *Problem {
	line, col := lineCol(raw, at)
	return &Problem{Line: line, Col: col, Message: "bad JSON: " + message}
}

func invalidUTF8(raw []byte) (offset int) {
	for offset < len(raw) {
		r, size := utf8.DecodeRune(raw[offset:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		offset += size
	}
	return offset
}

// node starts a node at the token that comes next.
func (p *jsonParser) node(kind yaml.Kind) *yaml.Node {
	at := int(p.dec.InputOffset())
	for at < len(p.raw) && strings.IndexByte(" \t\r\n,:", p.raw[at]) >= 0 {
		at++
	}
	for _, c := range p.raw[p.at:at] {
		switch {
		case c == '\n':
			p.line++
			p.col = 1
		case utf8.RuneStart(c):
			p.col++
		}
	}
	p.at = at
	return &yaml.Node{Kind: kind, Line: p.line, Column: p.col}
}

func (p *jsonParser) value(depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	n := p.node(yaml.ScalarNode)
	tok, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Delim:
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		if tok == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for p.dec.More() {
			c, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			if n.Kind == yaml.MappingNode {
				v, err := p.value(depth + 1)
				if err != nil {
					return nil, err
				}
				n.Content = append(n.Content, c, v)
				continue
			}
			n.Content = append(n.Content, c)
		}
		_, err := p.dec.Token()
		return n, err
	case string:
		n.Tag, n.Value, n.Style = "!!str", tok, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!float", tok.String()
		if !strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!int"
		}
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(tok)
	case nil:
		n.Tag, n.Value = "!!null", "null"
	}
	return n, nil
}
