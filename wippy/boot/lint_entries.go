// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/luart/lint"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/lua"
	"github.com/wippyrun/kit/wippy/service/security"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// entries checks what entries say, without their sources.
func (l *linter) entries() {
	references := newReferences(l.all)
	for _, e := range l.all {
		if !l.chosen(e) {
			continue
		}
		l.kind(e)
		l.fields(e)
		if u := l.byID[e.ID.String()]; u != nil {
			l.declaration(u)
		}
		references.check(l, e)
	}
	l.runtime.lacking(l.all, func(id registry.ID) bool { return references.known[id.String()] }, func(e registry.Entry, err *fields.Error) {
		l.add(e, LintField, lint.Error, err.Path, err.Message, err.Hint)
	})
	l.cycles()
	l.collisions()
}

// kind tells of a kind that nobody handles.
func (l *linter) kind(e registry.Entry) {
	r := l.runtime.registry
	if r.HasListener(e.Kind) || lua.HasSource(e.Kind) {
		return
	}
	hint := ""
	if near := r.KindSuggestions(e.Kind); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	l.add(e, LintKind, lint.Error, "kind", fmt.Sprintf("unknown kind %q", e.Kind), hint)
}

// fields tells of fields that the kind of an entry does not know or does not take.
func (l *linter) fields(e registry.Entry) {
	unknown, err := l.checkFields(e)
	for _, w := range unknown {
		l.add(e, LintUnknown, lint.Warning, w.Path, "unknown field "+strings.TrimPrefix(w.Path, "data."), w.Hint)
	}
	if err == nil {
		return
	}
	for _, leaf := range leaves(err) {
		var (
			f      *fields.Error
			placed interface {
				Field() string
				Hint() string
			}
		)
		switch {
		case errors.As(leaf, &f):
			l.add(e, LintField, lint.Error, f.Path, f.Message, f.Hint)
		case errors.As(leaf, &placed):
			l.add(e, LintField, lint.Error, placed.Field(), leaf.Error(), placed.Hint())
		default:
			l.add(e, LintField, lint.Error, "", leaf.Error(), "")
		}
	}
}

// moduleField is the path of a module in the list of an entry.
func moduleField(d lua.Declaration, name string) string {
	return "data.modules." + strconv.Itoa(max(slices.Index(d.Modules, name), 0))
}

// declaration tells of modules and imports that do not exist.
func (l *linter) declaration(u *unit) {
	d := u.declaration
	globals := []string{"process", "channel", "payload", "print", "subscribe", "unsubscribe", "os", "table", "math", "string", "coroutine", "errors"}
	for _, name := range d.Modules {
		if name == "" || strings.Contains(name, ":") || slices.Contains(l.modules, name) || slices.Contains(globals, name) {
			continue
		}
		l.add(u.entry, LintModule, lint.Error, moduleField(d, name), fmt.Sprintf("unknown module %q: node with ID %s not found", name, name), lua.ModuleHint(name, l.modules))
	}
	for _, ref := range d.Imports {
		module, isModule := strings.CutPrefix(ref.Target, ":")
		if isModule && slices.Contains(l.modules, module) || !isModule && l.byID[ref.Target] != nil {
			continue
		}
		known := slices.Collect(maps.Keys(l.byID))
		if isModule {
			known = nil
			for _, m := range l.modules {
				known = append(known, ":"+m)
			}
		}
		l.add(u.entry, LintImport, lint.Error, "data.imports."+ref.Alias, "imports."+ref.Alias+": node with ID "+ref.Target+" not found", suggest.Hint(ref.Target, known))
	}
}

// references knows which texts can only be meant to be ids of entries.
type references struct {
	extractor  *registry.Extractor
	ids        []string
	known      map[string]bool
	namespaces map[string]bool
}

func newReferences(entries []registry.Entry) *references {
	r := &references{known: map[string]bool{}, namespaces: map[string]bool{}}
	r.extractor, _ = registry.NewExtractor() // the default patterns compile
	for _, e := range entries {
		r.ids = append(r.ids, e.ID.String())
		r.known[e.ID.String()] = true
		for _, group := range security.Groups(e) {
			r.known[group] = true
		}
		r.namespaces[e.ID.Namespace] = true
	}
	return r
}

// named are the fields that hold the id of an entry and nothing else, a name alone being one of
// the same namespace.
var named = map[string][]string{ // those of needed are told as fields that are wrong
	"http.endpoint":  {"meta.router"},
	"http.router":    {"meta.server"},
	"http.static":    {"meta.server", "data.fs"},
	"queue.consumer": {"data.queue"},
	"queue.queue":    {"data.driver"},
	"template.jet":   {"data.set"},
}

// check tells of references to entries that do not exist. Where a field may hold something else,
// what looks like an address or belongs to a namespace of nobody here may mean anything and is
// left alone, and so are the imports, which are checked by themselves.
func (r *references) check(l *linter, e registry.Entry) {
	told := map[string]bool{}
	for _, path := range named[e.Kind] {
		area, field, _ := strings.Cut(path, ".")
		values, _ := e.Data.(map[string]any)
		if area == "meta" {
			values = e.Meta
		}
		text, _ := registry.IDText(values[field])
		if text == "" || strings.Contains(text, "${") {
			continue
		}
		if id := e.ID.Resolve(text).String(); !r.known[id] {
			told[text] = true
			l.add(e, LintReference, lint.Warning, path, "reference to unknown entry "+id, suggest.Hint(id, r.ids))
		}
	}
	imported := map[string]bool{}
	if u := l.byID[e.ID.String()]; u != nil {
		for _, ref := range u.declaration.Imports {
			imported[ref.Target] = true
		}
	}
	for _, text := range r.extractor.References(e) {
		ns, name, ok := strings.Cut(text, ":")
		if !ok || name == "" || !r.namespaces[ns] || r.known[text] || imported[text] || told[text] {
			continue
		}
		if slices.Contains(needed[e.Kind], strings.TrimPrefix(fieldWith(e, text), "data.")) {
			continue // told as a field that is wrong
		}
		l.add(e, LintReference, lint.Warning, fieldWith(e, text), "reference to unknown entry "+text, suggest.Hint(text, r.ids))
	}
}

// fieldWith finds the path of the field that holds a text, "" when there is none.
func fieldWith(e registry.Entry, text string) string {
	var find func(path string, v any) string
	find = func(path string, v any) string {
		switch v := v.(type) {
		case string:
			if v == text {
				return path
			}
		case []any:
			for i, item := range v {
				if at := find(path+"."+strconv.Itoa(i), item); at != "" {
					return at
				}
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				if at := find(path+"."+k, v[k]); at != "" {
					return at
				}
			}
		}
		return ""
	}
	if at := find("data", e.Data); at != "" {
		return at
	}
	return find("meta", map[string]any(e.Meta))
}
