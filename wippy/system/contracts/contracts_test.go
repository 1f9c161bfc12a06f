// SPDX-License-Identifier: Apache-2.0

package contracts_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/system/contracts"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func definition(id string, methods ...string) *contracts.Definition {
	d := &contracts.Definition{ID: id}
	for _, m := range methods {
		d.Methods = append(d.Methods, contracts.Method{Name: m})
	}
	return d
}

func binding(id, contract string, standard bool, methods ...string) *contracts.Binding {
	bound := contracts.Bound{Contract: contract, Default: standard, Methods: map[string]string{}}
	for _, m := range methods {
		bound.Methods[m] = "app:" + m
	}
	return &contracts.Binding{ID: id, Contracts: []contracts.Bound{bound}}
}

func TestChangesAreRefused(t *testing.T) {
	base := func() *contracts.Draft {
		d := contracts.New().Draft()
		if err := errors.Join(d.Define(definition("c", "a")), d.Bind(binding("b", "c", true, "a"))); err != nil {
			t.Fatal(err)
		}
		return d
	}
	for name, tt := range map[string]struct {
		change func(*contracts.Draft) error
		want   *fault.Error
	}{
		"definition twice":     {func(d *contracts.Draft) error { return d.Define(definition("c")) }, contracts.ErrDefinitionExists},
		"update unknown":       {func(d *contracts.Draft) error { return d.Redefine(definition("x")) }, contracts.ErrDefinitionUpdate},
		"delete unknown":       {func(d *contracts.Draft) error { return d.Undefine("x") }, contracts.ErrDefinitionDelete},
		"binding twice":        {func(d *contracts.Draft) error { return d.Bind(binding("b", "c", false, "a")) }, contracts.ErrBindingExists},
		"rebind unknown":       {func(d *contracts.Draft) error { return d.Rebind(binding("x", "c", false, "a")) }, contracts.ErrBindingUpdate},
		"unbind unknown":       {func(d *contracts.Draft) error { return d.Unbind("x") }, contracts.ErrBindingDelete},
		"no such contract":     {func(d *contracts.Draft) error { return d.Bind(binding("x", "y", false)) }, contracts.ErrUnknownDefinition},
		"method missing":       {func(d *contracts.Draft) error { return d.Bind(binding("x", "c", false)) }, contracts.ErrNotBound},
		"method unknown":       {func(d *contracts.Draft) error { return d.Bind(binding("x", "c", false, "a", "z")) }, contracts.ErrNotDefined},
		"second default":       {func(d *contracts.Draft) error { return d.Bind(binding("x", "c", true, "a")) }, contracts.ErrDefaultExists},
		"in use":               {func(d *contracts.Draft) error { return errors.Join(d.Undefine("c"), d.Check()) }, contracts.ErrInUse},
		"update invalidates":   {func(d *contracts.Draft) error { return errors.Join(d.Redefine(definition("c", "a", "n")), d.Check()) }, contracts.ErrWouldInvalidate},
		"update drops methods": {func(d *contracts.Draft) error { return errors.Join(d.Redefine(definition("c")), d.Check()) }, contracts.ErrWouldInvalidate},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tt.change(base()); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestADefinitionAndItsBindingsChangeTogether(t *testing.T) {
	c := contracts.New()
	d := c.Draft()
	if err := errors.Join(d.Define(definition("c", "a")), d.Bind(binding("b", "c", true, "a")), d.Check()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Open("b"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a draft is visible: %v", err)
	}
	d.Publish()
	d = c.Draft()
	if err := errors.Join(d.Redefine(definition("c", "a", "n")), d.Rebind(binding("b", "c", true, "a", "n")), d.Check()); err != nil {
		t.Fatal(err)
	}
	before, err := c.Open("c")
	if err != nil {
		t.Fatal(err)
	}
	d.Publish()
	after, err := c.Open("c")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := before.Function("n"); ok {
		t.Error("the binding read before has changed")
	}
	if _, ok := after.Function("n"); !ok {
		t.Error("the new method is not there")
	}
}

// TestDraftsKeepTheCatalogSound makes random changes; those that pass are published.
func TestDraftsKeepTheCatalogSound(t *testing.T) {
	names := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		c := contracts.New()
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			d := c.Draft()
			good := true
			for range rapid.IntRange(1, 4).Draw(t, "operations") {
				id := rapid.SampledFrom(names).Draw(t, "id")
				methods := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 2, rapid.ID[string]).Draw(t, "methods")
				b := binding("b"+id, rapid.SampledFrom(names).Draw(t, "contract"), rapid.Bool().Draw(t, "default"), methods...)
				var err error
				switch rapid.IntRange(0, 5).Draw(t, "operation") {
				case 0:
					err = d.Define(definition(id, methods...))
				case 1:
					err = d.Redefine(definition(id, methods...))
				case 2:
					err = d.Undefine(id)
				case 3:
					err = d.Bind(b)
				case 4:
					err = d.Rebind(b)
				case 5:
					err = d.Unbind(b.ID)
				}
				good = good && err == nil
			}
			if good && d.Check() == nil {
				d.Publish()
			}
			if err := sound(c, names); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func sound(c *contracts.Catalog, names []string) error {
	defaults := map[string]int{}
	for _, name := range names {
		b, err := c.Binding("b" + name)
		if err != nil {
			continue
		}
		for _, bound := range b.Contracts {
			d, err := c.Definition(bound.Contract)
			if err != nil {
				return fmt.Errorf("binding %s: %w", b.ID, err)
			}
			var methods []string
			for _, m := range d.Methods {
				methods = append(methods, m.Name)
			}
			slices.Sort(methods)
			if have := slices.Sorted(maps.Keys(bound.Methods)); !slices.Equal(have, methods) {
				return fmt.Errorf("binding %s has %v, contract %s has %v", b.ID, have, d.ID, methods)
			}
			if !slices.Contains(c.Implementations(bound.Contract), b.ID) {
				return fmt.Errorf("%s is no implementation of %s", b.ID, bound.Contract)
			}
			if bound.Default {
				defaults[bound.Contract]++
				if standard, err := c.Default(bound.Contract); err != nil || standard != b {
					return fmt.Errorf("default of %s: %v, %v", bound.Contract, standard, err)
				}
			}
		}
	}
	for contract, n := range defaults {
		if n > 1 {
			return fmt.Errorf("%d defaults of %s", n, contract)
		}
	}
	return nil
}
