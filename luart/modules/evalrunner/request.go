// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/internal/host"
)

// request is what a caller asks for.
type request struct {
	source  string
	method  string
	modules []string
	imports []importRef // by alias
	classes []string    // that are allowed
	args    []lua.LValue
	context map[string]any
	custom  map[string]lua.LValue // copies
}

// importRef is a library by the name it gets.
type importRef struct {
	alias   string
	id      string
	modules []string // that only the library gets
}

// readImports reads modules and imports, which compile and run have in common.
func (q *request) readImports(t *lua.LTable) error {
	if t == nil {
		return nil
	}
	var err error
	if q.modules, err = names(t, "modules"); err != nil {
		return err
	}
	return each(t, "imports", func(alias string, v lua.LValue) error {
		ref := importRef{alias: alias}
		switch v := v.(type) {
		case lua.LString:
			ref.id = string(v)
		case *lua.LTable:
			v = engine.Unwrap(v)
			id, ok := v.RawGetString("id").(lua.LString)
			if !ok {
				return invalid("imports." + alias + ".id must be a string")
			}
			ref.id = string(id)
			if ref.modules, err = names(v, "modules"); err != nil {
				return err
			}
		default:
			return invalid("imports." + alias + " must be an entry id or a table")
		}
		q.imports = append(q.imports, ref)
		return nil
	}, func() {
		slices.SortFunc(q.imports, func(a, b importRef) int { return strings.Compare(a.alias, b.alias) })
	})
}

// readRun reads the table that run is given, all but the source.
func (q *request) readRun(L *lua.LState, t *lua.LTable) error {
	if err := q.readImports(t); err != nil {
		return err
	}
	switch v := t.RawGetString("method").(type) {
	case *lua.LNilType:
	case lua.LString:
		q.method = string(v)
	default:
		return invalid("method must be a string")
	}
	var err error
	if q.classes, err = names(t, "allow_classes"); err != nil {
		return err
	}
	switch v := t.RawGetString("args").(type) {
	case *lua.LNilType:
	case *lua.LTable:
		v = engine.Unwrap(v)
		n, err := host.Length(v)
		if err != nil {
			return invalid("args: " + err.Error())
		}
		for i := 1; i <= n; i++ {
			q.args = append(q.args, engine.Copy(v.RawGetInt(i)))
		}
	default:
		return invalid("args must be an array")
	}
	err = each(t, "context", func(key string, v lua.LValue) error {
		if q.context == nil {
			q.context = map[string]any{}
		}
		q.context[key], err = host.Value(L, v)
		return err
	}, nil)
	if err != nil {
		return err
	}
	return each(t, "custom_modules", func(name string, v lua.LValue) error {
		if _, ok := v.(*lua.LTable); !ok {
			return invalid("custom_modules." + name + " must be a table")
		}
		data, err := host.Value(L, v)
		if err != nil {
			return err
		}
		if q.custom == nil {
			q.custom = map[string]lua.LValue{}
		}
		q.custom[name], err = host.Lua(data)
		return err
	}, nil)
}

// names reads a list of strings.
func names(t *lua.LTable, field string) ([]string, error) {
	switch v := t.RawGetString(field).(type) {
	case *lua.LNilType:
		return nil, nil
	case *lua.LTable:
		if list, ok := call.Strings(v); ok {
			return list, nil
		}
	}
	return nil, invalid(field + " must be an array of strings")
}

// each goes through a table of named values, and calls after when there is one.
func each(t *lua.LTable, field string, do func(name string, v lua.LValue) error, after func()) error {
	var err error
	switch v := t.RawGetString(field).(type) {
	case *lua.LNilType:
		return nil
	case *lua.LTable:
		engine.Unwrap(v).ForEach(func(k, v lua.LValue) {
			name, ok := k.(lua.LString)
			switch {
			case err != nil:
			case !ok || name == "":
				err = invalid(field + " must have names as keys")
			default:
				err = do(string(name), v)
			}
		})
	default:
		return invalid(field + " must be a table")
	}
	if err == nil && after != nil {
		after()
	}
	return err
}

func invalid(message string) error { return engine.NewError(engine.KindInvalid, message) }

// permit asks for the permission to do what q is about, in the order that programs can rely on. It comes after the
// check of the action itself.
func (r *Runner) permit(p *engine.Process, q *request) error {
	for _, name := range q.modules {
		if err := r.check(p, "eval.module", name, nil); err != nil {
			return err
		}
	}
	for _, ref := range q.imports {
		for _, name := range ref.modules {
			if err := r.check(p, "eval.module", name, nil); err != nil {
				return err
			}
		}
	}
	for _, ref := range q.imports {
		if err := r.check(p, "eval.import", ref.id, map[string]any{"alias": ref.alias}); err != nil {
			return err
		}
	}
	for _, class := range q.classes {
		if err := r.check(p, "eval.class", class, nil); err != nil {
			return err
		}
	}
	return nil
}

// check asks for one permission.
func (r *Runner) check(p *engine.Process, action, resource string, meta map[string]any) error {
	if r.config.Allowed == nil {
		return nil
	}
	if resource != "" {
		if meta == nil {
			meta = map[string]any{}
		}
		meta["entry_id"] = p.SourceID()
	}
	if r.config.Allowed(p, action, resource, meta) {
		return nil
	}
	text := "permission denied: " + action
	if resource != "" {
		text += " " + resource
	}
	return engine.NewError(engine.KindPermissionDenied, text)
}
