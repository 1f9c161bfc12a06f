// SPDX-License-Identifier: Apache-2.0

package text

import (
	"regexp"
	"regexp/syntax"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

const (
	// maxWork is the limit of the number of bytes of a text times the number of instructions of an expression. The
	// slowest matcher of package regexp takes about 5 ns for each: a minute and a half at the limit, within which the
	// process cannot be terminated.
	maxWork = 1 << 34
	// maxMatches is how many strings the functions that find all matches make.
	maxMatches = 1 << 20
	// maxReplaced is how long the result of a replacement may be, the same as for Lua's own string functions.
	maxReplaced = 64 << 20
)

// expression is what is behind a Regexp object. It is immutable.
type expression struct {
	*regexp.Regexp
	size int // instructions
}

func compile(pattern string) (expression, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return expression{}, err
	}
	// The size is not to be had from the package itself.
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return expression{}, err
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return expression{}, err
	}
	return expression{re, len(prog.Inst)}, nil
}

func buildRegexp(b *engine.Builder) {
	class := b.Type("Regexp", map[string]lua.LGFunction{
		"match_string":             matchString,
		"find_string":              findString,
		"find_all_string":          findAllString,
		"find_string_submatch":     findSubmatch,
		"find_all_string_submatch": findAllSubmatch,
		"find_string_index":        findIndex,
		"find_all_string_index":    findAllIndex,
		"replace_all_string":       replaceAll,
		"split":                    split,
		"num_subexp":               numSubexp,
		"subexp_names":             subexpNames,
		"string":                   source,
	}, map[string]lua.LGFunction{"__tostring": source})
	b.Table("regexp").Func("compile", func(L *lua.LState) int {
		e, err := compile(L.CheckString(1))
		if err != nil {
			return call.Refused(L, "regex compile error", err)
		}
		return call.Value(L, class.New(e))
	})
}

// arguments takes the expression and the text. It raises an error when matching them might take too long.
func arguments(L *lua.LState) (expression, string) {
	e, s := engine.Check[expression](L, 1, "Regexp"), L.CheckString(2)
	if len(s) > maxWork/e.size {
		L.RaiseError("text of %d bytes is too long for an expression of %d instructions", len(s), e.size)
	}
	return e, s
}

func answer(L *lua.LState, v lua.LValue) int {
	L.Push(v)
	return 1
}

func matchString(L *lua.LState) int {
	e, s := arguments(L)
	return answer(L, lua.LBool(e.MatchString(s)))
}

func findString(L *lua.LState) int {
	e, s := arguments(L)
	if found := e.FindString(s); found != "" {
		return answer(L, lua.LString(found))
	}
	return answer(L, lua.LNil)
}

// all finds all matches, as index pairs of the match and of its groups. It raises an error when there are too many
// to be turned into strings.
func all(L *lua.LState) (e expression, s string, matches [][]int) {
	e, s = arguments(L)
	limit := maxMatches / (1 + e.NumSubexp())
	matches = e.FindAllStringSubmatchIndex(s, limit+1)
	if len(matches) > limit {
		L.RaiseError("text has more than %d matches", limit)
	}
	return e, s, matches
}

// list makes the array of the values of all matches.
func list(matches [][]int, value func(m []int) lua.LValue) *lua.LTable {
	t := engine.NewArray(len(matches))
	for i, m := range matches {
		t.RawSetInt(i+1, value(m))
	}
	return t
}

func findAllString(L *lua.LState) int {
	_, s, matches := all(L)
	return answer(L, list(matches, func(m []int) lua.LValue { return lua.LString(s[m[0]:m[1]]) }))
}

// groups is the array of a match and its groups. A group that took no part is "".
func groups(s string, m []int) lua.LValue {
	t := engine.NewArray(len(m) / 2)
	for i := 0; i < len(m); i += 2 {
		text := ""
		if m[i] >= 0 {
			text = s[m[i]:m[i+1]]
		}
		t.RawSetInt(i/2+1, lua.LString(text))
	}
	return t
}

func findSubmatch(L *lua.LState) int {
	e, s := arguments(L)
	m := e.FindStringSubmatchIndex(s)
	if m == nil {
		return answer(L, lua.LNil)
	}
	return answer(L, groups(s, m))
}

func findAllSubmatch(L *lua.LState) int {
	_, s, matches := all(L)
	return answer(L, list(matches, func(m []int) lua.LValue { return groups(s, m) }))
}

// bounds is the pair of the first and the last byte of a match, as string.sub takes them.
func bounds(m []int) lua.LValue {
	t := engine.NewArray(2)
	t.RawSetInt(1, lua.LNumber(m[0]+1))
	t.RawSetInt(2, lua.LNumber(m[1]))
	return t
}

func findIndex(L *lua.LState) int {
	e, s := arguments(L)
	m := e.FindStringIndex(s)
	if m == nil {
		return answer(L, lua.LNil)
	}
	return answer(L, bounds(m))
}

func findAllIndex(L *lua.LState) int {
	_, _, matches := all(L)
	if matches == nil {
		return answer(L, lua.LNil)
	}
	return answer(L, list(matches, bounds))
}

func replaceAll(L *lua.LState) int {
	e, s := arguments(L)
	template := L.CheckString(3)
	// Most results cannot become too long: each $ stands for at most the whole match, and all matches together are
	// at most the text.
	dollars := strings.Count(template, "$")
	if len(s)+1 <= maxReplaced/(1+dollars+len(template)) {
		return answer(L, lua.LString(e.ReplaceAllString(s, template)))
	}
	_, _, matches := all(L)
	var out []byte
	at := 0
	for _, m := range matches {
		out = append(out, s[at:m[0]]...)
		if len(out)+len(template)+dollars*(m[1]-m[0]) > maxReplaced {
			L.RaiseError("resulting string too large")
		}
		out = e.ExpandString(out, template, s, m)
		at = m[1]
	}
	if out = append(out, s[at:]...); len(out) > maxReplaced {
		L.RaiseError("resulting string too large")
	}
	return answer(L, lua.LString(out))
}

// split implements re:split(s, n).
func split(L *lua.LState) int {
	e, s := arguments(L)
	n := -1
	if v := L.Get(3); v != lua.LNil {
		n = whole(max(float64(L.CheckNumber(3)), -1), maxMatches)
	}
	if n < 0 {
		parts := e.Split(s, maxMatches+1)
		if len(parts) > maxMatches {
			L.RaiseError("text has more than %d parts", maxMatches)
		}
		return answer(L, call.Array(parts))
	}
	return answer(L, call.Array(e.Split(s, n)))
}

func numSubexp(L *lua.LState) int {
	return answer(L, lua.LNumber(engine.Check[expression](L, 1, "Regexp").NumSubexp()))
}

func subexpNames(L *lua.LState) int {
	return answer(L, call.Array(engine.Check[expression](L, 1, "Regexp").SubexpNames()))
}

func source(L *lua.LState) int {
	return answer(L, lua.LString(engine.Check[expression](L, 1, "Regexp").String()))
}
