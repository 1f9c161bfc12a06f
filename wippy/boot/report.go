// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/luart/syntax"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// Problem is one thing that keeps an application from starting.
type Problem struct {
	Place   string // "file:line:column", "" when unknown
	Entry   string // entry id, "" when no entry is concerned
	Field   string // path inside the entry, "" when no field is
	Message string
	Source  string // the source line with a caret, "" when there is none
	Hint    string
}

// Problems is the error of a start that failed because of what the application
// says. It lists every problem found.
type Problems []Problem

// Error renders all problems, each with its place first, so that editors and
// people can jump there.
func (p Problems) Error() string {
	var b strings.Builder
	if len(p) > 1 {
		fmt.Fprintf(&b, "%d problems keep the application from starting\n", len(p))
	}
	for i, problem := range p {
		if i > 0 || len(p) > 1 {
			b.WriteByte('\n')
		}
		problem.write(&b)
	}
	return strings.TrimRight(b.String(), "\n")
}

// Kind tells that the application is Invalid.
func (p Problems) Kind() string { return "Invalid" }

func (p Problem) write(b *strings.Builder) {
	for _, part := range []string{p.Place, p.Entry, p.Field} {
		if part != "" && !strings.HasPrefix(p.Message, part+": ") {
			b.WriteString(part)
			b.WriteString(": ")
		}
	}
	b.WriteString(p.Message)
	b.WriteByte('\n')
	if p.Source != "" {
		b.WriteString(strings.TrimRight(p.Source, "\n"))
		b.WriteByte('\n')
	}
	if p.Hint != "" {
		b.WriteString("  hint: " + p.Hint + "\n")
	}
}

// explain finds the place of everything that is wrong with the entries.
func explain(err error, entries []registry.Entry) error {
	broken := registry.EntryErrors(err)
	if len(broken) == 0 {
		return err
	}
	byID := make(map[registry.ID]registry.Entry, len(entries))
	for _, e := range entries {
		byID[e.ID] = e
	}
	var out Problems
	for _, b := range broken {
		for _, p := range problemsOf(b, byID[b.ID]) {
			p.reference(byID[b.ID], b.Err, byID)
			out = append(out, p)
		}
	}
	return out.grouped()
}

// grouped makes one problem of those that differ in the entry only: a mistake in a Lua
// file is one mistake, however many entries are made of the file.
func (p Problems) grouped() Problems {
	var out Problems
	at := make(map[Problem]int)
	more := make(map[int]int)
	for _, problem := range p {
		key := problem
		key.Entry = ""
		if i, ok := at[key]; ok && problem.Place != "" {
			more[i]++
			continue
		}
		at[key] = len(out)
		out = append(out, problem)
	}
	for i, n := range more {
		entries := "entries"
		if n == 1 {
			entries = "entry"
		}
		out[i].Entry += fmt.Sprintf(" and %d more %s", n, entries)
	}
	return out
}

// problemsOf takes the error of one entry apart: one problem for each field, or
// for the place in its Lua source.
func problemsOf(b *registry.EntryError, e registry.Entry) []Problem {
	var out []Problem
	for _, leaf := range leaves(b.Err) {
		p := Problem{Place: b.Position, Entry: b.ID.String(), Message: leaf.Error(), Hint: b.Hint}
		var (
			field  *fields.Error
			source *syntax.Error
			placed interface{ Field() string }
			hinted interface{ Hint() string }
		)
		switch {
		case errors.As(leaf, &source):
			p = sourceProblem(source, e, p)
		case errors.As(leaf, &field):
			p.at(e, field.Path, field.Message, field.Hint)
		case errors.As(leaf, &placed):
			hint := ""
			if errors.As(leaf, &hinted) {
				hint = hinted.Hint()
			}
			p.at(e, placed.Field(), leaf.Error(), hint)
		}
		p.Message += details(leaf, b.ID.String(), p.Message)
		out = append(out, p)
	}
	return out
}

// reference moves a problem that nobody has placed to the field that names an entry which does
// not exist, and says which one was probably meant.
func (p *Problem) reference(e registry.Entry, err error, byID map[registry.ID]registry.Entry) {
	if p.Hint != "" || fault.KindOf(err) != fault.NotFound {
		return
	}
	var said []any
	if p.Field != "" {
		said = append(said, valueAt(e, p.Field))
	}
	for _, value := range fault.DetailsOf(err) {
		said = append(said, value)
	}
	for _, value := range said {
		text, _ := value.(string)
		id := e.ID.Resolve(text)
		if _, there := byID[id]; there || text == "" {
			continue
		}
		field := p.Field
		for _, written := range []string{text, id.Name} {
			if field == "" {
				field = fieldWith(e, written)
			}
		}
		if field == "" {
			continue
		}
		var ids []string
		for known := range byID {
			ids = append(ids, known.String())
		}
		hint := suggest.Hint(id.String(), ids)
		if p.Field != "" {
			p.Hint = hint
		} else {
			p.at(e, field, p.Message, hint)
		}
		return
	}
}

// valueAt returns what stands in a field, nil when there is no such field.
func valueAt(e registry.Entry, path string) any {
	var v any = map[string]any{"data": e.Data, "meta": map[string]any(e.Meta)}
	if !strings.HasPrefix(path, "meta.") {
		path = "data." + path
	}
	for _, key := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// details are the particulars of an error that neither its message nor the entry tells.
func details(err error, entry, message string) string {
	all := fault.DetailsOf(err)
	said := strings.FieldsFunc(message, func(r rune) bool { return strings.ContainsRune(` "'(),;`, r) })
	var told []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if value := fmt.Sprint(all[key]); value != entry && !slices.Contains(said, value) {
			told = append(told, key+": "+value)
		}
	}
	if len(told) == 0 {
		return ""
	}
	return " (" + strings.Join(told, ", ") + ")"
}

// at moves the problem to a field of its entry.
func (p *Problem) at(e registry.Entry, path, message, hint string) {
	p.Field = strings.TrimPrefix(path, "data.")
	p.Message = message
	if place := e.Position(path); place != "" {
		p.Place = place
	}
	if hint != "" {
		p.Hint = hint
	}
	if strings.HasPrefix(message, p.Field) { // the message begins with the field: once is enough
		p.Field = ""
	}
}

// sourceProblem points into the Lua file, or into the YAML file the source
// stands in.
func sourceProblem(s *syntax.Error, e registry.Entry, p Problem) Problem {
	p.Message, p.Hint = s.Message, s.Hint
	if place := e.Locate("data.source", s.Line, s.Col); place != "" {
		p.Place = place
	}
	inFile := *s
	if _, lines, _, ok := e.SourceOffset("data.source"); ok {
		inFile.Line += lines
	}
	p.Source = excerpt(&inFile)
	return p
}

// excerpt is the source line with the caret below it, taken from the error's
// own rendering: without its header, position and hint, which stand elsewhere.
func excerpt(s *syntax.Error) string {
	var kept []string
	for i, line := range strings.Split(s.Pretty(), "\n") {
		if i >= 2 && !strings.Contains(line, " = help: ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// leaves splits joined errors.
func leaves(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range j.Unwrap() {
			out = append(out, leaves(e)...)
		}
		return slices.Clip(out)
	}
	return []error{err}
}
