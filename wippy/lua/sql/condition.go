// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/squirrel"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// condition is the value behind what sql.builder.eq, expr and the like return. It is immutable.
type condition struct{ squirrel.Sqlizer }

// format is the value behind a placeholder format.
type format struct{ squirrel.PlaceholderFormat }

// builder adds sql.builder.
func (m *module) builder(b *engine.Builder) {
	m.conditions = b.Type("Sqlizer", map[string]lua.LGFunction{
		"to_sql": func(L *lua.LState) int { return pushSQL(L, checkCondition(L)) },
	}, map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
		L.Push(lua.LString(describe("SQL", checkCondition(L))))
		return 1
	}})
	m.formats = b.Type("PlaceholderFormat", nil, nil)
	question := m.formats.New(format{squirrel.Question})
	b.Value("question", question)
	b.Value("default_placeholder", question)
	b.Value("dollar", m.formats.New(format{squirrel.Dollar}))
	b.Value("at", m.formats.New(format{squirrel.AtP}))
	b.Value("colon", m.formats.New(format{squirrel.Colon}))

	for name, make := range map[string]func(map[string]any) squirrel.Sqlizer{
		"eq":       func(values map[string]any) squirrel.Sqlizer { return squirrel.Eq(values) },
		"not_eq":   func(values map[string]any) squirrel.Sqlizer { return squirrel.NotEq(values) },
		"lt":       func(values map[string]any) squirrel.Sqlizer { return squirrel.Lt(values) },
		"lte":      func(values map[string]any) squirrel.Sqlizer { return squirrel.LtOrEq(values) },
		"gt":       func(values map[string]any) squirrel.Sqlizer { return squirrel.Gt(values) },
		"gte":      func(values map[string]any) squirrel.Sqlizer { return squirrel.GtOrEq(values) },
		"like":     func(values map[string]any) squirrel.Sqlizer { return like{values, false} },
		"not_like": func(values map[string]any) squirrel.Sqlizer { return like{values, true} },
	} {
		b.Func(name, func(L *lua.LState) int {
			t, ok := L.Get(1).(*lua.LTable)
			if !ok || L.GetTop() != 1 {
				L.ArgError(1, "expected table")
			}
			L.Push(m.conditions.New(condition{make(boundMap(t))}))
			return 1
		})
	}
	b.Func("and_", func(L *lua.LState) int {
		L.Push(m.conditions.New(condition{squirrel.And(parts(L, "AND"))}))
		return 1
	})
	b.Func("or_", func(L *lua.LState) int {
		L.Push(m.conditions.New(condition{squirrel.Or(parts(L, "OR"))}))
		return 1
	})
	b.Func("expr", func(L *lua.LState) int {
		L.Push(m.conditions.New(condition{squirrel.Expr(L.CheckString(1), bindRest(L, 2)...)}))
		return 1
	})
	m.builders(b)
}

func checkCondition(L *lua.LState) condition {
	return engine.Check[condition](L, 1, "sql.builder.Sqlizer")
}

// boundMap binds the values of a table with names; other keys are left out.
func boundMap(t *lua.LTable) map[string]any {
	out := map[string]any{}
	engine.Unwrap(t).ForEach(func(k, v lua.LValue) {
		if name, ok := k.(lua.LString); ok {
			out[string(name)] = bind(v)
		}
	})
	return out
}

// parts reads a list of conditions; a table stands for eq of it.
func parts(L *lua.LState, word string) []squirrel.Sqlizer {
	list := engine.Unwrap(L.CheckTable(1))
	out := make([]squirrel.Sqlizer, 0, list.Len())
	for i := 1; i <= list.Len(); i++ {
		switch v := list.RawGetInt(i).(type) {
		case *lua.LTable:
			out = append(out, squirrel.Eq(boundMap(v)))
			continue
		case *lua.LUserData:
			if c, ok := v.Value.(condition); ok {
				out = append(out, c)
				continue
			}
		}
		L.RaiseError("expected Sqlizer or table in %s condition, got %s", word, list.RawGetInt(i).Type())
	}
	return out
}

// like compares columns with patterns, in the order of their names.
type like struct {
	values map[string]any
	not    bool
}

// ToSql implements squirrel.Sqlizer.
func (l like) ToSql() (string, []any, error) {
	var texts []string
	var args []any
	for _, column := range slices.Sorted(maps.Keys(l.values)) {
		one := squirrel.Sqlizer(squirrel.Like{column: l.values[column]})
		if l.not {
			one = squirrel.NotLike{column: l.values[column]}
		}
		text, more, err := one.ToSql()
		if err != nil {
			return "", nil, err
		}
		texts, args = append(texts, text), append(args, more...)
	}
	return strings.Join(texts, " AND "), args, nil
}

// where reads a condition and, when it is a text, its values.
func where(L *lua.LState) (pred any, args []any) {
	switch v := L.Get(2).(type) {
	case lua.LString:
		return string(v), bindRest(L, 3)
	case *lua.LTable:
		return squirrel.Eq(boundMap(v)), nil
	case *lua.LUserData:
		if c, ok := v.Value.(condition); ok {
			return c, nil
		}
	}
	L.ArgError(2, "expected string, table, or Sqlizer")
	return nil, nil
}

// render makes the text of a statement. What does not fit together is Invalid.
func render(s squirrel.Sqlizer) (string, []any, error) {
	text, args, err := s.ToSql()
	if err != nil {
		return "", nil, engine.NewError(engine.KindInvalid, err.Error()).WithCause(err)
	}
	return text, args, nil
}

// pushSQL pushes the text of a statement and its values.
func pushSQL(L *lua.LState, s squirrel.Sqlizer) int {
	text, args, err := render(s)
	if err != nil {
		return engine.PushError(L, err)
	}
	L.Push(lua.LString(text))
	L.Push(argsTable(args))
	return 2
}

// argsTable is the list of bound values; NULL leaves a hole.
func argsTable(args []any) lua.LValue {
	t := engine.NewArray(len(args))
	for i, arg := range args {
		if v := engine.ToLua(arg); v != lua.LNil {
			t.RawSetInt(i+1, v)
		}
	}
	return t
}

// describe is the text of a statement for people.
func describe(name string, s squirrel.Sqlizer) string {
	text, args, err := render(s)
	if err != nil {
		return name + " Error: " + err.Error()
	}
	for i, arg := range args {
		if b, ok := arg.([]byte); ok {
			args[i] = string(b)
		}
	}
	return fmt.Sprintf("%s: %s [Args: %v]", name, text, args)
}
