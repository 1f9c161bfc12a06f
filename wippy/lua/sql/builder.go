// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"maps"
	"math"
	"slices"

	"github.com/Masterminds/squirrel"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// statementBuilder is what the four builders have in common. They are immutable: each method returns another one.
type statementBuilder[T any] interface {
	squirrel.Sqlizer
	PlaceholderFormat(squirrel.PlaceholderFormat) T
}

// builders adds the four kinds of statements.
func (m *module) builders(b *engine.Builder) {
	m.executors = b.Type("QueryExecutor", executorMethods, map[string]lua.LGFunction{"__tostring": executorText})
	m.selects = define[squirrel.SelectBuilder](m, b, "SelectBuilder", &m.selects, m.selectMethods())
	m.inserts = define[squirrel.InsertBuilder](m, b, "InsertBuilder", &m.inserts, m.insertMethods())
	m.updates = define[squirrel.UpdateBuilder](m, b, "UpdateBuilder", &m.updates, m.updateMethods())
	m.deletes = define[squirrel.DeleteBuilder](m, b, "DeleteBuilder", &m.deletes, m.deleteMethods())
	b.Func("select", func(L *lua.LState) int {
		L.Push(m.selects.New(squirrel.Select(texts(L, 1)...)))
		return 1
	})
	b.Func("insert", func(L *lua.LState) int {
		L.Push(m.inserts.New(squirrel.Insert(L.OptString(1, ""))))
		return 1
	})
	b.Func("update", func(L *lua.LState) int {
		L.Push(m.updates.New(squirrel.Update(L.OptString(1, ""))))
		return 1
	})
	b.Func("delete", func(L *lua.LState) int {
		L.Push(m.deletes.New(squirrel.Delete(L.OptString(1, ""))))
		return 1
	})
}

// define makes the class of a builder of its own methods and of those that all have.
func define[T statementBuilder[T]](m *module, b *engine.Builder, name string, class **engine.Class, methods map[string]lua.LGFunction) *engine.Class {
	maps.Copy(methods, map[string]lua.LGFunction{
		"to_sql": func(L *lua.LState) int { return pushSQL(L, self[T](L)) },
		"run_with": func(L *lua.LState) int {
			return runWith(L, m, self[T](L))
		},
		"placeholder_format": with(class, func(L *lua.LState, b T) T {
			return b.PlaceholderFormat(engine.Check[format](L, 2, "placeholder format").PlaceholderFormat)
		}),
	})
	return b.Type(name, methods, map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
		L.Push(lua.LString(describe(name, self[T](L))))
		return 1
	}})
}

func self[T any](L *lua.LState) T { return engine.Check[T](L, 1, "builder") }

// with makes a method of one that returns another builder.
func with[T any](class **engine.Class, f func(L *lua.LState, b T) T) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push((*class).New(f(L, self[T](L))))
		return 1
	}
}

// texts reads the arguments from the nth on, which must be strings.
func texts(L *lua.LState, n int) []string {
	var out []string
	for ; n <= L.GetTop(); n++ {
		s, ok := L.Get(n).(lua.LString)
		if !ok {
			L.ArgError(n, "string expected, got "+L.Get(n).Type().String())
		}
		out = append(out, string(s))
	}
	return out
}

// count reads a number of rows; there is none below 0.
func count(L *lua.LState) uint64 {
	n := float64(L.CheckNumber(2))
	switch {
	case math.IsNaN(n) || n < 0:
		return 0
	case n >= math.MaxInt64:
		return math.MaxInt64
	}
	return uint64(n)
}

func (m *module) selectMethods() map[string]lua.LGFunction {
	type b = squirrel.SelectBuilder
	method := func(f func(L *lua.LState, s b) b) lua.LGFunction { return with(&m.selects, f) }
	clause := func(add func(s b, text string, args ...any) b) lua.LGFunction {
		return method(func(L *lua.LState, s b) b { return add(s, L.CheckString(2), bindRest(L, 3)...) })
	}
	return map[string]lua.LGFunction{
		"from":       method(func(L *lua.LState, s b) b { return s.From(L.CheckString(2)) }),
		"columns":    method(func(L *lua.LState, s b) b { return s.Columns(texts(L, 2)...) }),
		"join":       clause(func(s b, text string, args ...any) b { return s.Join(text, args...) }),
		"left_join":  clause(func(s b, text string, args ...any) b { return s.LeftJoin(text, args...) }),
		"right_join": clause(func(s b, text string, args ...any) b { return s.RightJoin(text, args...) }),
		"inner_join": clause(func(s b, text string, args ...any) b { return s.InnerJoin(text, args...) }),
		"suffix":     clause(func(s b, text string, args ...any) b { return s.Suffix(text, args...) }),
		"where": method(func(L *lua.LState, s b) b {
			pred, args := where(L)
			return s.Where(pred, args...)
		}),
		"having": method(func(L *lua.LState, s b) b {
			pred, args := where(L)
			return s.Having(pred, args...)
		}),
		"group_by": method(func(L *lua.LState, s b) b { return s.GroupBy(texts(L, 2)...) }),
		"order_by": method(func(L *lua.LState, s b) b { return s.OrderBy(texts(L, 2)...) }),
		"limit":    method(func(L *lua.LState, s b) b { return s.Limit(count(L)) }),
		"offset":   method(func(L *lua.LState, s b) b { return s.Offset(count(L)) }),
		"distinct": method(func(_ *lua.LState, s b) b { return s.Distinct() }),
	}
}

func (m *module) insertMethods() map[string]lua.LGFunction {
	type b = squirrel.InsertBuilder
	method := func(f func(L *lua.LState, s b) b) lua.LGFunction { return with(&m.inserts, f) }
	return map[string]lua.LGFunction{
		"into":    method(func(L *lua.LState, s b) b { return s.Into(L.CheckString(2)) }),
		"columns": method(func(L *lua.LState, s b) b { return s.Columns(texts(L, 2)...) }),
		"values":  method(func(L *lua.LState, s b) b { return s.Values(bindRest(L, 2)...) }),
		"set_map": method(func(L *lua.LState, s b) b { return s.SetMap(boundMap(L.CheckTable(2))) }),
		"select":  method(func(L *lua.LState, s b) b { return s.Select(checkSelect(L)) }),
		"options": method(func(L *lua.LState, s b) b { return s.Options(texts(L, 2)...) }),
		"prefix": method(func(L *lua.LState, s b) b {
			return s.Prefix(L.CheckString(2), bindRest(L, 3)...)
		}),
		"suffix": method(func(L *lua.LState, s b) b {
			return s.Suffix(L.CheckString(2), bindRest(L, 3)...)
		}),
	}
}

// checkSelect reads a query within another statement, which numbers the parameters of both.
func checkSelect(L *lua.LState) squirrel.SelectBuilder {
	return engine.Check[squirrel.SelectBuilder](L, 2, "SelectBuilder").PlaceholderFormat(squirrel.Question)
}

func (m *module) updateMethods() map[string]lua.LGFunction {
	type b = squirrel.UpdateBuilder
	method := func(f func(L *lua.LState, s b) b) lua.LGFunction { return with(&m.updates, f) }
	return map[string]lua.LGFunction{
		"table": method(func(L *lua.LState, s b) b { return s.Table(L.CheckString(2)) }),
		"set": method(func(L *lua.LState, s b) b {
			column := L.CheckString(2)
			if ud, ok := L.Get(3).(*lua.LUserData); ok {
				switch ud.Value.(type) {
				case typed, condition:
				default:
					L.ArgError(3, "value or Sqlizer expected")
				}
			}
			return s.Set(column, assigned(L.Get(3)))
		}),
		"set_map": method(func(L *lua.LState, s b) b {
			values := map[string]any{}
			engine.Unwrap(L.CheckTable(2)).ForEach(func(k, v lua.LValue) {
				if name, ok := k.(lua.LString); ok {
					values[string(name)] = assigned(v)
				}
			})
			for _, column := range slices.Sorted(maps.Keys(values)) {
				s = s.Set(column, values[column])
			}
			return s
		}),
		"from": method(func(L *lua.LState, s b) b { return s.From(L.CheckString(2)) }),
		"from_select": method(func(L *lua.LState, s b) b {
			return s.FromSelect(checkSelect(L), L.CheckString(3))
		}),
		"where": method(func(L *lua.LState, s b) b {
			pred, args := where(L)
			return s.Where(pred, args...)
		}),
		"order_by": method(func(L *lua.LState, s b) b { return s.OrderBy(texts(L, 2)...) }),
		"limit":    method(func(L *lua.LState, s b) b { return s.Limit(count(L)) }),
		"offset":   method(func(L *lua.LState, s b) b { return s.Offset(count(L)) }),
		"suffix": method(func(L *lua.LState, s b) b {
			return s.Suffix(L.CheckString(2), bindRest(L, 3)...)
		}),
	}
}

// assigned is what a column is set to: a value, or the SQL of a condition.
func assigned(v lua.LValue) any {
	if ud, ok := v.(*lua.LUserData); ok {
		if c, ok := ud.Value.(condition); ok {
			return c
		}
	}
	return bind(v)
}

func (m *module) deleteMethods() map[string]lua.LGFunction {
	type b = squirrel.DeleteBuilder
	method := func(f func(L *lua.LState, s b) b) lua.LGFunction { return with(&m.deletes, f) }
	return map[string]lua.LGFunction{
		"from": method(func(L *lua.LState, s b) b { return s.From(L.CheckString(2)) }),
		"where": method(func(L *lua.LState, s b) b {
			pred, args := where(L)
			return s.Where(pred, args...)
		}),
		"order_by": method(func(L *lua.LState, s b) b { return s.OrderBy(texts(L, 2)...) }),
		"limit":    method(func(L *lua.LState, s b) b { return s.Limit(count(L)) }),
		"offset":   method(func(L *lua.LState, s b) b { return s.Offset(count(L)) }),
		"suffix": method(func(L *lua.LState, s b) b {
			return s.Suffix(L.CheckString(2), bindRest(L, 3)...)
		}),
	}
}

// runWith makes the executor of a statement on a database or in a transaction.
func runWith[T statementBuilder[T]](L *lua.LState, m *module, b T) int {
	e := &executor{}
	ud, _ := L.Get(2).(*lua.LUserData)
	var dialect string
	switch runner := userValue(ud).(type) {
	case *database:
		e.runner, dialect = runner, runner.Type()
	case *transaction:
		e.runner, e.queue, dialect = runner, &runner.queue, runner.Type()
	default:
		L.ArgError(2, "database or transaction expected")
	}
	if dialect == sql.Postgres {
		b = b.PlaceholderFormat(squirrel.Dollar)
	}
	var err error
	if e.text, e.args, err = render(b); err != nil {
		return engine.PushError(L, err)
	}
	return push(L, m.executors.New(e))
}

func userValue(ud *lua.LUserData) any {
	if ud == nil {
		return nil
	}
	return ud.Value
}
