// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"fmt"
	"io/fs"
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
	contents map[string]string // of the files it names, by their names
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

// parse reads one file. It is called concurrently for different files, with a parser of
// its own for each goroutine.
func parse(t Tree, name string, q *quickParser) *file {
	f := &file{tree: t, name: name, path: display(t, name)}
	raw, err := fs.ReadFile(t.FS, name)
	if err != nil {
		f.problems = append(f.problems, &Problem{File: f.path, Message: "failed to read file", Err: plain(err)})
		return f
	}
	var root *yaml.Node
	var p *Problem
	if path.Ext(name) == ".json" {
		root, p = parseJSON(raw)
		if p != nil && !bytes.Contains(raw, []byte(`"namespace"`)) {
			// The settings of other tools often are JSON with comments.
			p.File, p.Message = f.path, "ignored, since it holds no entries: "+p.Message
			f.warnings = append(f.warnings, p)
			return f
		}
	} else if quickly, ok := q.parse(string(raw)); ok {
		root = quickly
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
	f.document(&decoder{file: f, raw: raw}, root)
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
	h := header{
		namespace: find(root, "namespace"),
		version:   find(root, "version"),
		meta:      find(root, "meta"),
		entries:   find(root, "entries"),
		name:      find(root, "name"),
		kind:      find(root, "kind"),
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
	if line := moreDocuments(d.raw, root.Line); line > 0 {
		p := f.problem(line, 1, "", "only the first document of a file is read; what follows is ignored")
		f.warnings = append(f.warnings, p)
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
			report := f.warn
			if holdsEntries(h.entries) {
				report = f.fail
			}
			report(k, k.Value, "unknown field in a file of entries without a namespace").Hint = `did you mean "namespace"?`
			return
		}
	}
}

// holdsEntries reports whether a list has the look of entries.
func holdsEntries(list *yaml.Node) bool {
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return false
	}
	first := resolveAlias(list.Content[0])
	return first.Kind == yaml.MappingNode && find(first, "name") != nil && find(first, "kind") != nil
}

func (f *file) extract(d *decoder, root *yaml.Node, h header, ns string) {
	meta := f.fileMeta(d, h.meta)
	empty := false
	if h.entries != nil {
		switch {
		case h.entries.Kind == yaml.SequenceNode:
			if len(h.entries.Content) > 0 {
				f.list(d, root, h.entries, ns, meta)
				return
			}
			empty = true
		case h.entries.Tag == "!!null":
			empty = true
		default:
			f.fail(h.entries, "entries", "entries must be a list")
			return
		}
	}
	switch {
	case h.name != nil && h.kind != nil:
		f.entry(d, root, ns, single, meta)
	case empty:
	case h.name != nil:
		f.warn(h.name, "name", "a file with namespace and name but without kind defines nothing")
	case h.kind != nil:
		f.warn(h.kind, "kind", "a file with namespace and kind but without name defines nothing")
	default:
		p := f.fail(h.namespace, "entries", "either entries array or single entry (name/kind) must be provided")
		p.Hint = topHint(root)
	}
}

func (f *file) list(d *decoder, root, entries *yaml.Node, ns string, meta fileMeta) {
	for i, n := range entries.Content {
		f.entry(d, resolveAlias(n), ns, i, meta)
	}
	// Other fields next to a list are ignored; they serve as a place for anchors. One
	// that looks like a known one was meant to be that.
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := root.Content[i]
		if k.Kind != yaml.ScalarNode || reserved[k.Value] || strings.HasPrefix(k.Value, "x-") {
			continue
		}
		if hint := suggest.Hint(k.Value, slices.Values([]string{"version", "meta", "entries"})); hint != "" {
			f.warn(k, k.Value, "unknown field; ignored").Hint = hint
		}
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

// find returns the value of a key of a mapping, or else of the mappings merged into it.
func find(n *yaml.Node, key string) *yaml.Node { return search(n, key, nil) }

func search(n *yaml.Node, key string, seen map[*yaml.Node]bool) *yaml.Node {
	merged := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Tag == "!!merge":
			merged = true
		case k.Kind == yaml.AliasNode:
			if text, ok := scalarKey(k); ok && text == key {
				return resolveAlias(n.Content[i+1])
			}
		case k.Value == key && k.Kind == yaml.ScalarNode:
			return resolveAlias(n.Content[i+1])
		}
	}
	if !merged {
		return nil
	}
	if seen == nil {
		seen = map[*yaml.Node]bool{}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag == "!!merge" {
			if v := searchMerged(n.Content[i+1], key, seen); v != nil {
				return v
			}
		}
	}
	return nil
}

// searchMerged looks into what follows a merge key; mappings in seen hold nothing new.
func searchMerged(n *yaml.Node, key string, seen map[*yaml.Node]bool) *yaml.Node {
	n = resolveAlias(n)
	if seen[n] {
		return nil
	}
	seen[n] = true
	switch n.Kind {
	case yaml.MappingNode:
		return search(n, key, seen)
	case yaml.SequenceNode:
		for _, c := range n.Content {
			if v := searchMerged(c, key, seen); v != nil {
				return v
			}
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
