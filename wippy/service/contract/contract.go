// SPDX-License-Identifier: Apache-2.0

// Package contract makes entries of the kinds contract.definition and contract.binding the contracts and bindings
// that programs open.
package contract

import (
	"context"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/contracts"
)

// The kinds of this package.
const (
	KindDefinition = "contract.definition"
	KindBinding    = "contract.binding"
)

// Kinds lists them.
func Kinds() []string { return []string{KindDefinition, KindBinding} }

// Listener keeps a catalog as the entries say. A change of the registry becomes one change of the catalog: a
// definition and its bindings may change together.
type Listener struct {
	catalog *contracts.Catalog
	warn    func(registry.Entry, []fields.Warning)
	draft   *contracts.Draft // nil until a change touches an entry of these kinds
}

// NewListener fills the catalog. warn is told of fields that nobody knows.
func NewListener(catalog *contracts.Catalog, warn func(registry.Entry, []fields.Warning)) *Listener {
	return &Listener{catalog: catalog, warn: warn}
}

// Begin starts a change.
func (l *Listener) Begin(context.Context) error {
	l.draft = nil
	return nil
}

// Commit refuses a change that leaves a binding without its contract.
func (l *Listener) Commit(context.Context) error {
	if l.draft == nil {
		return nil
	}
	return l.draft.Check()
}

// Discard forgets a change.
func (l *Listener) Discard(context.Context) error {
	l.draft = nil
	return nil
}

// Committed makes a change visible to programs.
func (l *Listener) Committed(context.Context) {
	if l.draft != nil {
		l.draft.Publish()
		l.draft = nil
	}
}

func (l *Listener) change() *contracts.Draft {
	if l.draft == nil {
		l.draft = l.catalog.Draft()
	}
	return l.draft
}

// Create adds a contract or a binding.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	return l.apply(e, l.change().Define, l.change().Bind)
}

// Update replaces a contract or a binding.
func (l *Listener) Update(_ context.Context, _, next registry.Entry) error {
	return l.apply(next, l.change().Redefine, l.change().Rebind)
}

// Delete removes a contract or a binding.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	if e.Kind == KindDefinition {
		return l.change().Undefine(e.ID.String())
	}
	return l.change().Unbind(e.ID.String())
}

func (l *Listener) apply(e registry.Entry, define func(*contracts.Definition) error, bind func(*contracts.Binding) error) error {
	r := fields.New(e.Data)
	if e.Kind == KindDefinition {
		d := definition(e, r)
		l.warn(e, r.Unknown())
		if err := r.Err(); err != nil {
			return err
		}
		return define(d)
	}
	b := binding(e, r)
	l.warn(e, r.Unknown())
	if err := r.Err(); err != nil {
		return err
	}
	return fields.At("contracts", bind(b))
}

// definition reads a contract.definition.
func definition(e registry.Entry, r *fields.Reader) *contracts.Definition {
	d := &contracts.Definition{ID: e.ID.String()}
	for _, item := range r.Maps("methods") {
		m := contracts.Method{
			Name:        item.String("name", ""),
			Description: item.String("description", ""),
			Input:       schemas(item, "input_schemas", "input"),
			Output:      schemas(item, "output_schemas", "output"),
		}
		if m.Name == "" {
			item.Reject("name", "method name cannot be empty")
		} else if _, ok := d.Method(m.Name); ok {
			item.Reject("name", "duplicate method name: "+m.Name)
		}
		d.Methods = append(d.Methods, m)
	}
	return d
}

func schemas(method *fields.Reader, field, word string) []contracts.Schema {
	var list []contracts.Schema
	for _, item := range method.Maps(field) {
		s := contracts.Schema{Format: item.String("format", ""), Definition: item.Any("definition")}
		if s.Format == "" && s.Definition != nil {
			item.Reject("format", word+" schema has a definition but no format specified")
		}
		list = append(list, s)
	}
	return list
}

// binding reads a contract.binding. Names without a namespace are entries of the same one.
func binding(e registry.Entry, r *fields.Reader) *contracts.Binding {
	b := &contracts.Binding{ID: e.ID.String()}
	for _, item := range r.Maps("contracts") {
		c := contracts.Bound{
			Contract: item.Required("contract"),
			Methods:  map[string]string{},
			Required: item.Strings("context_required"),
			Default:  item.Bool("default", false),
		}
		if c.Contract != "" {
			c.Contract = e.ID.Resolve(c.Contract).String()
		}
		if b.Implements(c.Contract) {
			item.Reject("contract", "contract is bound twice: "+c.Contract)
		}
		names, functions := item.StringMap("methods")
		for _, name := range names {
			if functions[name] == "" {
				item.Reject("methods."+name, "the function of method "+name+" is empty")
				continue
			}
			c.Methods[name] = e.ID.Resolve(functions[name]).String()
		}
		b.Contracts = append(b.Contracts, c)
	}
	if len(b.Contracts) == 0 && r.Err() == nil {
		r.Reject("contracts", "binding must bind at least one contract")
	}
	return b
}
