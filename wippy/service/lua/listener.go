// SPDX-License-Identifier: Apache-2.0

// Package lua makes Lua entries live: it compiles them, links them with what
// they import, and offers process.lua entries to the process factory and
// function.lua entries to the function registry.
//
// An entry whose source does not parse, or whose imports or modules do not
// exist, is rejected when it is added or updated. Changing an entry rebuilds
// everything that imports it before the change is reported as done.
package lua

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// Deps is what the listener works with. All fields are required but Outdated and Warn.
type Deps struct {
	Engine    *engine.Engine
	Factories *factory.Registry
	Functions *functions.Registry
	Runner    *Runner
	// Outdated hears, after a change, of each process entry that has new code, and the entries that are why.
	Outdated func(id string, sources []string)
	// Warn hears of fields no kind knows.
	Warn func(registry.Entry, []fields.Warning)
}

// Listener holds the graph of Lua entries. The registry calls it from one
// transaction at a time.
type Listener struct {
	deps Deps

	mu      sync.Mutex // guards all below
	units   map[string]*unit
	changed map[string][]string // process entry → why it has new code, in the transaction under way
}

// NewListener returns a listener without entries.
func NewListener(deps Deps) *Listener {
	if deps.Warn == nil {
		deps.Warn = func(registry.Entry, []fields.Warning) {}
	}
	if deps.Outdated == nil {
		deps.Outdated = func(string, []string) {}
	}
	return &Listener{deps: deps, units: map[string]*unit{}, changed: map[string][]string{}}
}

// Begin opens a transaction.
func (l *Listener) Begin(context.Context) error { return nil }

// Commit votes for it.
func (l *Listener) Commit(context.Context) error { return nil }

// Discard forgets it.
func (l *Listener) Discard(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.changed)
	return nil
}

// Committed tells about processes that run old code now.
func (l *Listener) Committed(context.Context) {
	l.mu.Lock()
	changed := maps.Clone(l.changed)
	clear(l.changed)
	l.mu.Unlock()
	for id, sources := range changed {
		l.deps.Outdated(id, sources)
	}
}

// note remembers that the code of u has changed because source has.
func (l *Listener) note(u *unit, source string) {
	if u.entry.Kind == KindProcess && !slices.Contains(l.changed[u.id()], source) {
		l.changed[u.id()] = append(l.changed[u.id()], source)
	}
}

// Check implements fields.Checker.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decode(e)
	return unknown, err
}

// Create compiles, links and offers a new entry.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.install(e, nil)
}

// Update does the same in place of the old entry and rebuilds its importers.
func (l *Listener) Update(_ context.Context, _, e registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.install(e, l.units[e.ID.String()])
}

// Delete withdraws an entry. One that others import stays: Conflict.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.units[e.ID.String()]
	if u == nil {
		return nil
	}
	if len(u.importers) > 0 {
		by := slices.Sorted(maps.Keys(u.importers))
		return fault.New(fault.Conflict, "cannot remove node "+u.id()+": imported by "+strings.Join(by, ", "))
	}
	l.withdraw(u)
	l.detach(u)
	delete(l.units, u.id())
	return nil
}

// install builds the unit of e and puts it in the place of old, nil for none.
// Nothing changes when an error is returned.
func (l *Listener) install(e registry.Entry, old *unit) error {
	config, unknown, err := decode(e)
	if err != nil {
		return err
	}
	id := e.ID.String()
	for _, ref := range config.imports {
		target := l.units[ref.target]
		if ref.target == id || target != nil && target.reaches(id, l.units) {
			return &fields.Error{Path: "data.imports." + ref.alias, Message: "adding dependency would create a cycle: " + id + " imports " + ref.target + ", which imports " + id}
		}
	}
	u := &unit{entry: e, config: config, importers: map[string]*unit{}}
	if old != nil {
		u.importers, u.function = old.importers, old.function
	}
	if err := l.link(u); err != nil {
		return err
	}
	l.deps.Warn(e, unknown)

	// Everything that sees this entry through imports is built anew against it
	// before anything is swapped, so that a failure leaves the old code running.
	previous, had := l.units[id]
	l.units[id] = u
	rebuilt, err := l.relinkImporters(u)
	if err == nil {
		err = l.offer(u)
	}
	if err != nil {
		if had {
			l.units[id] = previous
		} else {
			delete(l.units, id)
		}
		for _, r := range rebuilt {
			l.units[r.id()] = r.replaced
		}
		return err
	}
	if old != nil {
		l.detach(old)
	}
	l.attach(u)
	if old != nil {
		l.note(u, id)
	}
	for _, r := range rebuilt {
		l.adopt(r)
		l.note(r.unit, id)
	}
	return nil
}

// link compiles u and binds its imports and modules.
func (l *Listener) link(u *unit) error {
	spec := engine.ProgramSpec{ID: u.id(), Source: u.config.source, Method: u.config.method, Modules: u.config.modules}
	for _, ref := range u.config.imports {
		if name, ok := strings.CutPrefix(ref.target, ":"); ok {
			program, err := l.module(name)
			if err != nil {
				return l.importError(err, ref)
			}
			spec.Imports = append(spec.Imports, engine.Import{Alias: ref.alias, Program: program})
			continue
		}
		target := l.units[ref.target]
		if target == nil {
			e := fault.New(fault.NotFound, "node with ID "+ref.target+" not found")
			return &fieldError{
				field: "data.imports." + ref.alias, text: "imports." + ref.alias + ": " + e.Error(), err: e,
				hint: suggest.Hint(ref.target, slices.Collect(maps.Keys(l.units))),
			}
		}
		spec.Imports = append(spec.Imports, engine.Import{Alias: ref.alias, Program: target.program})
	}
	program, err := l.deps.Engine.Link(spec)
	if err != nil {
		return l.moduleError(err, u.config)
	}
	u.program = program
	return nil
}

// module makes a program whose value is a module of the runtime, for entries that give it another name.
func (l *Listener) module(name string) (*engine.Program, error) {
	return l.deps.Engine.Link(engine.ProgramSpec{ID: ":" + name, Source: fmt.Sprintf("return require(%q)", name), Modules: []string{name}})
}

// rebuilt is an importer linked again, not yet in use.
type rebuilt struct {
	*unit
	replaced *unit
}

// relinkImporters links everything that imports u, directly or not, in the order
// of their dependence.
func (l *Listener) relinkImporters(u *unit) ([]rebuilt, error) {
	var order []*unit
	seen := map[string]bool{}
	var visit func(*unit)
	visit = func(n *unit) {
		for _, id := range slices.Sorted(maps.Keys(n.importers)) {
			if !seen[id] {
				seen[id] = true
				visit(n.importers[id])
				order = append(order, n.importers[id])
			}
		}
	}
	visit(u)
	slices.Reverse(order)
	var out []rebuilt
	for _, old := range order {
		fresh := &unit{entry: old.entry, config: old.config, importers: old.importers, function: old.function}
		if err := l.link(fresh); err != nil {
			return out, fault.Wrap(fault.Invalid, "rebuild "+old.id(), err)
		}
		out = append(out, rebuilt{unit: fresh, replaced: old})
		l.units[fresh.id()] = fresh
	}
	return out, nil
}

// adopt puts a rebuilt importer to use. It is linked already, so that nothing of
// the program can be wrong; what remains is reported, because the change as a
// whole has been accepted.
func (l *Listener) adopt(r rebuilt) {
	l.detach(r.replaced)
	l.attach(r.unit)
	if err := l.offer(r.unit); err != nil {
		l.deps.Runner.Log.Error("function keeps its old code", "id", r.id(), "error", err)
	}
}

func (l *Listener) attach(u *unit) {
	for _, ref := range u.config.imports {
		if target := l.units[ref.target]; target != nil {
			target.importers[u.id()] = u
		}
	}
}

func (l *Listener) detach(u *unit) {
	for _, ref := range u.config.imports {
		if target := l.units[ref.target]; target != nil && target.importers[u.id()] == u {
			delete(target.importers, u.id())
		}
	}
}

// offer makes a unit reachable for those who run it.
func (l *Listener) offer(u *unit) error {
	switch u.entry.Kind {
	case KindProcess:
		l.deps.Factories.Register(u.id(), l.deps.Runner.factory(u))
		if u.config.host != "" {
			l.deps.Functions.Register(u.id(), l.deps.Runner.bridge(u.id(), u.config.host), u.config.options)
		} else {
			l.deps.Functions.Unregister(u.id())
		}
	case KindFunction:
		if u.function == nil {
			u.function = &function{}
		}
		if err := l.deps.Runner.swap(u); err != nil {
			return err
		}
		l.deps.Functions.Register(u.id(), u.function.call, u.config.options)
	}
	return nil
}

// withdraw undoes offer.
func (l *Listener) withdraw(u *unit) {
	switch u.entry.Kind {
	case KindProcess:
		l.deps.Factories.Unregister(u.id())
		l.deps.Functions.Unregister(u.id())
	case KindFunction:
		l.deps.Functions.Unregister(u.id())
		u.function.close()
	}
}

// moduleError points the engine's complaint about unknown modules at their items
// in the entry.
func (l *Listener) moduleError(err error, c config) error {
	all := []error{err}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		all = several.Unwrap()
	}
	for i, err := range all {
		name, ok := fault.DetailsOf(err)["module"].(string)
		if at := slices.Index(c.modules, name); ok && at >= 0 {
			all[i] = &fieldError{
				field: fmt.Sprintf("data.modules.%d", at), text: fmt.Sprintf("unknown module %q: node with ID %s not found", name, name), err: err,
				hint: ModuleHint(name, l.deps.Engine.Modules()),
			}
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// ModuleHint tells what to do about a module that is not among those known.
func ModuleHint(name string, known []string) string {
	if why := absent[name]; why != "" {
		return why
	}
	if hint := suggest.Hint(name, known); hint != "" {
		return hint
	}
	return "modules of this runtime: " + strings.Join(known, ", ")
}

// absent are modules that programs may know from elsewhere, and why they are not here.
var absent = map[string]string{
	"cdc":          "this runtime does not follow the changes of a database",
	"cloudstorage": "this runtime has no object storage; the module fs reads and writes files",
	"hub":          "this runtime has no catalogue of modules",
	"treesitter":   "the grammars of tree-sitter are C: build the program with cgo and -tags treesitter, which needs a C compiler",
}

// importError points the complaint about a module that is imported under an alias at the import.
func (l *Listener) importError(err error, ref importRef) error {
	name := strings.TrimPrefix(ref.target, ":")
	return &fieldError{
		field: "data.imports." + ref.alias, text: fmt.Sprintf("imports.%s: node with ID %s not found", ref.alias, ref.target), err: err,
		hint: suggest.Hint(name, l.deps.Engine.Modules()),
	}
}

// fieldError points an error at the field that causes it and keeps its kind.
type fieldError struct {
	field, text, hint string
	err               error
}

func (e *fieldError) Error() string { return e.text }
func (e *fieldError) Unwrap() error { return e.err }
func (e *fieldError) Field() string { return e.field }
func (e *fieldError) Hint() string  { return e.hint }
