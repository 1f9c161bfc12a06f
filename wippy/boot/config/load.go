// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/wippy/system/suggest"
)

// Known lists the sections the runtime reads. Others are kept, because an
// application may read its own, but Load reports the ones that look mistyped.
var Known = []string{
	"logger", "logmanager", "profiler", "security", "registry", "relay", "supervisor", "lua", "finder", "shutdown",
	"metrics", "prometheus", "dispatcher", "override", "disable", "network_service", "modules", "extensions", "lsp",
	"otel", "cluster", "boot", "vars", "profiles", "workspace",
}

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
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	b.WriteString(": ")
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("\n  hint: " + e.Hint)
	}
	return b.String()
}

// Load merges the given files, left to right, over an empty configuration. With
// no files it reads DefaultFile in dir when that exists. Relative names are
// taken from dir. The returned warnings name sections that look mistyped.
func Load(dir string, files []string) (c *Config, warnings []string, err error) {
	c = New()
	explicit := len(files) > 0
	if !explicit {
		files = []string{DefaultFile}
	}
	for i, name := range files {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, name)
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && !explicit {
			return c, nil, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read configuration: %w", err)
		}
		w, err := c.merge(path, text)
		if err != nil {
			return nil, nil, err
		}
		warnings = append(warnings, w...)
		if i == 0 {
			if abs, err := filepath.Abs(path); err == nil {
				c.Set("boot", "config_path", abs)
				c.Set("boot", "config_dir", filepath.Dir(abs))
			}
		}
	}
	return c, warnings, nil
}

// merge parses one file and lays its leaves over what is there.
func (c *Config) merge(file string, text []byte) (warnings []string, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, yamlError(file, err)
	}
	if len(doc.Content) == 0 {
		return nil, &Error{File: file, Message: "missing version field", Hint: `begin the file with: version: "1.0"`}
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, &Error{File: file, Line: root.Line, Column: root.Column, Message: "expected a map of sections"}
	}
	versioned := false
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if key.Value == "version" {
			versioned = true
			if value.Value != "1.0" {
				return nil, &Error{File: file, Line: value.Line, Column: value.Column, Message: "unsupported version: " + value.Value, Hint: `this runtime reads version "1.0"`}
			}
			continue
		}
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if value.Kind != yaml.MappingNode {
			if value.Tag == "!!null" {
				continue // a section left empty
			}
			return nil, &Error{File: file, Line: value.Line, Column: value.Column, Message: fmt.Sprintf("section %q must be a map", key.Value)}
		}
		var section map[string]any
		if err := value.Decode(&section); err != nil {
			return nil, yamlError(file, err)
		}
		for k, v := range section {
			c.Set(key.Value, k, v)
		}
		if h := suggest.Hint(key.Value, Known); h != "" && !isKnown(key.Value) {
			warnings = append(warnings, fmt.Sprintf("%s:%d:%d: unknown section %q, %s", file, key.Line, key.Column, key.Value, h))
		}
	}
	if !versioned {
		return nil, &Error{File: file, Line: root.Line, Column: root.Column, Message: "missing version field", Hint: `begin the file with: version: "1.0"`}
	}
	return warnings, nil
}

func isKnown(section string) bool {
	for _, k := range Known {
		if k == section {
			return true
		}
	}
	return false
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

// ParseScalar gives text its natural type: true and false, canonical integers,
// floats (with a dot or an exponent), else the string itself.
func ParseScalar(text string) any {
	switch text {
	case "true":
		return true
	case "false":
		return false
	}
	if n, err := strconv.Atoi(text); err == nil && strconv.Itoa(n) == text {
		return n
	}
	if strings.ContainsAny(text, ".eE") {
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}
