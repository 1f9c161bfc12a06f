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
	inAlias  int // depth of aliases being followed
	expanded int
	active   map[*yaml.Node]bool
	tooBig   bool
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
func (d *decoder) value(n *yaml.Node, path string, b *registry.OriginBuilder) any {
	switch n.Kind {
	case yaml.AliasNode:
		target := resolveAlias(n)
		if d.active[target] {
			d.file.fail(n, path, "an alias refers to a value that contains it")
			return nil
		}
		d.inAlias++
		v := d.value(target, path, b)
		d.inAlias--
		return v
	case yaml.MappingNode:
		defer d.enter(n)()
		d.checkKeys(n, path)
		return d.fields(n, path, b, nil)
	case yaml.SequenceNode:
		defer d.enter(n)()
		out := make([]any, 0, len(n.Content))
		for i, c := range n.Content {
			if !d.count(c, path) {
				return out
			}
			sub := path + "[" + strconv.Itoa(i) + "]"
			if b == nil {
				out = append(out, d.value(c, sub, nil))
				continue
			}
			o := b.OpenItem(c.Line, c.Column)
			out = append(out, d.value(c, sub, b))
			b.Close(o)
		}
		return out
	case yaml.ScalarNode:
		return d.scalar(n, path, b)
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
func (d *decoder) count(n *yaml.Node, path string) bool {
	if d.inAlias == 0 {
		return true
	}
	if d.expanded++; d.expanded > maxExpanded {
		if !d.tooBig {
			d.file.fail(n, path, fmt.Sprintf("aliases expand to more than %d values", maxExpanded))
		}
		d.tooBig = true
	}
	return !d.tooBig
}

// fields decodes a mapping without the keys in skip.
func (d *decoder) fields(n *yaml.Node, path string, b *registry.OriginBuilder, skip map[string]bool) map[string]any {
	out := make(map[string]any, len(n.Content)/2)
	d.fill(out, n, path, b, skip)
	return out
}

func (d *decoder) fill(out map[string]any, n *yaml.Node, path string, b *registry.OriginBuilder, skip map[string]bool) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Tag == "!!merge" {
			merges = append(merges, v)
			continue
		}
		key, ok := scalarKey(k)
		if !ok {
			d.file.fail(k, path, "a key must be a scalar")
			continue
		}
		if skip[key] || has(out, key) {
			continue // a repeated key was reported by checkKeys
		}
		if !d.count(v, path) {
			return
		}
		d.field(out, key, v, path, b)
	}
	for _, m := range merges { // explicit keys win, then the first merged map
		d.merge(out, m, path, b, skip)
	}
}

func (d *decoder) field(out map[string]any, key string, v *yaml.Node, path string, b *registry.OriginBuilder) {
	sub := under(path, key)
	if b == nil {
		out[key] = d.value(v, sub, nil)
		return
	}
	o := b.Open(key, v.Line, v.Column)
	out[key] = d.value(v, sub, b)
	b.Close(o)
}

func (d *decoder) merge(out map[string]any, n *yaml.Node, path string, b *registry.OriginBuilder, skip map[string]bool) {
	target := resolveAlias(n)
	switch target.Kind {
	case yaml.MappingNode:
		if d.active[target] {
			d.file.fail(n, path, "an alias refers to a value that contains it")
			return
		}
		defer d.enter(target)()
		d.inAlias++
		d.fill(out, target, path, b, skip)
		d.inAlias--
	case yaml.SequenceNode:
		for _, c := range target.Content {
			if resolveAlias(c).Kind != yaml.MappingNode {
				d.file.fail(c, path, "only maps can be merged")
				continue
			}
			d.merge(out, c, path, b, skip)
		}
	default:
		d.file.fail(n, path, "only maps can be merged")
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
func (d *decoder) checkKeys(n *yaml.Node, path string) {
	if d.inAlias > 0 {
		return // reported where the mapping is written
	}
	if len(n.Content) <= 32 {
		for i := 2; i < len(n.Content); i += 2 {
			for j := 0; j < i; j += 2 {
				if sameKey(n.Content[i], n.Content[j]) {
					d.duplicate(n.Content[j], n.Content[i], path)
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
			d.duplicate(first, k, path)
		} else {
			seen[key] = k
		}
	}
}

func sameKey(a, b *yaml.Node) bool {
	return a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Value == b.Value && a.Tag != "!!merge"
}

func (d *decoder) duplicate(first, again *yaml.Node, path string) {
	d.file.fail(again, under(path, again.Value), fmt.Sprintf("key %q is already defined at line %d, column %d",
		again.Value, first.Line, first.Column))
}

func (d *decoder) scalar(n *yaml.Node, path string, b *registry.OriginBuilder) any {
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
		if v, ok := d.integer(n, path); ok {
			return v
		}
	case "!!float":
		return d.float(n, path)
	case "!!binary":
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if err != nil {
			d.file.fail(n, path, "bad base64").Err = err
			return nil
		}
		return string(raw)
	}
	if strings.HasPrefix(n.Value, fileScheme) {
		text, _ := d.interpolate(n, path, b)
		return text
	}
	if b != nil && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		b.Text(b.Last(), "", n.Line, d.indent(n.Line))
	}
	return n.Value
}

func (d *decoder) integer(n *yaml.Node, path string) (float64, bool) {
	text := strings.ReplaceAll(n.Value, "_", "")
	i, err := strconv.ParseInt(text, 0, 64)
	if err == nil {
		if i > maxExact || i < -maxExact {
			d.inexact(n, path)
		}
		return float64(i), true
	}
	if u, err := strconv.ParseUint(text, 0, 64); err == nil {
		d.inexact(n, path)
		return float64(u), true
	}
	// !!int on something that is no integer, written with an explicit tag.
	return 0, false
}

func (d *decoder) inexact(n *yaml.Node, path string) {
	d.file.warn(n, path, fmt.Sprintf("integer %s cannot be represented exactly", n.Value)).Hint = "quote it to keep it as text"
}

func (d *decoder) float(n *yaml.Node, path string) any {
	var f float64
	if err := n.Decode(&f); err != nil {
		d.file.fail(n, path, fmt.Sprintf("bad number %q", n.Value))
		return nil
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		d.file.fail(n, path, fmt.Sprintf("number %q is not representable", n.Value))
		return nil
	}
	if math.Abs(f) > maxExact && !strings.ContainsAny(n.Value, ".eE") {
		d.inexact(n, path)
	}
	return f
}

// trace records the fields below a node that was decoded before.
func (d *decoder) trace(n *yaml.Node, name string, b *registry.OriginBuilder) {
	quiet := &decoder{file: &file{tree: d.file.tree, name: d.file.name, path: d.file.path}, raw: d.raw}
	o := b.Open(name, n.Line, n.Column)
	quiet.value(n, name, b)
	b.Close(o)
}

// indent returns the indentation of the block scalar whose header is on the given line.
func (d *decoder) indent(header int) int {
	if d.file.lines == nil {
		d.file.lines = strings.Split(string(d.raw), "\n")
	}
	if header < 1 || header > len(d.file.lines) {
		return 0
	}
	for _, l := range d.file.lines[header:] {
		if t := strings.TrimLeft(l, " "); strings.TrimRight(t, "\r") != "" {
			return len(l) - len(t)
		}
	}
	return 0
}
