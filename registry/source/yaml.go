// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// parseYAML returns the root of the first document, or nil when there is none.
func parseYAML(raw []byte) (root *yaml.Node, p *Problem) {
	defer func() {
		// The parser is known to panic on some malformed input.
		if v := recover(); v != nil {
			root, p = nil, &Problem{Message: fmt.Sprintf("bad YAML: %v", v)}
		}
	}()
	var doc yaml.Node
	// Unmarshal reads the first document only and, unlike a Decoder, does not copy.
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, yamlProblem(raw, err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// parserError matches the messages of the parser, as opposed to those of the scanner.
var parserError = regexp.MustCompile(`^did not find expected (<|node content|key|'-' indicator|',' or)`)

// yamlProblem finds the position in the text of a parser error; the column is that of
// the first character of the line, since the parser does not tell it.
func yamlProblem(raw []byte, err error) *Problem {
	p := &Problem{Message: "bad YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return p
	}
	p.Message = "bad YAML: " + m[2]
	if m[1] == "" {
		p.Line, p.Col = 1, 1
		return p
	}
	p.Line, _ = strconv.Atoi(m[1])
	if parserError.MatchString(m[2]) {
		p.Line++ // the library counts from zero in these: they give the line before
	}
	lines := bytes.Split(raw, []byte("\n"))
	if p.Line >= 1 && p.Line <= len(lines) {
		l := lines[p.Line-1]
		p.Col = len(l) - len(bytes.TrimLeft(l, " \t")) + 1
		if tab := bytes.IndexByte(l[:p.Col-1], '\t'); tab >= 0 {
			p.Col = tab + 1
			p.Hint = "indent with spaces, not tabs"
		}
	}
	return p
}
