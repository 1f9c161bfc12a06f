// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
)

const (
	// maxDepth is how deep values may be nested, which is what a registry accepts.
	maxDepth = 1000
	// maxExpanded bounds the values made by following aliases, against documents that
	// double in size with every line.
	maxExpanded = 200_000
	// maxTraced bounds how many places of the metadata of a file are kept with its
	// entries, each of which has all of them: 32 MB. Beyond it the place of the entry has
	// to do.
	maxTraced = 1_000_000
)

// decoder turns the nodes of one file into values.
type decoder struct {
	file     *file
	raw      []byte
	lines    []int     // offset of each line; made on first use
	path     []segment // of the value being decoded, turned into text only for a problem
	inAlias  int       // depth of aliases being followed
	expanded int
	traced   int
	active   map[*yaml.Node]bool
	repeated map[*yaml.Node]bool // keys reported as repeated
	tooBig   bool
}

// segment is a key or, unless index is -1, an index.
type segment struct {
	key   string
	index int
}

func (d *decoder) push(key string) { d.path = append(d.path, segment{key, -1}) }
func (d *decoder) pushItem(i int)  { d.path = append(d.path, segment{index: i}) }
func (d *decoder) pop()            { d.path = d.path[:len(d.path)-1] }

// where returns the path as text.
func (d *decoder) where() string {
	text := ""
	for _, s := range d.path {
		if s.index >= 0 {
			text += "[" + strconv.Itoa(s.index) + "]"
		} else {
			text = under(text, s.key)
		}
	}
	return text
}

func resolveAlias(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// value decodes a node. With a builder the fields below it are recorded; the field of
// the node itself must be the one opened last.
func (d *decoder) value(n *yaml.Node, b *registry.OriginBuilder) any {
	if len(d.path) > maxDepth {
		d.file.fail(n, "", fmt.Sprintf("nested deeper than %d levels", maxDepth))
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		target := resolveAlias(n)
		if d.active[target] {
			d.file.fail(n, d.where(), "an alias refers to a value that contains it")
			return nil
		}
		d.inAlias++
		v := d.value(target, b)
		d.inAlias--
		return v
	case yaml.MappingNode:
		defer d.enter(n)()
		d.checkKeys(n)
		return d.fields(n, b, nil)
	case yaml.SequenceNode:
		defer d.enter(n)()
		out := make([]any, 0, len(n.Content))
		for i, c := range n.Content {
			if !d.count(c) {
				return out
			}
			d.pushItem(i)
			if b == nil {
				out = append(out, d.value(c, nil))
			} else {
				o := b.OpenItem(c.Line, c.Column)
				out = append(out, d.value(c, b))
				b.Close(o)
			}
			d.pop()
		}
		return out
	case yaml.ScalarNode:
		return d.scalar(n, b)
	}
	return nil
}

// enter marks a node that aliases may refer to as being decoded until the function
// returned is called.
func (d *decoder) enter(n *yaml.Node) (leave func()) {
	if n.Anchor == "" {
		return func() {}
	}
	if d.active == nil {
		d.active = map[*yaml.Node]bool{}
	}
	d.active[n] = true
	return func() { delete(d.active, n) }
}

// count bounds how much following aliases may produce.
func (d *decoder) count(n *yaml.Node) bool {
	if d.inAlias == 0 {
		return true
	}
	if d.expanded++; d.expanded > maxExpanded {
		if !d.tooBig {
			d.file.fail(n, d.where(), fmt.Sprintf("aliases expand to more than %d values", maxExpanded))
		}
		d.tooBig = true
	}
	return !d.tooBig
}

// fields decodes a mapping without the keys in skip.
func (d *decoder) fields(n *yaml.Node, b *registry.OriginBuilder, skip map[string]bool) map[string]any {
	out := make(map[string]any, len(n.Content)/2)
	d.fill(out, n, b, skip)
	return out
}

func (d *decoder) fill(out map[string]any, n *yaml.Node, b *registry.OriginBuilder, skip map[string]bool) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Tag == "!!merge" {
			merges = append(merges, v)
			continue
		}
		key, ok := scalarKey(k)
		if !ok {
			d.file.fail(k, d.where(), "a key must be a text or another scalar, and not null")
			continue
		}
		if skip[key] || has(out, key) {
			continue // a repeated key was reported by checkKeys
		}
		if !d.count(v) {
			return
		}
		d.field(out, key, v, b)
	}
	for _, m := range merges { // explicit keys win, then the first merged map
		d.merge(out, m, b, skip)
	}
}

func (d *decoder) field(out map[string]any, key string, v *yaml.Node, b *registry.OriginBuilder) {
	d.push(key)
	if b == nil {
		out[key] = d.value(v, nil)
	} else {
		o := b.Open(key, v.Line, v.Column)
		out[key] = d.value(v, b)
		b.Close(o)
	}
	d.pop()
}

func (d *decoder) merge(out map[string]any, n *yaml.Node, b *registry.OriginBuilder, skip map[string]bool) {
	target := resolveAlias(n)
	switch target.Kind {
	case yaml.MappingNode:
		if d.active[target] {
			d.file.fail(n, d.where(), "an alias refers to a value that contains it")
			return
		}
		defer d.enter(target)()
		d.inAlias++
		d.checkKeys(target)
		d.fill(out, target, b, skip)
		d.inAlias--
	case yaml.SequenceNode:
		for _, c := range target.Content {
			if resolveAlias(c).Kind != yaml.MappingNode {
				d.file.fail(c, d.where(), "only maps can be merged")
				continue
			}
			d.merge(out, c, b, skip)
		}
	default:
		d.file.fail(n, d.where(), "only maps can be merged")
	}
}

// trace records the fields of a mapping that was decoded before, without those in own.
func (d *decoder) trace(n *yaml.Node, own map[string]any, b *registry.OriginBuilder) {
	if d.traced > maxTraced {
		return
	}
	var skip map[string]bool
	if len(own) > 0 {
		skip = make(map[string]bool, len(own))
		for k := range own {
			skip[k] = true
		}
	}
	quiet := &decoder{raw: d.raw, lines: d.lines, file: &file{
		tree: d.file.tree, name: d.file.name, path: d.file.path, contents: d.file.contents}}
	before := b.Last()
	quiet.fields(n, b, skip)
	d.traced += b.Last() - before
	d.lines = quiet.lines
}

// size counts the nodes from n downwards; aliases are not followed.
func size(n *yaml.Node) int {
	total := 1
	for _, c := range n.Content {
		total += size(c)
	}
	return total
}
