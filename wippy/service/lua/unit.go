// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/functions"
)

// The kinds this package handles.
const (
	KindFunction = "function.lua"
	KindLibrary  = "library.lua"
	KindProcess  = "process.lua"
)

// Kinds lists them.
func Kinds() []string { return []string{KindFunction, KindLibrary, KindProcess} }

// config is the decoded form of a Lua entry.
type config struct {
	source  string
	method  string
	modules []string
	imports []importRef // sorted by alias
	pool    functions.PoolConfig
	options map[string]any // default options of its calls
	host    string         // where calls of a process run, "" when it cannot be called
}

type importRef struct {
	alias  string
	target string // entry id
}

// decode reads an entry and reports every problem of its fields, and the fields
// nobody knows.
func decode(e registry.Entry) (config, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := config{source: r.Required("source"), modules: r.Strings("modules")}
	switch e.Kind {
	case KindFunction:
		c.method = r.Required("method")
		pool, err := functions.ParsePool(r.Any("pool"))
		if err != nil {
			r.Reject("pool", err.Error())
		}
		c.pool = pool
		c.options = callOptions(e)
		r.Ignore("options")
	case KindProcess:
		c.method = r.String("method", "main")
		c.host, c.options = defaultHost(e), callOptions(e)
	default:
		r.Ignore("method")
	}
	for i, m := range c.modules {
		switch {
		case m == "":
			r.Reject("modules", "module cannot be empty")
		case strings.Contains(m, ":"):
			r.Reject("modules", "module cannot have a namespace: "+m)
		case slices.Contains(c.modules[:i], m):
			// Naming a module twice changes nothing.
		}
	}
	aliases, targets := r.StringMap("imports")
	for _, alias := range aliases {
		target := targets[alias]
		if alias == "" {
			r.Reject("imports", "import alias cannot be empty")
			continue
		}
		if _, name, ok := strings.Cut(target, ":"); !ok || name == "" {
			text := "import " + alias + ": " + target + " is not an entry id (namespace:name)"
			if strings.TrimPrefix(target, ":") == "" {
				text = "import " + alias + ": import :name cannot be empty"
			}
			r.Reject("imports."+alias, text)
			continue
		}
		c.imports = append(c.imports, importRef{alias: alias, target: target})
	}
	r.Ignore("lifecycle", "meta")
	return c, r.Unknown(), r.Err()
}

// callOptions are a function's default options: meta.options, over them the
// options of the entry itself.
func callOptions(e registry.Entry) map[string]any {
	out := map[string]any{}
	if m, ok := e.Meta["options"].(map[string]any); ok {
		maps.Copy(out, m)
	}
	if data, ok := e.Data.(map[string]any); ok {
		if m, ok := data["options"].(map[string]any); ok {
			maps.Copy(out, m)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// unit is one Lua entry, compiled and linked.
type unit struct {
	entry   registry.Entry
	config  config
	program *engine.Program
	// importers are the units that import this one directly, by id.
	importers map[string]*unit
	// function is set for functions.
	function *function
}

func (u *unit) id() string { return u.entry.ID.String() }

// reaches tells whether u is, or imports, directly or through others, the entry
// id.
func (u *unit) reaches(id string, units map[string]*unit) bool {
	if u.id() == id {
		return true
	}
	for _, ref := range u.config.imports {
		if next := units[ref.target]; next != nil && next.reaches(id, units) {
			return true
		}
	}
	return false
}
