// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// DefaultPatterns returns the paths at which entries customarily refer to other
// entries. They are registered with every Extractor made by NewExtractor.
func DefaultPatterns() []string {
	return []string{
		"meta.parent", "meta.depends_on", "meta.groups",
		"data.config", "data.groups", "data.imports.*", "data.*.depends_on",
		"data.lifecycle.requires", "data.lifecycle.depends_on",
		"data.host", "data.process", "data.func",
		"data.fs", "data.env", "data.*_env", "meta.*_env", "data.storage", "data.storages",
		"meta.server", "meta.router", "data.server", "data.middleware", "data.post_middleware",
		"data.network", "data.tls.*_env",
		"data.driver", "data.dead_letter.queue", "data.queue",
		"data.set",
		"data.token_store", "data.lifecycle.security.policies", "data.lifecycle.security.groups",
		"data.security.policies", "data.security.groups", "data.security.token_store",
		"data.contracts.*.contract", "data.contracts.*.methods.*",
		"data.store", "data.bucket", "data.database",
		"data.client", "meta.temporal.activity.worker", "meta.temporal.workflow.worker",
	}
}

// Extractor finds the references an entry makes to other entries: the values at
// registered paths, and the variables named by ${env:…} placeholders. It may be used
// concurrently.
type Extractor struct {
	mu       sync.RWMutex // guards patterns and tree
	patterns []string
	tree     patternNode
}

// patternNode is one level of a prefix tree over all patterns, so that an entry is
// walked once however many patterns there are.
type patternNode struct {
	leaf  bool
	exact map[string]*patternNode
	globs []patternGlob
}

type patternGlob struct {
	text, prefix, suffix string
	node                 *patternNode
}

// NewExtractor returns an extractor of DefaultPatterns and the given ones.
func NewExtractor(patterns ...string) (*Extractor, error) {
	x := &Extractor{}
	if err := x.Add(DefaultPatterns()...); err != nil {
		return nil, err
	}
	return x, x.Add(patterns...)
}

// Add registers more patterns. A pattern is a dotted path that starts with "data" or
// "meta"; a segment is a key, "*" for every map value or list item, or a key with one
// "*" for any run of characters. What the path leads to may be a string, a list of
// strings or a map with string values.
func (x *Extractor) Add(patterns ...string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range patterns {
		segs := strings.Split(p, ".")
		if len(segs) < 2 || (segs[0] != "data" && segs[0] != "meta") {
			return invalidf("dependency pattern %q must start with data. or meta.", p)
		}
		for _, s := range segs {
			if s == "" || strings.Count(s, "*") > 1 {
				return invalidf("dependency pattern %q: bad segment %q", p, s)
			}
		}
		if slices.Contains(x.patterns, p) {
			continue
		}
		x.patterns = append(x.patterns, p)
		n := &x.tree
		for _, s := range segs {
			n = n.child(s)
		}
		n.leaf = true
	}
	return nil
}

// Patterns returns the registered patterns in order of registration.
func (x *Extractor) Patterns() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Clone(x.patterns)
}

func (n *patternNode) child(seg string) *patternNode {
	pre, suf, glob := strings.Cut(seg, "*")
	if !glob {
		if n.exact == nil {
			n.exact = map[string]*patternNode{}
		}
		if n.exact[seg] == nil {
			n.exact[seg] = &patternNode{}
		}
		return n.exact[seg]
	}
	for _, g := range n.globs {
		if g.text == seg {
			return g.node
		}
	}
	c := &patternNode{}
	n.globs = append(n.globs, patternGlob{seg, pre, suf, c})
	return c
}

func (g *patternGlob) match(key string) bool {
	return len(key) >= len(g.prefix)+len(g.suffix) && strings.HasPrefix(key, g.prefix) && strings.HasSuffix(key, g.suffix)
}

// References returns the reference texts of the entry as they are written,
// deduplicated and sorted. Placeholders are not included.
func (x *Extractor) References(e Entry) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []string
	if n := x.tree.exact["data"]; n != nil {
		out = n.walk(e.Data, out)
	}
	if n := x.tree.exact["meta"]; n != nil && len(e.Meta) > 0 {
		out = n.walk(e.Meta, out)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (n *patternNode) walk(v any, out []string) []string {
	if n.leaf {
		out = leafStrings(v, out)
	}
	switch v := v.(type) {
	case map[string]any:
		if len(n.globs) == 0 && len(n.exact) < len(v) {
			for k, c := range n.exact {
				if x, ok := v[k]; ok {
					out = c.walk(x, out)
				}
			}
			return out
		}
		for k, x := range v {
			if c := n.exact[k]; c != nil {
				out = c.walk(x, out)
			}
			for i := range n.globs {
				if n.globs[i].match(k) {
					out = n.globs[i].node.walk(x, out)
				}
			}
		}
	case []any:
		for i := range n.globs {
			if n.globs[i].text == "*" {
				for _, x := range v {
					out = n.globs[i].node.walk(x, out)
				}
			}
		}
	}
	return out
}

func leafStrings(v any, out []string) []string {
	if s, ok := IDText(v); ok {
		if s != "" {
			out = append(out, s)
		}
		return out
	}
	add := func(v any) {
		if s, ok := IDText(v); ok && s != "" {
			out = append(out, s)
		}
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			add(x)
		}
	case map[string]any:
		for _, x := range v {
			add(x)
		}
	}
	return out
}

// placeholders appends the variable names in ${env:NAME}, ${env:NAME|default} and
// ${NAME|default} anywhere in v, and those that fields F_env give for a field F.
func placeholders(v any, out []string) []string {
	switch v := v.(type) {
	case string:
		for {
			i := strings.Index(v, "${")
			if i < 0 {
				return out
			}
			if i > 0 && v[i-1] == '$' { // $${ is a literal ${
				v = v[i+2:]
				continue
			}
			body, rest, ok := strings.Cut(v[i+2:], "}")
			if !ok {
				return out
			}
			name, _, hasDefault := strings.Cut(body, "|")
			if env, ok := strings.CutPrefix(name, "env:"); ok {
				out = append(out, env)
			} else if hasDefault {
				out = append(out, name)
			}
			v = rest
		}
	case map[string]any:
		for k, x := range v {
			if name, ok := x.(string); ok && strings.HasSuffix(k, "_env") {
				out = append(out, name)
				continue
			}
			out = placeholders(x, out)
		}
	case []any:
		for _, x := range v {
			out = placeholders(x, out)
		}
	}
	return out
}

// universe answers which entries exist, for resolving references.
type universe interface {
	has(ID) bool
	inGroup(group string) []ID
	inNamespace(ns string) []ID
	variable(name string) (ID, bool)
}

// resolve calls f for every existing entry, other than e itself, that e refers to.
// soft is set for references to a whole group or namespace.
func (x *Extractor) resolve(e Entry, u universe, f func(id ID, soft bool)) {
	emit := func(id ID, soft bool) {
		if id != e.ID {
			f(id, soft)
		}
	}
	for _, ref := range x.References(e) {
		if id := e.ID.Resolve(ref); u.has(id) {
			emit(id, false)
			continue
		}
		if g, ok := strings.CutPrefix(ref, "group:"); ok {
			for _, id := range u.inGroup(g) {
				emit(id, true)
			}
		} else if ns, ok := strings.CutPrefix(ref, "ns:"); ok {
			for _, id := range u.inNamespace(ns) {
				emit(id, true)
			}
		}
	}
	for _, name := range placeholders(e.Data, nil) {
		if id := ParseID(name); u.has(id) {
			emit(id, false)
		} else if id, ok := u.variable(name); ok {
			emit(id, false)
		}
	}
}

// variableName returns the public name of an env.variable entry.
func variableName(e Entry) string {
	if e.Kind != "env.variable" {
		return ""
	}
	d, _ := e.Data.(map[string]any)
	s, _ := d["variable"].(string)
	return s
}

func groupsOf(e Entry) []string { return leafStrings(e.Meta["groups"], nil) }

// String returns the number of patterns, for logs.
func (x *Extractor) String() string { return fmt.Sprintf("Extractor(%d patterns)", len(x.Patterns())) }
