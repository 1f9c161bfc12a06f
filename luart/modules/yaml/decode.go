// SPDX-License-Identifier: Apache-2.0

package yaml

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
	"go.yaml.in/yaml/v3"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/host"
)

const (
	// maxInput is how long a text may be. The library keeps a node of about 250 bytes for as little as two bytes of
	// text, so that this is up to 2 GiB for a moment.
	maxInput = 16 << 20
	// maxValues is how many values a document makes, with what its aliases stand for: as many as can be encoded again.
	maxValues = host.MaxValues
)

// Error says what is wrong with a YAML text, and where.
type Error struct {
	// Line counts from 1. It is 0 where it is not known, or part of the problem.
	Line int
	// Problem is the message without the line.
	Problem string
}

// Error returns the message with the line.
func (e *Error) Error() string {
	if e.Line == 0 {
		return "yaml: " + e.Problem
	}
	return fmt.Sprintf("yaml: line %d: %s", e.Line, e.Problem)
}

// Decode reads the first document of text as a Lua value. Mappings become tables with string keys, sequences 1-based
// tables; null is nil, and so is a text without a document. An integer that a Lua number cannot represent exactly
// becomes a string of its digits, a date or time Unix seconds, !!binary the bytes. Keys that are no strings become
// their text; two keys with the same text are an error.
func Decode(text string) (v lua.LValue, err error) {
	if len(text) > maxInput {
		return nil, &Error{Problem: fmt.Sprintf("text is longer than %d bytes", maxInput)}
	}
	document, err := parse(text)
	if err != nil {
		return nil, err
	}
	if document.Kind == 0 {
		return lua.LNil, nil
	}
	d := decoder{left: maxValues}
	return d.value(document, 1)
}

// parse is the library's parser. There are texts for which it panics: with comments in unusual places it meets events
// that it did not expect.
func parse(text string) (document *yaml.Node, err error) {
	document = new(yaml.Node)
	defer func() {
		if v := recover(); v != nil {
			err = &Error{Problem: fmt.Sprintf("text cannot be parsed: %v", v)}
		}
	}()
	err = yaml.Unmarshal([]byte(text), document)
	return document, err
}

type decoder struct {
	left int
	// open are the nodes that the one at hand is reached through an alias of.
	open []*yaml.Node
}

func fail(n *yaml.Node, format string, args ...any) error {
	return &Error{Line: n.Line, Problem: fmt.Sprintf(format, args...)}
}

// count counts one more value.
func (d *decoder) count(n *yaml.Node) error {
	if d.left--; d.left < 0 {
		return fail(n, "document has more than %d values", maxValues)
	}
	return nil
}

func (d *decoder) value(n *yaml.Node, depth int) (lua.LValue, error) {
	if err := d.count(n); err != nil {
		return nil, err
	}
	if depth > host.MaxDepth {
		return nil, fail(n, "values are nested more than %d levels deep", host.MaxDepth)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return d.value(n.Content[0], depth)
	case yaml.AliasNode:
		if err := d.enter(n); err != nil {
			return nil, err
		}
		defer d.leave()
		return d.value(n.Alias, depth)
	case yaml.SequenceNode:
		return d.sequence(n, depth)
	case yaml.MappingNode:
		t := engine.NewObject(len(n.Content) / 2)
		return t, d.mapping(t, n, depth)
	}
	return scalarValue(n)
}

// enter follows an alias.
func (d *decoder) enter(alias *yaml.Node) error {
	for _, n := range d.open {
		if n == alias.Alias {
			return fail(alias, "anchor %q contains itself", alias.Value)
		}
	}
	d.open = append(d.open, alias.Alias)
	return nil
}

func (d *decoder) leave() { d.open = d.open[:len(d.open)-1] }

func (d *decoder) sequence(n *yaml.Node, depth int) (lua.LValue, error) {
	t := engine.NewArray(len(n.Content))
	for i, item := range n.Content {
		v, err := d.value(item, depth+1)
		if err != nil {
			return nil, err
		}
		if v != lua.LNil {
			t.RawSetInt(i+1, v)
		}
	}
	return t, nil
}

// absent takes the place of null while a table is filled: a key that is null is a key, too.
var absent = &lua.LUserData{}

// mapping fills t, which is empty.
func (d *decoder) mapping(t *lua.LTable, n *yaml.Node, depth int) error {
	var nulls []string
	var merge *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if isMerge(k) {
			if merge != nil {
				return fail(k, "mapping key %q already defined", k.Value)
			}
			merge = v
			continue
		}
		if err := d.member(t, k, v, depth, &nulls); err != nil {
			return err
		}
	}
	if merge != nil {
		if err := d.merge(t, merge, depth, &nulls); err != nil {
			return err
		}
	}
	for _, key := range nulls {
		t.RawSetString(key, lua.LNil)
	}
	return nil
}

// member sets one key, which must not be set yet.
func (d *decoder) member(t *lua.LTable, k, v *yaml.Node, depth int, nulls *[]string) error {
	key, err := d.key(k)
	if err != nil {
		return err
	}
	if t.RawGetString(key) != lua.LNil {
		return fail(k, "mapping key %q already defined", key)
	}
	return d.set(t, key, v, depth, nulls)
}

func (d *decoder) set(t *lua.LTable, key string, n *yaml.Node, depth int, nulls *[]string) error {
	v, err := d.value(n, depth+1)
	if err != nil {
		return err
	}
	if v == lua.LNil {
		*nulls = append(*nulls, key)
		v = absent
	}
	t.RawSetString(key, v)
	return nil
}

// isMerge reports whether a key is the << of https://yaml.org/type/merge.html.
func isMerge(k *yaml.Node) bool { return k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" }

// merge adds the keys of a mapping, or of several, that t does not have. The first one that has a key wins.
func (d *decoder) merge(t *lua.LTable, n *yaml.Node, depth int, nulls *[]string) error {
	if n.Kind != yaml.SequenceNode {
		return d.mergeOne(t, n, depth, nulls)
	}
	for _, item := range n.Content {
		if err := d.mergeOne(t, item, depth, nulls); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) mergeOne(t *lua.LTable, n *yaml.Node, depth int, nulls *[]string) error {
	if n.Kind == yaml.AliasNode {
		if err := d.enter(n); err != nil {
			return err
		}
		defer d.leave()
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return fail(n, "map merge requires map or sequence of maps as the value")
	}
	return d.mergeKeys(t, n, depth, nulls)
}

func (d *decoder) mergeKeys(t *lua.LTable, n *yaml.Node, depth int, nulls *[]string) error {
	if depth > host.MaxDepth {
		return fail(n, "values are nested more than %d levels deep", host.MaxDepth)
	}
	var further *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if err := d.count(k); err != nil {
			return err
		}
		if isMerge(k) {
			further = v
			continue
		}
		key, err := d.key(k)
		if err != nil {
			return err
		}
		if t.RawGetString(key) != lua.LNil {
			continue
		}
		if err := d.set(t, key, v, depth, nulls); err != nil {
			return err
		}
	}
	if further != nil {
		return d.merge(t, further, depth+1, nulls)
	}
	return nil
}
