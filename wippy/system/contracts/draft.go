// SPDX-License-Identifier: Apache-2.0

package contracts

import (
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// What a change may be refused for. Details name the definition, binding, contract or method.
var (
	ErrDefinitionExists  = fault.New(fault.AlreadyExists, "contract definition already exists")
	ErrBindingExists     = fault.New(fault.AlreadyExists, "contract binding already exists")
	ErrDefinitionUpdate  = fault.New(fault.NotFound, "contract definition not found for update")
	ErrDefinitionDelete  = fault.New(fault.NotFound, "contract definition not found for deletion")
	ErrBindingUpdate     = fault.New(fault.NotFound, "contract binding not found for update")
	ErrBindingDelete     = fault.New(fault.NotFound, "contract binding not found for deletion")
	ErrUnknownDefinition = fault.New(fault.Invalid, "binding references undefined contract")
	ErrNotBound          = fault.New(fault.Invalid, "contract method is not bound")
	ErrNotDefined        = fault.New(fault.Invalid, "bound method is not defined in contract definition")
	ErrDefaultExists     = fault.New(fault.AlreadyExists, "contract already has default binding")
	ErrInUse             = fault.New(fault.Invalid, "contract definition is in use by binding")
	ErrWouldInvalidate   = fault.New(fault.Invalid, "definition update would invalidate binding")
)

// Draft is a catalog to be. It belongs to one goroutine. Only one draft may be published at a time: the caller
// makes changes one after the other.
type Draft struct {
	catalog     *Catalog
	definitions map[string]*Definition
	bindings    map[string]*Binding
	redefined   map[string]bool // definitions that were replaced
	removed     map[string]bool // definitions that were taken away
}

// Draft starts a change.
func (c *Catalog) Draft() *Draft {
	now := c.now.Load()
	d := &Draft{catalog: c, definitions: maps.Clone(now.definitions), bindings: maps.Clone(now.bindings),
		redefined: map[string]bool{}, removed: map[string]bool{}}
	if d.definitions == nil {
		d.definitions, d.bindings = map[string]*Definition{}, map[string]*Binding{}
	}
	return d
}

// Define adds a contract.
func (d *Draft) Define(def *Definition) error {
	if d.definitions[def.ID] != nil {
		return ErrDefinitionExists.With("definition_id", def.ID)
	}
	d.definitions[def.ID] = def
	delete(d.removed, def.ID)
	return nil
}

// Redefine replaces a contract. Whether its bindings still fit is asked by [Draft.Check]: they may change, too.
func (d *Draft) Redefine(def *Definition) error {
	if d.definitions[def.ID] == nil {
		return ErrDefinitionUpdate.With("definition_id", def.ID)
	}
	d.definitions[def.ID] = def
	d.redefined[def.ID] = true
	return nil
}

// Undefine removes a contract.
func (d *Draft) Undefine(id string) error {
	if d.definitions[id] == nil {
		return ErrDefinitionDelete.With("definition_id", id)
	}
	delete(d.definitions, id)
	d.removed[id] = true
	return nil
}

// Bind adds a binding. It must fit the definitions of the draft, unless one of them is being replaced: then
// [Draft.Check] finds out.
func (d *Draft) Bind(b *Binding) error {
	if d.bindings[b.ID] != nil {
		return ErrBindingExists.With("binding_id", b.ID)
	}
	return d.put(b)
}

// Rebind replaces a binding.
func (d *Draft) Rebind(b *Binding) error {
	if d.bindings[b.ID] == nil {
		return ErrBindingUpdate.With("binding_id", b.ID)
	}
	return d.put(b)
}

// Unbind removes a binding.
func (d *Draft) Unbind(id string) error {
	if d.bindings[id] == nil {
		return ErrBindingDelete.With("binding_id", id)
	}
	delete(d.bindings, id)
	return nil
}

func (d *Draft) put(b *Binding) error {
	for _, c := range b.Contracts {
		if d.definitions[c.Contract] == nil {
			return ErrUnknownDefinition.With("binding_id", b.ID).With("contract_id", c.Contract)
		}
		if !d.redefined[c.Contract] {
			if err := d.fits(b, c); err != nil {
				return err
			}
		}
	}
	if err := d.defaults(b); err != nil {
		return err
	}
	d.bindings[b.ID] = b
	return nil
}

// fits compares a binding with the definition of one of its contracts.
func (d *Draft) fits(b *Binding, c Bound) error {
	def := d.definitions[c.Contract]
	for _, m := range def.Methods {
		if c.Methods[m.Name] == "" {
			return ErrNotBound.With("binding_id", b.ID).With("contract_id", c.Contract).With("method_name", m.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Methods)) {
		if _, ok := def.Method(name); !ok {
			return ErrNotDefined.With("binding_id", b.ID).With("contract_id", c.Contract).With("method_name", name)
		}
	}
	return nil
}

// defaults refuses a second default binding of a contract.
func (d *Draft) defaults(b *Binding) error {
	for _, c := range b.Contracts {
		if !c.Default {
			continue
		}
		for _, other := range d.bindings {
			if other.ID == b.ID {
				continue
			}
			for _, o := range other.Contracts {
				if o.Default && o.Contract == c.Contract {
					return ErrDefaultExists.With("contract_id", c.Contract).
						With("existing_binding_id", other.ID).With("new_binding_id", b.ID)
				}
			}
		}
	}
	return nil
}

// Check tells whether the draft is sound: whether definitions that were replaced or removed leave a binding that
// does not fit.
func (d *Draft) Check() error {
	for _, id := range slices.Sorted(maps.Keys(d.bindings)) {
		b := d.bindings[id]
		for _, c := range b.Contracts {
			switch {
			case d.removed[c.Contract]:
				return ErrInUse.With("definition_id", c.Contract).With("binding_id", id)
			case d.redefined[c.Contract]:
				if err := d.fits(b, c); err != nil {
					return ErrWouldInvalidate.With("definition_id", c.Contract).With("binding_id", id).Because(err)
				}
			}
		}
	}
	return nil
}

// Publish makes the draft the state of its catalog.
func (d *Draft) Publish() {
	s := &state{definitions: d.definitions, bindings: d.bindings, byContract: map[string][]*Binding{}, standard: map[string]*Binding{}}
	for _, b := range d.bindings {
		for _, c := range b.Contracts {
			s.byContract[c.Contract] = append(s.byContract[c.Contract], b)
			if c.Default {
				s.standard[c.Contract] = b
			}
		}
	}
	for _, list := range s.byContract {
		slices.SortFunc(list, func(a, b *Binding) int { return strings.Compare(a.ID, b.ID) })
	}
	d.catalog.now.Store(s)
}
