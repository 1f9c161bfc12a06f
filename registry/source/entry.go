// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/internal/suggest"
)

// reserved are the keys of a single entry's file that are not data.
var reserved = map[string]bool{
	"namespace": true, "name": true, "kind": true, "meta": true, "version": true,
	"requirements": true, "entries": true,
}

// entryKeys are the keys of an entry in a list that are not data.
var entryKeys = map[string]bool{"name": true, "kind": true, "meta": true, "data": true}

// single is the index of an entry that is the whole file.
const single = -1

// entry decodes one entry.
func (f *file) entry(d *decoder, n *yaml.Node, ns string, index int, above fileMeta) {
	skip := reserved
	if index != single {
		d.push("entries")
		d.pushItem(index)
		defer func() { d.path = d.path[:0] }()
		skip = entryKeys
	}
	if n.Kind != yaml.MappingNode {
		f.fail(n, d.where(), "an entry must be a map")
		return
	}
	if index != single {
		d.checkKeys(n)
	}
	b := registry.NewOriginBuilder(f.path, n.Line, n.Column)
	b.Grow(size(n)/2 + 2)
	e := registry.Entry{}
	name := f.required(d, b, n, "name", index)
	e.Kind = f.required(d, b, n, "kind", index)
	e.ID = registry.ID{Namespace: ns, Name: name}
	e.Meta = f.entryMeta(d, b, n, index, above)
	if data := find(n, "data"); data != nil {
		d.push("data")
		at := b.Open("data", data.Line, data.Column)
		e.Data = d.value(data, b)
		b.Close(at)
		d.pop()
		if m, ok := e.Data.(map[string]any); ok && index == single {
			maps.DeleteFunc(m, func(k string, _ any) bool { return reserved[k] })
		}
	} else {
		at := b.Open("data", n.Line, n.Column)
		e.Data = d.fields(n, b, skip)
		b.Close(at)
	}
	e.Origin = b.Origin()
	f.entries = append(f.entries, e)
}

func (f *file) required(d *decoder, b *registry.OriginBuilder, n *yaml.Node, key string, index int) string {
	v := find(n, key)
	text, ok := scalarText(v)
	if !ok || strings.TrimSpace(text) == "" {
		at, field := n, key
		if v != nil {
			at = v
		}
		if index != single {
			field = fmt.Sprintf("entry[%d].%s", index, key)
		}
		p := f.fail(at, field, key+" is required and must be a non-empty string")
		if v == nil {
			p.Hint = keyHint(n, key)
		}
		return ""
	}
	if strings.HasPrefix(text, fileScheme) {
		d.push(key)
		text, _ = d.interpolate(v, nil)
		d.pop()
	}
	b.Close(b.Open(key, v.Line, v.Column))
	return text
}

func keyHint(n *yaml.Node, want string) string {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if near := suggest.Nearest(n.Content[i].Value, slices.Values([]string{want}), 1); len(near) > 0 {
			return fmt.Sprintf("%q: did you mean %q?", n.Content[i].Value, want)
		}
	}
	return ""
}

// fileMeta is the metadata of a file with the node it came from, for the origin of
// entries.
type fileMeta struct {
	values map[string]any
	node   *yaml.Node
}

func (f *file) fileMeta(d *decoder, n *yaml.Node) fileMeta {
	if n == nil || n.Tag == "!!null" {
		return fileMeta{}
	}
	if n.Kind != yaml.MappingNode {
		f.fail(n, "meta", "meta must be a map")
		return fileMeta{}
	}
	d.push("meta")
	v, _ := d.value(n, nil).(map[string]any)
	d.pop()
	return fileMeta{v, n}
}

// entryMeta returns the metadata of an entry, with that of its file under it.
func (f *file) entryMeta(d *decoder, b *registry.OriginBuilder, n *yaml.Node, index int, above fileMeta) map[string]any {
	m := find(n, "meta")
	if index == single { // the metadata of a single-entry file is the file's
		m = nil
	}
	if m != nil && m.Kind != yaml.MappingNode {
		if m.Tag != "!!null" {
			f.warn(m, under(d.where(), "meta"), "meta must be a map; ignored")
		}
		m = nil
	}
	if m == nil && above.values == nil {
		return nil
	}
	at := n
	if m != nil {
		at = m
	}
	o := b.Open("meta", at.Line, at.Column)
	defer b.Close(o)
	var own map[string]any
	if m != nil {
		d.push("meta")
		own, _ = d.value(m, b).(map[string]any)
		d.pop()
	}
	if above.values == nil {
		return own
	}
	d.trace(above.node, own, b)
	if len(own) == 0 {
		return maps.Clone(above.values)
	}
	for k, v := range above.values {
		if !has(own, k) {
			own[k] = v
		}
	}
	return own
}

func has(m map[string]any, k string) bool {
	_, ok := m[k]
	return ok
}
