// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
)

// LinkOptions configures Link.
type LinkOptions struct {
	// Lenient turns requirements that cannot be resolved into warnings.
	Lenient bool
	// StrictModules, when not empty, makes only the requirements of these modules
	// ("org/module", their meta.module) fail; the others warn.
	StrictModules []string

	_ struct{}
}

// Link returns a stage that resolves requirements: for every entry of kind
// ns.requirement it takes the value of the matching parameter of an ns.dependency, else
// the requirement's default, and writes it to the requirement's targets. Parameters of
// dependencies declared by the application itself win over those of modules.
//
// A requirement without a value, with different values, or whose target does not exist
// is an error that names all of them, unless the options make it a warning. A requirement
// or dependency that cannot be read is an error in any case. Fields and parameters that
// mean nothing are warnings, and so is what is wrong with an ns.definition.
func Link(opts LinkOptions) Stage { return &link{opts} }

type link struct{ opts LinkOptions }

func (s *link) Name() string { return "link" }

// Kinds of entries Link deals with.
const (
	KindRequirement = "ns.requirement"
	KindDependency  = "ns.dependency"
	KindDefinition  = "ns.definition"
)

func (s *link) Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	report := reportOf(ctx)
	l, err := decodeLinks(entries, func(w Warning) {
		w.Stage = s.Name()
		report.warn(w)
	})
	if err != nil {
		return nil, err
	}
	w := &writer{entries: entries, at: make(map[registry.ID]int, len(entries))}
	for i, e := range entries {
		w.at[e.ID] = i
	}
	var failed []error
	for _, r := range l.reqs {
		err := w.resolve(r, l)
		if err == nil {
			continue
		}
		if s.strict(r) {
			failed = append(failed, err)
			continue
		}
		report.warn(Warning{Stage: s.Name(), ID: r.entry.ID, Position: err.Position,
			Message: "unresolved requirement: " + err.Err.Error(), Hint: err.Hint})
	}
	l.unused(func(w Warning) {
		w.Stage = s.Name()
		report.warn(w)
	})
	if len(failed) > 0 {
		texts := make([]any, len(failed))
		for i, err := range failed {
			texts[i] = err.Error()
		}
		return w.entries, &Error{kind: kindOf(failed), msg: "unresolved requirements", cause: errors.Join(failed...),
			details: map[string]any{"count": float64(len(failed)), "errors": texts}}
	}
	return w.entries, nil
}

func (s *link) strict(r *requirement) bool {
	if len(s.opts.StrictModules) > 0 {
		return slices.Contains(s.opts.StrictModules, r.module)
	}
	return !s.opts.Lenient
}

// writer holds the entries being written to; the slice is copied on the first write.
type writer struct {
	entries []registry.Entry
	at      map[registry.ID]int
	copied  bool
	guess   hints
}

// resolve writes the value of a requirement to its targets, up to the first that fails.
func (w *writer) resolve(r *requirement, l *links) *registry.EntryError {
	fail := func(field string, err error, hint string) *registry.EntryError {
		return &registry.EntryError{ID: r.entry.ID, Position: r.entry.Position(field), Err: err, Hint: hint}
	}
	v, hint, err := l.value(r)
	if err != nil {
		return fail("", err, hint)
	}
	if len(r.targets) == 0 {
		return fail("data.targets", invalidf("invalid requirement %s: no targets defined in requirement definition", r.entry.ID), "")
	}
	for i, t := range r.targets {
		field := fmt.Sprintf("data.targets.%d", i)
		if t.entry == "" {
			return fail(field, notFoundf("no matching entries found"), "a target needs an entry")
		}
		id := r.entry.ID.Resolve(t.entry)
		at, ok := w.at[id]
		if !ok {
			return fail(field+".entry", notFoundf("no matching entries found: %s", id), w.guess.id(id, w.entries))
		}
		path := strings.TrimSpace(t.path)
		write := Set
		if p, ok := strings.CutSuffix(path, "+="); ok {
			path, write = strings.TrimSpace(p), Append
		}
		e, err := write(w.entries[at], path, v)
		if err != nil {
			return fail(field+".path", err, "")
		}
		if !w.copied {
			w.entries, w.copied = slices.Clone(w.entries), true
		}
		w.entries[at] = e
	}
	return nil
}
