// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
)

const (
	// maxExpanded bounds the values made by following aliases, against documents that
	// double in size with every line.
	maxExpanded = 200_000
	// maxExact is the largest integer up to which every integer is a float64.
	maxExact = 1 << 53
)

// decoder turns the nodes of one file into values.
type decoder struct {
	file     *file
	raw      []byte
	lines    []int     // offset of each line; made on first use
	path     []segment // of the value being decoded, turned into text only for a problem
	inAlias  int       // depth of aliases being followed
	expanded int
	active   map[*yaml.Node]bool
	tooBig   bool
}

// segment is a key or, when key is empty, an index.
type segment struct {
	key   string
	index int
}

func (d *decoder) push(key string) { d.path = append(d.path, segment{key: key}) }
func (d *decoder) pushItem(i int)  { d.path = append(d.path, segment{index: i}) }
func (d *decoder) pop()            { d.path = d.path[:len(d.path)-1] }

// where returns the path as text.
func (d *decoder) where() string {
	text := ""
	for _, s := range d.path {
		if s.key == "" {
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

// scalarText returns the text of any scalar but null.
func scalarText(n *yaml.Node) (string, bool) {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", false
	}
	return n.Value, true
}

// value decodes a node. With a builder the fields below it are recorded; the field of
// the node itself must be the one opened last.
func (d *decoder) value(n *yaml.Node, b *registry.OriginBuilder) any {
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
			d.file.fail(k, d.where(), "a key must be a scalar")
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

func scalarKey(k *yaml.Node) (string, bool) {
	k = resolveAlias(k)
	if k.Kind != yaml.ScalarNode {
		return "", false
	}
	return k.Value, true
}

// checkKeys reports keys that occur twice in one mapping.
func (d *decoder) checkKeys(n *yaml.Node) {
	if d.inAlias > 0 {
		return // reported where the mapping is written
	}
	if len(n.Content) <= 32 {
		for i := 2; i < len(n.Content); i += 2 {
			for j := 0; j < i; j += 2 {
				if sameKey(n.Content[i], n.Content[j]) {
					d.duplicate(n.Content[j], n.Content[i])
					break
				}
			}
		}
		return
	}
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		key, ok := scalarKey(k)
		if !ok || k.Tag == "!!merge" {
			continue
		}
		if first := seen[key]; first != nil {
			d.duplicate(first, k)
		} else {
			seen[key] = k
		}
	}
}

func sameKey(a, b *yaml.Node) bool {
	return a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Value == b.Value && a.Tag != "!!merge"
}

func (d *decoder) duplicate(first, again *yaml.Node) {
	d.file.fail(again, under(d.where(), again.Value), fmt.Sprintf("key %q is already defined at line %d, column %d",
		again.Value, first.Line, first.Column))
}

func (d *decoder) scalar(n *yaml.Node, b *registry.OriginBuilder) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		switch n.Value {
		case "true", "True", "TRUE":
			return true
		case "false", "False", "FALSE":
			return false
		}
	case "!!int":
		if v, ok := d.integer(n); ok {
			return v
		}
	case "!!float":
		return d.float(n)
	case "!!binary":
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if err != nil {
			d.file.fail(n, d.where(), "bad base64").Err = err
			return nil
		}
		return string(raw)
	}
	if strings.HasPrefix(n.Value, fileScheme) {
		text, _ := d.interpolate(n, b)
		return text
	}
	if b != nil && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		b.Text(b.Last(), "", n.Line, d.indent(n.Line))
	}
	return n.Value
}

func (d *decoder) integer(n *yaml.Node) (float64, bool) {
	text := strings.ReplaceAll(n.Value, "_", "")
	i, err := strconv.ParseInt(text, 0, 64)
	if err == nil {
		if i > maxExact || i < -maxExact {
			d.inexact(n)
		}
		return float64(i), true
	}
	if u, err := strconv.ParseUint(text, 0, 64); err == nil {
		d.inexact(n)
		return float64(u), true
	}
	// !!int on something that is no integer, written with an explicit tag.
	return 0, false
}

func (d *decoder) inexact(n *yaml.Node) {
	d.file.warn(n, d.where(), fmt.Sprintf("integer %s cannot be represented exactly", n.Value)).Hint = "quote it to keep it as text"
}

func (d *decoder) float(n *yaml.Node) any {
	var f float64
	if err := n.Decode(&f); err != nil {
		d.file.fail(n, d.where(), fmt.Sprintf("bad number %q", n.Value))
		return nil
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		d.file.fail(n, d.where(), fmt.Sprintf("number %q is not representable", n.Value))
		return nil
	}
	if math.Abs(f) > maxExact && !strings.ContainsAny(n.Value, ".eE") {
		d.inexact(n)
	}
	return f
}

// trace records the fields below a node that was decoded before.
func (d *decoder) trace(n *yaml.Node, name string, b *registry.OriginBuilder) {
	quiet := &decoder{file: &file{tree: d.file.tree, name: d.file.name, path: d.file.path}, raw: d.raw}
	o := b.Open(name, n.Line, n.Column)
	quiet.value(n, b)
	b.Close(o)
}

// indent returns the indentation of the block scalar whose header is on the given line.
func (d *decoder) indent(header int) int {
	if d.lines == nil {
		d.lines = append(d.lines, 0)
		for i, c := range d.raw {
			if c == '\n' {
				d.lines = append(d.lines, i+1)
			}
		}
	}
	if header < 1 || header >= len(d.lines) {
		return 0
	}
	column := 0
	for _, c := range d.raw[d.lines[header]:] {
		switch c {
		case ' ':
			column++
		case '\n', '\r':
			column = 0
		default:
			return column
		}
	}
	return 0
}

// size counts the nodes from n downwards; aliases are not followed.
func size(n *yaml.Node) int {
	total := 1
	for _, c := range n.Content {
		total += size(c)
	}
	return total
}
