// SPDX-License-Identifier: Apache-2.0

package json

import (
	"container/list"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// schemaLimit is how many compiled schemas are kept.
const schemaLimit = 100

// schemaURL names the schema document; it is never looked up.
const schemaURL = "mem:///schema.json"

// schemaCache keeps the most recently used compiled schemas by their text. It may be used by several goroutines.
type schemaCache struct {
	mu      sync.Mutex
	entries map[string]*list.Element
	order   list.List // of *schemaEntry, most recently used first
}

type schemaEntry struct {
	text   string
	schema *jsonschema.Schema
}

// get returns the compiled form of a schema text. Texts that do not compile are not remembered.
func (c *schemaCache) get(text string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	if el, ok := c.entries[text]; ok {
		c.order.MoveToFront(el)
		c.mu.Unlock()
		return el.Value.(*schemaEntry).schema, nil
	}
	c.mu.Unlock()

	schema, err := compileSchema(text)
	if err != nil {
		return nil, err
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = make(map[string]*list.Element, schemaLimit)
	}
	if el, ok := c.entries[text]; ok {
		return el.Value.(*schemaEntry).schema, nil
	}
	c.entries[text] = c.order.PushFront(&schemaEntry{text, schema})
	if c.order.Len() > schemaLimit {
		oldest := c.order.Remove(c.order.Back()).(*schemaEntry)
		delete(c.entries, oldest.text)
	}
	return schema, nil
}

// offline refuses every reference to another document.
type offline struct{}

func (offline) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s: references to other documents are not followed", url)
}

// parseDocument reads JSON text as the values that the validator checks.
func parseDocument(text string) (any, error) {
	return jsonschema.UnmarshalJSON(strings.NewReader(text))
}

// annotations are the formats that the older drafts would assert; here a format never rejects anything.
var annotations = []string{
	"json-pointer", "relative-json-pointer", "uuid", "duration", "period", "ipv4", "ipv6", "hostname",
	"idn-hostname", "email", "idn-email", "date", "time", "date-time", "uri", "iri", "uri-reference",
	"iri-reference", "uri-template", "semver",
}

func compileSchema(text string) (*jsonschema.Schema, error) {
	doc, err := parseDocument(text)
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	withoutRegexFormat(doc)

	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(offline{})
	for _, name := range annotations {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(any) error { return nil }})
	}
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	schema, err := c.Compile(schemaURL)
	var invalid *jsonschema.SchemaValidationError
	if errors.As(err, &invalid) {
		return nil, fmt.Errorf("the schema is not valid: %w", oneLine(invalid.Err))
	}
	return schema, err
}

// withoutRegexFormat renames the one format whose check cannot be replaced. Values that are data, not schema,
// are left alone.
func withoutRegexFormat(doc any) {
	switch doc := doc.(type) {
	case map[string]any:
		for key, value := range doc {
			switch {
			case key == "format" && value == "regex":
				doc[key] = "regular-expression"
			case key == "const" || key == "enum" || key == "default" || key == "examples":
			default:
				withoutRegexFormat(value)
			}
		}
	case []any:
		for _, item := range doc {
			withoutRegexFormat(item)
		}
	}
}

// check validates a document that UnmarshalJSON or hostValue made. The error says what is wrong, and where, on
// one line.
func check(schema *jsonschema.Schema, doc any) error {
	return oneLine(schema.Validate(doc))
}

// oneLine makes the report of the validator one line that names the places and says nothing of our own address of
// the schema.
func oneLine(err error) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	_, problems, _ := strings.Cut(invalid.Error(), "\n") // the first line names that address
	lines := strings.Split(problems, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimSpace(line), "- ")
	}
	return errors.New(strings.Join(lines, "; "))
}

// hostValue turns a table into the document that is checked: a table with a positive whole key is a list (its
// other keys are dropped), every other table an object.
func hostValue(v lua.LValue, path []*lua.LTable) (any, error) {
	switch v := v.(type) {
	case *lua.LNilType:
		return nil, nil
	case lua.LBool:
		return bool(v), nil
	case lua.LString:
		return string(v), nil
	case lua.LNumber:
		f := float64(v)
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), nil
		}
		return f, nil
	case *lua.LTable:
		return hostTable(v, path)
	}
	return v.String(), nil
}

func hostTable(t *lua.LTable, path []*lua.LTable) (any, error) {
	t = engine.Unwrap(t)
	for _, around := range path {
		if around == t {
			return nil, errCycle
		}
	}
	if len(path) > maxDepth {
		return nil, errDepth
	}
	path = append(path, t)
	last := 0
	t.ForEach(func(k, _ lua.LValue) {
		if n, ok := position(k); ok {
			last = max(last, n)
		}
	})
	var err error
	if last > 0 {
		items := make([]any, last)
		for i := range items {
			if items[i], err = hostValue(t.RawGetInt(i+1), path); err != nil {
				return nil, err
			}
		}
		return items, nil
	}
	members := map[string]any{}
	t.ForEach(func(k, v lua.LValue) {
		if err != nil {
			return
		}
		members[k.String()], err = hostValue(v, path)
	})
	return members, err
}
