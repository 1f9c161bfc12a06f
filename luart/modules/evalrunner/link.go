// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/luart/engine"
)

// maxLibraries is how many libraries an evaluation may bring along, those of libraries included.
const maxLibraries = 1000

// linked is source that is ready to run.
type linked struct {
	modules []string // what it sees
	engine  *engine.Engine
	program *engine.Program
}

// stageError says which part of a call failed: its text begins with it.
type stageError struct {
	stage string
	err   error
}

// Error returns the text with the stage.
func (e *stageError) Error() string { return e.stage + e.err.Error() }

// Unwrap returns the cause.
func (e *stageError) Unwrap() error { return e.err }

// link compiles a request.
func (r *Runner) link(p *engine.Process, q *request) (*linked, error) {
	s, err := r.get()
	if err != nil {
		return nil, &stageError{"compile failed: ", err}
	}
	modules, err := s.catalog.choose(q.modules, q.classes)
	if err != nil {
		return nil, &stageError{"compile failed: ", err}
	}
	for _, ref := range q.imports {
		for _, name := range ref.modules {
			if err := s.catalog.known(name); err != nil {
				return nil, &stageError{"compile failed: ", err}
			}
		}
	}
	key := q.key(modules)
	if l := r.cache.get(key); l != nil && q.cacheable() {
		return l, nil
	}
	if _, err := s.engine.Compile(evalID, q.source); err != nil {
		return nil, &stageError{"compile failed: parse error: ", err}
	}
	k := &linker{runner: r, caller: p, sandbox: s, modules: s.linkable(modules)}
	program, err := k.link(q)
	if err != nil {
		return nil, err
	}
	l := &linked{modules: modules, engine: s.engine, program: program}
	if q.cacheable() {
		r.cache.put(key, l)
	}
	return l, nil
}

// linkable returns the modules to link for those that source sees: its globals are those, and no others.
func (s *sandbox) linkable(modules []string) []string {
	list := []string{finishName, pickName, customName, grantName}
	for _, name := range modules {
		if !slices.Contains(guarded, name) {
			list = append(list, name)
		}
	}
	if !slices.Contains(modules, "channel") {
		list = append(list, guarded...)
	}
	return list
}

// linker links the programs of one request.
type linker struct {
	runner  *Runner
	caller  *engine.Process
	sandbox *sandbox
	modules []string
	done    map[string]*engine.Program // plain libraries, by entry id; nil while they are linked
	count   int
}

// link makes the program of the request: the harness, which imports the source, which imports the rest.
func (k *linker) link(q *request) (*engine.Program, error) {
	k.done = map[string]*engine.Program{}
	var imports []engine.Import
	for _, ref := range q.imports {
		program, err := k.library(ref)
		if err != nil {
			return nil, &stageError{"failed to create process: ", fmt.Errorf("failed to import %q (%s): %w", ref.alias, ref.id, err)}
		}
		imports = append(imports, engine.Import{Alias: ref.alias, Program: program})
	}
	for _, name := range slices.Sorted(maps.Keys(q.custom)) {
		program, err := k.sandbox.engine.Link(engine.ProgramSpec{ID: evalID, Source: `return require("\0custom")(` + quote(name) + `)`, Modules: k.modules})
		if err != nil {
			return nil, &stageError{"failed to create process: ", err}
		}
		imports = append(imports, engine.Import{Alias: name, Program: program})
	}
	source := q.source
	if q.method == "" {
		// The source is the program: as a function it may wait, which a chunk that is being loaded may not.
		source = "return function(...) " + source + "\nend"
	}
	program, err := k.sandbox.engine.Link(engine.ProgramSpec{ID: evalID, Source: source, Modules: k.modules, Imports: imports})
	if err == nil {
		program, err = k.sandbox.engine.Link(engine.ProgramSpec{
			ID: harnessID, Source: harness, Modules: k.modules, Imports: []engine.Import{{Alias: chunkName, Program: program}},
		})
	}
	if err != nil {
		return nil, &stageError{"failed to create process: ", err}
	}
	return program, nil
}

var (
	errNoLibrary = errors.New("library not found")
	errCycle     = errors.New("adding dependency would create a cycle")
	errLibraries = fmt.Errorf("more than %d libraries", maxLibraries)
)

// library links a library and all that it imports.
func (k *linker) library(ref importRef) (*engine.Program, error) {
	if len(ref.modules) == 0 {
		if program, ok := k.done[ref.id]; ok {
			if program == nil {
				return nil, errCycle
			}
			return program, nil
		}
	}
	if k.count++; k.count > maxLibraries {
		return nil, errLibraries
	}
	if k.runner.config.Library == nil {
		return nil, errNoLibrary
	}
	l, err := k.runner.config.Library(k.caller, ref.id)
	if err != nil {
		return nil, err
	}
	k.done[ref.id] = nil
	imports := make([]engine.Import, 0, len(l.Imports))
	for _, alias := range slices.Sorted(maps.Keys(l.Imports)) {
		program, err := k.library(importRef{alias: alias, id: l.Imports[alias]})
		if err != nil {
			return nil, fmt.Errorf("import %q (%s): %w", alias, l.Imports[alias], err)
		}
		imports = append(imports, engine.Import{Alias: alias, Program: program})
	}
	source := l.Source
	if len(ref.modules) > 0 {
		if _, err := k.sandbox.engine.Compile(l.ID, source); err != nil {
			return nil, err // with the columns of the source as it is
		}
		source = privileged(ref.alias, source, ref.modules)
	}
	program, err := k.sandbox.engine.Link(engine.ProgramSpec{ID: l.ID, Source: source, Modules: k.modules, Imports: imports})
	if err != nil {
		return nil, err
	}
	if len(ref.modules) > 0 {
		delete(k.done, ref.id) // another alias gets its own
	} else {
		k.done[ref.id] = program
	}
	return program, nil
}

// cacheable reports whether what the request compiles to depends on its key alone.
func (q *request) cacheable() bool { return len(q.imports) == 0 && len(q.custom) == 0 }

// key is what the compiled form depends on.
func (q *request) key(modules []string) string {
	kind := "body"
	if q.method != "" {
		kind = "method"
	}
	return kind + "\x00" + strings.Join(modules, "\x00") + "\x00\x00" + q.source
}
