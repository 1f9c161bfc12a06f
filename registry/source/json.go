// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// jsonParser builds the same nodes from JSON that the YAML parser builds from YAML. A
// YAML parser would accept almost all JSON, but not its surrogate escapes.
type jsonParser struct {
	raw  []byte
	dec  *json.Decoder
	line []int // offset of each line
}

func parseJSON(raw []byte) (*yaml.Node, *Problem) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	p := &jsonParser{raw: raw, dec: json.NewDecoder(bytes.NewReader(raw)), line: []int{0}}
	p.dec.UseNumber()
	for i, c := range raw {
		if c == '\n' {
			p.line = append(p.line, i+1)
		}
	}
	n, err := p.value(0)
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, p.problem(err)
	}
	return n, nil
}

func (p *jsonParser) problem(err error) *Problem {
	at := int(p.dec.InputOffset())
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		// The offset is that of the bad character when the error comes from the token
		// level, and one more when it comes from inside a value.
		at = int(syntax.Offset)
		if at > 0 && strings.HasPrefix(syntax.Error(), "invalid character "+quoteByte(p.raw[at-1])) {
			at--
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		at = len(p.raw)
	}
	line, col := p.place(at)
	return &Problem{Line: line, Col: col, Message: "bad JSON: " + err.Error()}
}

func quoteByte(c byte) string {
	if c == '\'' {
		return `'\''`
	}
	return "'" + string(rune(c)) + "'"
}

func (p *jsonParser) place(offset int) (line, col int) {
	offset = max(min(offset, len(p.raw)), 0)
	lo, hi := 0, len(p.line)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; p.line[mid] <= offset {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + 1, offset - p.line[lo] + 1
}

// node starts a node at the token that comes next.
func (p *jsonParser) node(kind yaml.Kind) *yaml.Node {
	at := int(p.dec.InputOffset())
	for at < len(p.raw) && strings.IndexByte(" \t\r\n,:", p.raw[at]) >= 0 {
		at++
	}
	n := &yaml.Node{Kind: kind}
	n.Line, n.Column = p.place(at)
	return n
}

const maxJSONDepth = 1000

func (p *jsonParser) value(depth int) (*yaml.Node, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxJSONDepth)
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
				return nil, noEOF(err)
			}
			if n.Kind == yaml.MappingNode {
				v, err := p.value(depth + 1)
				if err != nil {
					return nil, noEOF(err)
				}
				n.Content = append(n.Content, c, v)
				continue
			}
			n.Content = append(n.Content, c)
		}
		_, err := p.dec.Token()
		return n, noEOF(err)
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

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
