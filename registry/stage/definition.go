// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
)

// Definition is a decoded ns.definition: what a module says about itself. Nothing reads
// it at run time; a module that is published has exactly one.
type Definition struct {
	Entry registry.Entry
	// Module is the name of the module, by default that of the entry.
	Module string
	Readme string
	// Wiki maps the paths of pages to their text.
	Wiki map[string]string

	_ struct{}
}

// FindDefinition returns the definition among the entries. It is an error that there is
// none, that there are several, or that a field of it is wrong; all of them are named.
func FindDefinition(entries []registry.Entry) (Definition, error) {
	var found []registry.Entry
	for _, e := range entries {
		if e.Kind == KindDefinition {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return Definition{}, notFoundf("ns.definition entry is required for publishing")
	case 1:
		f := &fieldReader{entry: found[0], warn: func(Warning) {}}
		d := f.definition()
		return d, errors.Join(f.errs...)
	}
	places := make([]string, len(found))
	for i, e := range found {
		places[i] = strings.TrimSpace(e.ID.String() + " " + e.Position(""))
	}
	return Definition{}, invalidf("exactly one ns.definition entry required, found %d: %s", len(found), strings.Join(places, ", "))
}

func (f *fieldReader) definition() Definition {
	data := f.data("definition", "module", "readme", "wiki")
	d := Definition{Entry: f.entry, Module: f.text(data, "data", "module"), Readme: f.text(data, "data", "readme")}
	if d.Module == "" {
		d.Module = f.entry.ID.Name
	}
	pages, ok := data["wiki"].(map[string]any)
	if !ok && data["wiki"] != nil {
		f.fail("data.wiki", "must be a map of pages, got %T", data["wiki"])
	}
	if len(pages) > 0 {
		d.Wiki = make(map[string]string, len(pages))
	}
	for _, page := range slices.Sorted(maps.Keys(pages)) {
		text, ok := pages[page].(string)
		if !ok {
			f.fail(fmt.Sprintf("data.wiki.%s", page), "must be a string, got %T", pages[page])
		}
		d.Wiki[page] = text
	}
	return d
}
