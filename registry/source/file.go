// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/internal/suggest"
)

// file is the outcome of reading one file.
type file struct {
	tree Tree
	name string // slash-separated, inside the tree
	path string // for people

	entries  []registry.Entry
	problems Problems
	warnings Problems
}

func (f *file) problem(line, col int, field, message string) *Problem {
	return &Problem{File: f.path, Line: line, Col: col, Field: field, Message: message}
}

func (f *file) fail(n *yaml.Node, field, message string) *Problem {
	p := f.problem(n.Line, n.Column, field, message)
	f.problems = append(f.problems, p)
	return p
}

func (f *file) warn(n *yaml.Node, field, message string) *Problem {
	p := f.problem(n.Line, n.Column, field, message)
	f.warnings = append(f.warnings, p)
	return p
}

// parse reads one file. It is called concurrently for different files.
func parse(t Tree, name string) *file {
	f := &file{tree: t, name: name, path: display(t, name)}
	raw, err := fs.ReadFile(t.FS, name)
	if err != nil {
		f.problems = append(f.problems, &Problem{File: f.path, Message: "failed to read file", Err: err})
		return f
	}
	var root *yaml.Node
	var p *Problem
	if path.Ext(name) == ".json" {
		root, p = parseJSON(raw)
	} else {
		root, p = parseYAML(raw)
	}
	if p != nil {
		p.File = f.path
		f.problems = append(f.problems, p)
		return f
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return f // empty, a list or a scalar: not a file of entries
	}
	d := &decoder{file: f, raw: raw}
	f.document(d, root)
	return f
}

// header are the parts of a file.
type header struct {
	namespace *yaml.Node
	version   *yaml.Node
	meta      *yaml.Node
	entries   *yaml.Node
	name      *yaml.Node
	kind      *yaml.Node
}

func (f *file) document(d *decoder, root *yaml.Node) {
	var h header
	for i := 0; i+1 < len(root.Content); i += 2 {
		v := resolveAlias(root.Content[i+1])
		switch root.Content[i].Value {
		case "namespace":
			h.namespace = v
		case "version":
			h.version = v
		case "meta":
			h.meta = v
		case "entries":
			h.entries = v
		case "name":
			h.name = v
		case "kind":
			h.kind = v
		}
	}
	ns, ok := scalarText(h.namespace)
	if h.namespace != nil && !ok && h.namespace.Kind != yaml.ScalarNode {
		f.fail(h.namespace, "namespace", "namespace must be a string")
		return
	}
	if ns = strings.TrimSpace(ns); ns == "" {
		f.foreign(root, h)
		return
	}
	if strings.Contains(ns, ":") {
		f.fail(h.namespace, "namespace", fmt.Sprintf("namespace %q must not contain ':'", ns))
	}
	d.checkKeys(root)
	if h.version != nil && h.version.Tag != "!!null" {
		if _, ok := scalarText(h.version); !ok {
			f.fail(h.version, "version", "version must be a string")
		}
	}
	f.extract(d, root, h, ns)
}

// foreign handles a file without a namespace: it is not ours, unless it looks like one
// of ours with a typing mistake.
func (f *file) foreign(root *yaml.Node, h header) {
	if h.entries == nil && (h.name == nil || h.kind == nil) {
		return
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := root.Content[i]
		if near := suggest.Nearest(k.Value, slices.Values([]string{"namespace"}), 1); len(near) > 0 {
			f.fail(k, k.Value, "unknown field in a file of entries without a namespace").Hint = `did you mean "namespace"?`
			return
		}
	}
}

func (f *file) extract(d *decoder, root *yaml.Node, h header, ns string) {
	meta := f.fileMeta(d, h.meta)
	switch {
	case h.entries != nil && h.entries.Kind == yaml.SequenceNode:
		for i, n := range h.entries.Content {
			f.entry(d, resolveAlias(n), ns, i, meta)
		}
		if len(h.entries.Content) > 0 || h.name == nil || h.kind == nil {
			return
		}
	case h.entries != nil && h.entries.Tag != "!!null":
		f.fail(h.entries, "entries", "entries must be a list")
		return
	}
	switch {
	case h.name != nil && h.kind != nil:
		f.entry(d, root, ns, single, meta)
	case h.name != nil:
		f.warn(h.name, "name", "a file with namespace and name but without kind defines nothing")
	case h.kind != nil:
		f.warn(h.kind, "kind", "a file with namespace and kind but without name defines nothing")
	default:
		p := f.fail(h.namespace, "entries", "either entries array or single entry (name/kind) must be provided")
		p.Hint = topHint(root)
	}
}

func topHint(root *yaml.Node) string {
	known := []string{"entries", "name", "kind"}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := root.Content[i].Value
		if near := suggest.Nearest(k, slices.Values(known), 1); len(near) > 0 {
			return fmt.Sprintf("%q: did you mean %q?", k, near[0])
		}
	}
	return ""
}

// metaFields is metadata with the nodes it came from, for the origin of entries.
type metaFields struct {
	values map[string]any
	nodes  []*yaml.Node // keys and values in turn
}

func (f *file) fileMeta(d *decoder, n *yaml.Node) metaFields {
	if n == nil || n.Tag == "!!null" {
		return metaFields{}
	}
	if n.Kind != yaml.MappingNode {
		f.fail(n, "meta", "meta must be a map")
		return metaFields{}
	}
	d.push("meta")
	v, _ := d.value(n, nil).(map[string]any)
	d.pop()
	return metaFields{v, n.Content}
}

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
func (f *file) entry(d *decoder, n *yaml.Node, ns string, index int, fileMeta metaFields) {
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
	e.Meta = f.entryMeta(d, b, n, index, fileMeta)
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

func (f *file) entryMeta(d *decoder, b *registry.OriginBuilder, n *yaml.Node, index int, file metaFields) map[string]any {
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
	if m == nil && file.values == nil {
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
	if file.values == nil {
		return own
	}
	for i := 0; i+1 < len(file.nodes); i += 2 {
		if k := file.nodes[i].Value; !has(own, k) {
			d.trace(file.nodes[i+1], k, b)
		}
	}
	if len(own) == 0 {
		return maps.Clone(file.values)
	}
	for k, v := range file.values {
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

func find(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolveAlias(n.Content[i+1])
		}
	}
	return nil
}

func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
