// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"regexp"
	"runtime"
	"time"

	ts "github.com/tree-sitter/go-tree-sitter"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// maxMatches is how many matches may be in progress at once: the library searches among them.
const maxMatches = 1 << 16

// query is the value behind Query objects: a compiled pattern, and the limits for running it.
type query struct {
	handle     *handle
	c          *ts.Query
	lang       *language
	predicates [][]ts.TextPredicateCapture
	// disabled are the patterns whose matches are left out. With its own way of doing that the library searches beyond
	// the end of a table when the pattern begins with a wildcard.
	disabled []bool

	bytes      *[2]uint
	points     *[2]ts.Point
	matchLimit uint32
	exceeded   bool
	timeout    time.Duration
	depth      *uint
}

func newQuery(o *open, l *language, pattern string) (*query, error) {
	if err := inspect(pattern); err != nil {
		return nil, err
	}
	c, qerr := ts.NewQuery(l.lang, pattern)
	if qerr != nil {
		return nil, qerr
	}
	q := &query{c: c, lang: l, predicates: c.TextPredicates, matchLimit: 1<<32 - 1}
	// They are applied here, where what they look at may be out of the source, and where they can be stopped.
	q.disabled = make([]bool, c.PatternCount())
	c.TextPredicates = make([][]ts.TextPredicateCapture, len(q.predicates))
	q.handle = own(o, q, 0, c.Close)
	return q, nil
}

func queryMethod(fn func(L *lua.LState, q *query) int) lua.LGFunction {
	return func(L *lua.LState) int {
		q := engine.Check[*query](L, 1, "Query")
		if q.handle.closed.Load() {
			L.RaiseError("query already closed")
		}
		defer runtime.KeepAlive(q)
		return fn(L, q)
	}
}

// set makes a method that changes how the query is run and returns nothing.
func set(fn func(L *lua.LState, q *query)) lua.LGFunction {
	return queryMethod(func(L *lua.LState, q *query) int {
		fn(L, q)
		return 0
	})
}

// get makes a method that returns a value.
func get(fn func(L *lua.LState, q *query) lua.LValue) lua.LGFunction {
	return queryMethod(func(L *lua.LState, q *query) int { return push(L, fn(L, q)) })
}

// ofPattern makes a method that returns a value of the pattern whose index is argument 2. There must be such a pattern.
func ofPattern(fn func(q *query, i uint) lua.LValue) lua.LGFunction {
	return queryMethod(func(L *lua.LState, q *query) int { return push(L, fn(q, q.pattern(L))) })
}

// pattern returns argument 2, the index of a pattern.
func (q *query) pattern(L *lua.LState) uint {
	i, ok := index32(L, 2)
	if !ok || uint(i) >= q.c.PatternCount() {
		L.ArgError(2, "no such pattern")
	}
	return uint(i)
}

func (m *module) queryMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"captures": queryMethod(m.captures),
		"matches":  queryMethod(m.matches),
		"close": func(L *lua.LState) int {
			engine.Check[*query](L, 1, "Query").handle.close()
			return 0
		},

		"set_byte_range": set(func(L *lua.LState, q *query) {
			q.bytes = &[2]uint{uint(position(L, 2)), uint(position(L, 3))}
		}),
		"set_point_range": set(func(L *lua.LState, q *query) { q.points = &[2]ts.Point{pointArg(L, 2), pointArg(L, 3)} }),
		"set_match_limit": set(func(L *lua.LState, q *query) {
			n := position(L, 2)
			if n == 0 {
				L.ArgError(2, "the limit must be positive")
			}
			q.matchLimit = n
		}),
		"get_match_limit":        get(func(_ *lua.LState, q *query) lua.LValue { return lua.LNumber(q.matchLimit) }),
		"did_exceed_match_limit": get(func(_ *lua.LState, q *query) lua.LValue { return lua.LBool(q.exceeded) }),
		"set_timeout":            set(func(L *lua.LState, q *query) { q.timeout = duration(L, 2) }),
		"get_timeout":            get(func(_ *lua.LState, q *query) lua.LValue { return lua.LNumber(q.timeout) }),
		"set_max_start_depth": set(func(L *lua.LState, q *query) {
			q.depth = nil
			if L.Get(2) != lua.LNil {
				n := uint(position(L, 2))
				q.depth = &n
			}
		}),
		"disable_pattern": set(func(L *lua.LState, q *query) { q.disabled[q.pattern(L)] = true }),
		"disable_capture": set(func(L *lua.LState, q *query) {
			if name := L.CheckString(2); q.capture(name) >= 0 {
				q.c.DisableCapture(name)
			}
		}),

		"pattern_count": get(func(_ *lua.LState, q *query) lua.LValue { return lua.LNumber(q.c.PatternCount()) }),
		"capture_count": get(func(_ *lua.LState, q *query) lua.LValue { return lua.LNumber(len(q.c.CaptureNames())) }),
		"string_count":  get(func(*lua.LState, *query) lua.LValue { return lua.LNumber(0) }),
		"start_byte_for_pattern": ofPattern(func(q *query, i uint) lua.LValue {
			return lua.LNumber(q.c.StartByteForPattern(i))
		}),
		"end_byte_for_pattern": ofPattern(func(q *query, i uint) lua.LValue {
			return lua.LNumber(q.c.EndByteForPattern(i))
		}),
		"is_pattern_rooted":    ofPattern(func(q *query, i uint) lua.LValue { return lua.LBool(q.c.IsPatternRooted(i)) }),
		"is_pattern_non_local": ofPattern(func(q *query, i uint) lua.LValue { return lua.LBool(q.c.IsPatternNonLocal(i)) }),
		"is_pattern_guaranteed": get(func(L *lua.LState, q *query) lua.LValue {
			return lua.LBool(q.c.IsPatternGuaranteedAtStep(uint(position(L, 2))))
		}),
		"capture_name_for_id": get(func(L *lua.LState, q *query) lua.LValue {
			if i, ok := index32(L, 2); ok && int(i) < len(q.c.CaptureNames()) {
				return lua.LString(q.c.CaptureNames()[i])
			}
			return lua.LNil
		}),
		"capture_index_for_name": get(func(L *lua.LState, q *query) lua.LValue {
			if i := q.capture(L.CheckString(2)); i >= 0 {
				return lua.LNumber(i)
			}
			return lua.LNil
		}),
		"capture_quantifier": get(func(L *lua.LState, q *query) lua.LValue {
			p, ok := index32(L, 2)
			c, ok2 := index32(L, 3)
			if !ok || !ok2 || uint(p) >= q.c.PatternCount() || int(c) >= len(q.c.CaptureNames()) {
				return lua.LNil
			}
			return lua.LNumber(q.c.CaptureQuantifiers(uint(p))[c])
		}),
		"get_property_predicates": ofPattern(func(q *query, i uint) lua.LValue {
			list := q.c.PropertyPredicates(i)
			t := engine.NewArray(len(list))
			for k, p := range list {
				e := property(p.Property)
				e.RawSetString("positive", lua.LBool(p.Positive))
				t.RawSetInt(k+1, e)
			}
			return t
		}),
		"get_property_settings": ofPattern(func(q *query, i uint) lua.LValue {
			list := q.c.PropertySettings(i)
			t := engine.NewArray(len(list))
			for k, p := range list {
				t.RawSetInt(k+1, property(p))
			}
			return t
		}),
		"get_text_predicates": ofPattern(textPredicates),
	}
}

// capture returns the index of a capture, -1 when there is none of that name.
func (q *query) capture(name string) int {
	if i, ok := q.c.CaptureIndexForName(name); ok {
		return int(i)
	}
	return -1
}

func property(p ts.QueryProperty) *lua.LTable {
	t := engine.NewObject(4)
	t.RawSetString("key", lua.LString(p.Key))
	if p.Value != nil {
		t.RawSetString("value", lua.LString(*p.Value))
	}
	if p.CaptureId != nil {
		t.RawSetString("capture_id", lua.LNumber(*p.CaptureId))
	}
	return t
}

// textPredicates implements query:get_text_predicates(i).
func textPredicates(q *query, i uint) lua.LValue {
	list := q.predicates[i]
	t := engine.NewArray(len(list))
	for k, p := range list {
		e := engine.NewObject(5)
		e.RawSetString("type", lua.LNumber(p.Type))
		e.RawSetString("capture_id", lua.LNumber(p.CaptureId))
		e.RawSetString("positive", lua.LBool(p.Positive))
		e.RawSetString("match_all_nodes", lua.LBool(p.MatchAllNodes))
		switch v := p.Value.(type) {
		case uint:
			e.RawSetString("value", lua.LNumber(v))
		case string:
			e.RawSetString("value", lua.LString(v))
		case *regexp.Regexp:
			e.RawSetString("value", lua.LString(v.String()))
		case []string:
			e.RawSetString("value", call.Array(v))
		}
		t.RawSetInt(k+1, e)
	}
	return t
}
