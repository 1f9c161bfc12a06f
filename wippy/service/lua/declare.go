// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
)

// Declaration is what an entry says about its source, for tools that look at entries
// without running them.
type Declaration struct {
	Source, Method string
	Modules        []string
	Imports        []Import // sorted by alias
}

// Import is one import of an entry. The target is the id of an entry, or ":name" for a
// module of the runtime.
type Import struct{ Alias, Target string }

// HasSource tells whether entries of a kind are Lua sources, also where no listener of
// this runtime handles the kind.
func HasSource(kind string) bool {
	for _, k := range []string{KindFunction, KindLibrary, KindProcess, "workflow.lua"} {
		if strings.HasPrefix(kind, k) {
			return true
		}
	}
	return false
}

// Declare reads the declaration of an entry. What can be read is returned with the error
// too, which joins one error per field that is wrong.
func Declare(e registry.Entry) (Declaration, []fields.Warning, error) {
	c, unknown, err := decode(e)
	d := Declaration{Source: c.source, Method: c.method, Modules: c.modules}
	for _, ref := range c.imports {
		d.Imports = append(d.Imports, Import{Alias: ref.alias, Target: ref.target})
	}
	return d, unknown, err
}
