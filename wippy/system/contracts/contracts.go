// SPDX-License-Identifier: Apache-2.0

// Package contracts holds contract definitions, sets of methods, and bindings, which say what function implements
// each method.
//
// # Basics
//
// A [Catalog] is read at any time and changed as a whole: take a [Draft], change it, check it, publish it.
//
// # Guarantees
//
//   - Reads are lock-free and see one published state; a value read is never changed afterwards.
//   - A published state is sound: every binding binds all methods of existing definitions, nothing else, and a
//     contract has one default binding at most (TestDraftsKeepTheCatalogSound).
package contracts

import (
	"maps"
	"slices"
	"sync/atomic"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Definition is a contract: what an implementation offers.
type Definition struct {
	ID      string
	Methods []Method
}

// Method is one method of a contract. Its schemas describe; arguments are not checked against them.
type Method struct {
	Name, Description string
	Input, Output     []Schema
}

// Schema describes values in a notation named by Format.
type Schema struct {
	Format     string
	Definition any
}

// Method returns the method of that name.
func (d *Definition) Method(name string) (Method, bool) {
	for _, m := range d.Methods {
		if m.Name == name {
			return m, true
		}
	}
	return Method{}, false
}

// Binding implements one or more contracts.
type Binding struct {
	ID        string
	Contracts []Bound
}

// Bound is the part of a binding that implements one contract.
type Bound struct {
	Contract string
	Methods  map[string]string // name of the method → id of the function
	Required []string          // context keys that an instance cannot do without
	Default  bool              // the binding used when a caller names the contract only
}

// Implements tells whether the binding implements the contract of that id.
func (b *Binding) Implements(contract string) bool {
	return slices.ContainsFunc(b.Contracts, func(c Bound) bool { return c.Contract == contract })
}

// Function returns the id of the function behind a method. Contracts are searched in the order of the binding.
func (b *Binding) Function(method string) (id string, ok bool) {
	for _, c := range b.Contracts {
		if id, ok := c.Methods[method]; ok {
			return id, true
		}
	}
	return "", false
}

// Missing lists the required context keys, of all contracts of the binding, that values lacks, sorted.
func (b *Binding) Missing(values map[string]any) []string {
	missing := map[string]struct{}{}
	for _, c := range b.Contracts {
		for _, key := range c.Required {
			if values[key] == nil {
				missing[key] = struct{}{}
			}
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

// state is one published state. It is immutable.
type state struct {
	definitions map[string]*Definition
	bindings    map[string]*Binding
	byContract  map[string][]*Binding // sorted by id
	standard    map[string]*Binding   // the default binding of a contract
}

// Catalog is the current set of contracts and bindings. All methods may be called concurrently.
type Catalog struct{ now atomic.Pointer[state] }

// New returns an empty catalog.
func New() *Catalog {
	c := &Catalog{}
	c.now.Store(&state{})
	return c
}

// Definition returns a contract, or a NotFound error.
func (c *Catalog) Definition(id string) (*Definition, error) {
	if d := c.now.Load().definitions[id]; d != nil {
		return d, nil
	}
	return nil, fault.New(fault.NotFound, "contract definition '"+id+"' not found").With("definition_id", id)
}

// Binding returns a binding, or a NotFound error.
func (c *Catalog) Binding(id string) (*Binding, error) {
	if b := c.now.Load().bindings[id]; b != nil {
		return b, nil
	}
	return nil, fault.New(fault.NotFound, "contract binding '"+id+"' not found").With("binding_id", id)
}

// Default returns the default binding of a contract, or a NotFound error when there is no such contract or it has
// no default.
func (c *Catalog) Default(contract string) (*Binding, error) {
	if _, err := c.Definition(contract); err != nil {
		return nil, err
	}
	if b := c.now.Load().standard[contract]; b != nil {
		return b, nil
	}
	return nil, fault.New(fault.NotFound, "no default binding for contract '"+contract+"'").With("contract_id", contract)
}

// Open returns the binding of that id or, when the id is that of a contract, its default binding.
func (c *Catalog) Open(id string) (*Binding, error) {
	now := c.now.Load()
	if now.bindings[id] == nil && now.definitions[id] != nil {
		return c.Default(id)
	}
	return c.Binding(id)
}

// Implementations returns the ids of the bindings of a contract, sorted; none for an unknown contract.
func (c *Catalog) Implementations(contract string) []string {
	bindings := c.now.Load().byContract[contract]
	ids := make([]string, len(bindings))
	for i, b := range bindings {
		ids[i] = b.ID
	}
	return ids
}
