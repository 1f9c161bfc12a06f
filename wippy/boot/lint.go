// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/wippyrun/kit/luart/lint"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/lua"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// Codes of what is wrong with entries, beside those of the package lint, which are about
// their sources.
const (
	LintImport    = "R0001" // error: import of an entry that does not exist
	LintModule    = "R0002" // error: module that does not exist
	LintUnknown   = "R0003" // warning: field that the kind does not know
	LintField     = "R0004" // error: field that is wrong or missing
	LintReference = "R0005" // warning: reference to an entry that does not exist
	LintCycle     = "R0006" // error: imports that form a cycle
	LintCollision = "R0007" // error: one alias for two entries in one state
	LintKind      = "R0008" // error: kind that nobody handles
)

// LintOptions say what Lint looks at.
type LintOptions struct {
	// Namespaces are what to report about, all when there are none: "a.b" is that
	// namespace, "a.b.*" and "a.b.**" it and all below.
	Namespaces []string
	// Rules adds what is legal and probably not meant.
	Rules bool
	// Progress hears how many sources of all are done, from one goroutine at a time.
	Progress func(done, all int)
}

// LintReport is the result of Lint.
type LintReport struct {
	// Entries is how many sources were checked, those included that are only imported by
	// what is reported about.
	Entries int
	// Diagnostics are sorted.
	Diagnostics []lint.Diagnostic
}

// Lint checks the entries of a project and their Lua sources, without running anything.
// The error is about what keeps the entries from being read.
func Lint(ctx context.Context, o Options, lo LintOptions) (*LintReport, error) {
	p, err := Inspect(ctx, o)
	if err != nil {
		return nil, err
	}
	rt, err := loadOnly(ctx, o)
	if err != nil {
		return nil, err
	}
	defer rt.Shutdown()
	l := newLinter(p.Entries, rt, lo)
	l.entries()
	if err := l.sources(ctx); err != nil {
		return nil, err
	}
	lint.Sort(l.found)
	return &LintReport{Entries: len(l.checked), Diagnostics: l.found}, nil
}

// loadOnly makes a runtime that knows all kinds and modules and does nothing: its
// components are loaded, not started, and it keeps its versions in memory.
func loadOnly(ctx context.Context, o Options) (*Runtime, error) {
	o.Silent, o.Quiet = true, true
	o.Set = append(slices.Clone(o.Set), "registry.enable_history=true", "registry.history_type=memory")
	rt, err := New(o)
	if err != nil {
		return nil, err
	}
	if _, err := rt.loader.Load(rt.ctx); err != nil {
		return nil, rt.abort(err)
	}
	rt.registry = KeyRegistry.MustGet(rt.dict)
	return rt, ctx.Err()
}

// linter is one run.
type linter struct {
	options LintOptions
	runtime *Runtime
	modules []string            // all there are
	members map[string][]string // of the modules and the libraries of the language
	all     []registry.Entry
	byID    map[string]*unit // with a source
	checked []*unit

	declared map[string]names // by source: what the entries declare that share it

	mu    sync.Mutex // guards found and done
	found []lint.Diagnostic
	done  int
}

// names are the modules and aliases of a number of entries.
type names struct {
	entries int
	names   []string
}

// unit is an entry with a source.
type unit struct {
	entry       registry.Entry
	id          string
	declaration lua.Declaration
	imports     []*unit
	importers   []*unit
	chosen      bool // reported about
	exports     func() []string
}

func newLinter(entries []registry.Entry, rt *Runtime, o LintOptions) *linter {
	eng := KeyEngine.MustGet(rt.dict)
	l := &linter{options: o, runtime: rt, modules: eng.Modules(), members: map[string][]string{}, all: entries, byID: map[string]*unit{}, declared: map[string]names{}}
	for _, name := range slices.Concat(l.modules, []string{"string", "table", "math", "coroutine", "os", "errors", "channel", "payload", "process"}) {
		maps.Copy(l.members, eng.Members(name))
	}
	var units []*unit
	for _, e := range entries {
		if !lua.HasSource(e.Kind) {
			continue
		}
		u := &unit{entry: e, id: e.ID.String(), chosen: l.chosen(e)}
		u.declaration, _, _ = lua.Declare(e) // what is wrong is told by entries
		u.exports = sync.OnceValue(func() []string { return lint.Exports(lint.Source{Name: u.id, Text: u.declaration.Source}) })
		l.byID[u.id] = u
		units = append(units, u)
	}
	for _, u := range units {
		n := l.declared[u.declaration.Source]
		n.entries++
		n.names = append(n.names, u.declaration.Modules...)
		for _, ref := range u.declaration.Imports {
			n.names = append(n.names, ref.Alias)
		}
		l.declared[u.declaration.Source] = n
	}
	for _, u := range units {
		for _, ref := range u.declaration.Imports {
			if target := l.byID[ref.Target]; target != nil {
				u.imports = append(u.imports, target)
				target.importers = append(target.importers, u)
			}
		}
	}
	wanted := map[*unit]bool{}
	for _, u := range units {
		if u.chosen {
			reach(u, wanted, func(u *unit) []*unit { return u.imports })
		}
	}
	for _, u := range units {
		if wanted[u] && u.declaration.Source != "" {
			l.checked = append(l.checked, u)
		}
	}
	return l
}

// chosen tells whether an entry is reported about.
func (l *linter) chosen(e registry.Entry) bool {
	if len(l.options.Namespaces) == 0 {
		return true
	}
	return slices.ContainsFunc(l.options.Namespaces, func(pattern string) bool {
		root, below := strings.CutSuffix(pattern, ".**")
		if !below {
			root, below = strings.CutSuffix(pattern, ".*")
		}
		ns := e.ID.Namespace
		return ns == root || below && strings.HasPrefix(ns, root+".")
	})
}

// reach adds a unit and all that it leads to.
func reach(u *unit, to map[*unit]bool, next func(*unit) []*unit) {
	if to[u] {
		return
	}
	to[u] = true
	for _, n := range next(u) {
		reach(n, to, next)
	}
}

// add records a finding about a field of an entry.
func (l *linter) add(e registry.Entry, code string, severity lint.Severity, field, message, hint string) {
	if !l.chosen(e) {
		return
	}
	l.found = append(l.found, lint.Diagnostic{
		Entry: e.ID.String(), Code: code, Severity: severity, Message: message, Help: hint, File: e.Position(field),
	})
}

// sources checks all sources, several at a time.
func (l *linter) sources(ctx context.Context) error {
	states := newStates(l.checked)
	work := make(chan *unit)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(l.checked)) {
		wg.Go(func() {
			for u := range work {
				l.source(u, states[u])
			}
		})
	}
	for _, u := range l.checked {
		if ctx.Err() != nil {
			break
		}
		work <- u
	}
	close(work)
	wg.Wait()
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return nil
}

// source checks one source; visible are the names it shares a state with.
func (l *linter) source(u *unit, visible []string) {
	d := u.declaration
	s := lint.Source{Name: u.id, Text: d.Source, Modules: d.Modules, Visible: visible, Exports: map[string][]string{}}
	if n := l.declared[d.Source]; n.entries > 1 {
		s.Elsewhere = n.names
	}
	for _, ref := range d.Imports {
		s.Imports = append(s.Imports, ref.Alias)
		if target := l.byID[ref.Target]; target != nil {
			s.Exports[ref.Alias] = target.exports()
		}
	}
	found := lint.Check(s, lint.Options{Types: true, Rules: l.options.Rules, Modules: l.modules, Members: l.members})
	for i := range found {
		f := &found[i]
		switch {
		case f.Field != "":
			f.File = u.entry.Position(l.fieldOf(d, f.Field))
		case f.Code == lint.CodeSyntax:
			line, column := lint.SyntaxPlace(s)
			f.File = u.entry.Locate("data.source", line, column)
		default:
			f.File = u.entry.Locate("data.source", f.Line, f.Column)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if u.chosen {
		l.found = append(l.found, found...)
	}
	l.done++
	if l.options.Progress != nil {
		l.options.Progress(l.done, len(l.checked))
	}
}

// fieldOf turns "modules.json" into the path of the item.
func (l *linter) fieldOf(d lua.Declaration, field string) string {
	if name, ok := strings.CutPrefix(field, "modules."); ok {
		return moduleField(d, name)
	}
	return "data." + field
}

// checkFields asks the kind of an entry. Where the variables of an entry have no value before the
// program runs, what is said about the fields that depend on them is left out.
func (l *linter) checkFields(e registry.Entry) (unknown []fields.Warning, err error) {
	c, ok := l.runtime.checkers.Load(e.Kind)
	if !ok {
		return nil, nil
	}
	if meant, err := (&expanding{vars: l.runtime.variable}).meant(e); err == nil {
		return c.(fields.Checker).Check(meant)
	}
	unknown, err = c.(fields.Checker).Check(e)
	var certain []error
	for _, leaf := range leaves(err) {
		if placed, ok := leaf.(interface{ Field() string }); ok && !open(e, placed.Field()) {
			certain = append(certain, leaf)
		}
	}
	return unknown, errors.Join(certain...)
}

// open tells whether a field depends on a variable: its value holds a placeholder, or the field
// beside it names one.
func open(e registry.Entry, path string) bool {
	keys := strings.Split(path, ".")
	if keys[0] != "data" || len(keys) == 1 {
		return true
	}
	v := e.Data
	for i, key := range keys[1:] {
		switch at := v.(type) {
		case map[string]any:
			if i == len(keys)-2 && at[key+"_env"] != nil {
				return true
			}
			v = at[key]
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil || n < 0 || n >= len(at) {
				return true
			}
			v = at[n]
		}
	}
	return holdsPlaceholder(v)
}

func holdsPlaceholder(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "${")
	case []any:
		return slices.ContainsFunc(v, holdsPlaceholder)
	case map[string]any:
		for k, x := range v {
			if strings.HasSuffix(k, "_env") || holdsPlaceholder(x) {
				return true
			}
		}
	}
	return false
}

// ResetCache deletes the directory in which compiled sources are kept, as the
// configuration of the project says. One that holds the project itself is refused.
func ResetCache(o Options) error {
	o = o.withDefaults()
	c, _, err := o.configure()
	if err != nil {
		return err
	}
	root, err := filepath.Abs(c.String("boot", "config_dir", o.Dir))
	if err != nil {
		return err
	}
	dir := c.String("lua", "cache.dir", ".wippy/cache/lua")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	if inside, err := filepath.Rel(filepath.Clean(dir), root); err == nil && filepath.IsLocal(inside) {
		return fault.New(fault.Invalid, "lua.cache.dir: "+dir+" holds the project and is not deleted")
	}
	return os.RemoveAll(dir)
}
