// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// parseYAML returns the root of the first document, or nil when there is none.
func parseYAML(raw []byte) (*yaml.Node, *Problem) {
	if directive := []byte("%YAML 1.2"); bytes.HasPrefix(raw, directive) {
		// The parser reads this version but insists on the name of the one before.
		raw = slices.Clone(raw)
		raw[len(directive)-1] = '1'
	}
	doc, err := unmarshal(raw)
	if err != nil {
		return nil, yamlProblem(raw, err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

func unmarshal(raw []byte) (doc yaml.Node, err error) {
	defer func() {
		// The parser is known to panic on some malformed input.
		if v := recover(); v != nil {
			err = fmt.Errorf("yaml: %v", v)
		}
	}()
	// Unmarshal reads the first document only and, unlike a Decoder, does not copy.
	err = yaml.Unmarshal(raw, &doc)
	return doc, err
}

// yamlMessage splits the text of an error of the library.
var yamlMessage = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(?s:(.*))$`)

// fromZero matches the messages in which the library counts lines from zero: those of
// the parser, as opposed to those of the scanner.
var fromZero = regexp.MustCompile(`^did not find expected (<|node content|key|'-' indicator|',' or)`)

func yamlProblem(raw []byte, err error) *Problem {
	m := yamlMessage.FindStringSubmatch(err.Error())
	p := &Problem{Message: "bad YAML: " + m[2], Line: 1, Col: 1}
	told, _ := strconv.Atoi(m[1])
	if fromZero.MatchString(m[2]) {
		told++
	}
	p.Line = max(told, 1)
	if at, ok := locate(raw, err.Error(), m[2]); ok {
		p.Line, p.Col = lineCol(raw, at)
		p.Hint = yamlHint(m[2], raw[at], told)
	}
	return p
}

// moreDocuments returns the line on which a second document begins, or 0. from is the
// line on which the first one begins.
func moreDocuments(raw []byte, from int) int {
	rest := raw
	for range from {
		_, next, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return 0
		}
		rest = next
	}
	if !bytes.Contains(rest, []byte("---")) && !bytes.Contains(rest, []byte("...")) {
		return 0
	}
	ended := false
	line := from
	for text := range bytes.Lines(rest) {
		line++
		text = bytes.TrimRight(text, " \t\r\n")
		switch {
		case isMarker(text, "---"):
			ended = true
			text = bytes.TrimLeft(text[3:], " \t")
		case isMarker(text, "..."):
			ended, text = true, nil
		}
		if ended && len(text) > 0 && text[0] != '#' && text[0] != '%' {
			return line
		}
	}
	return 0
}

func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t')
}
