// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/wippy/system/suggest"
)

// Error is a problem in a configuration file, with the place it is at.
type Error struct {
	File    string
	Line    int // 0 when the problem belongs to the whole file
	Column  int
	Message string
	Hint    string // what to do about it, "" when the message says enough
}

// Error renders `file:line:column: message (hint)`.
func (e *Error) Error() string {
	text := e.position() + ": " + e.Message
	if e.Hint != "" {
		text += "\n  hint: " + e.Hint
	}
	return text
}

func (e *Error) position() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	return b.String()
}

// saying returns an error at the same place.
func (e *Error) saying(message, hint string) *Error {
	return &Error{File: e.File, Line: e.Line, Column: e.Column, Message: message, Hint: hint}
}

// read parses one file and lays its leaves over what is there.
func (l *layers) read(file string, text []byte) error {
	if l.base == nil {
		l.base, l.profiles = sheet{}, map[string]sheet{}
	}
	l.files = append(l.files, file)
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return yamlError(file, err)
	}
	at := func(n *yaml.Node) *Error { return &Error{File: file, Line: n.Line, Column: n.Column} }
	const hint = `begin the file with: version: "1.0"`
	if len(doc.Content) == 0 {
		return (&Error{File: file}).saying("missing version field", hint)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return at(root).saying("expected a map of sections", "")
	}
	versioned := false
	for key, value := range pairs(root) {
		switch {
		case key.Value == "version":
			versioned = true
			if value.Value != "1.0" {
				return at(value).saying("unsupported version: "+value.Value, `this runtime reads version "1.0"`)
			}
			continue
		case value.Tag == "!!null":
			continue // a section left empty
		case value.Kind != yaml.MappingNode:
			return at(value).saying(fmt.Sprintf("section %q must be a map", key.Value), "")
		case key.Value == "profiles":
			if err := l.readProfiles(file, value); err != nil {
				return err
			}
			continue
		}
		if err := l.base.read(file, key.Value, value); err != nil {
			return err
		}
		if h := suggest.Hint(key.Value, Known); h != "" && !slices.Contains(Known, key.Value) {
			l.warnings = append(l.warnings, fmt.Sprintf("%s: unknown section %q, %s", at(key).position(), key.Value, h))
		}
	}
	if !versioned {
		return at(root).saying("missing version field", hint)
	}
	return nil
}

// readProfiles reads the section profiles: maps of sections by name.
func (l *layers) readProfiles(file string, node *yaml.Node) error {
	for name, sections := range pairs(node) {
		if l.profiles[name.Value] == nil {
			l.profiles[name.Value] = sheet{}
		}
		at := &Error{File: file, Line: sections.Line, Column: sections.Column}
		if sections.Tag == "!!null" {
			continue
		}
		if sections.Kind != yaml.MappingNode {
			return at.saying(fmt.Sprintf("profile %q must be a map of sections", name.Value), "")
		}
		for key, value := range pairs(sections) {
			at := &Error{File: file, Line: key.Line, Column: key.Column}
			switch {
			case key.Value == "profiles":
				return at.saying("a profile cannot have profiles", "")
			case value.Tag == "!!null":
				continue
			case value.Kind != yaml.MappingNode:
				return at.saying(fmt.Sprintf("section %q of profile %q must be a map", key.Value, name.Value), "")
			}
			if err := l.profiles[name.Value].read(file, key.Value, value); err != nil {
				return err
			}
			if h := suggest.Hint(key.Value, Known); h != "" && !slices.Contains(Known, key.Value) {
				l.warnings = append(l.warnings, fmt.Sprintf("%s: unknown section %q, %s", at.position(), key.Value, h))
			}
		}
	}
	return nil
}

// read takes the leaves of one section.
func (s sheet) read(file, section string, node *yaml.Node) error {
	var values map[string]any
	if err := node.Decode(&values); err != nil {
		return yamlError(file, err)
	}
	places := map[string]*Error{}
	locate(file, "", node, places)
	whole := &Error{File: file, Line: node.Line, Column: node.Column}
	var set func(key string, v any)
	set = func(key string, v any) {
		if m, ok := v.(map[string]any); ok {
			for k, v := range m {
				set(key+"."+k, v)
			}
			return
		}
		place := places[key]
		if place == nil { // merged into the map by "<<"
			place = whole
		}
		s.set(section, key, leaf{value: v, place: place})
	}
	for k, v := range values {
		set(k, v)
	}
	return nil
}

// locate notes where the keys of a map are.
func locate(file, prefix string, node *yaml.Node, places map[string]*Error) {
	for key, value := range pairs(node) {
		name := prefix + key.Value
		places[name] = &Error{File: file, Line: key.Line, Column: key.Column}
		if value.Kind == yaml.MappingNode {
			locate(file, name+".", value, places)
		}
	}
}

// pairs walks the keys and values of a map; values are followed through aliases.
func pairs(node *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			value := node.Content[i+1]
			for value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			if !yield(node.Content[i], value) {
				return
			}
		}
	}
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// yamlError turns the parser's text into a positioned error.
func yamlError(file string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	line := 0
	if m := yamlLine.FindStringSubmatchIndex(text); m != nil {
		line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[:m[0]] + text[m[1]:]
	}
	return &Error{File: file, Line: line, Message: text}
}
