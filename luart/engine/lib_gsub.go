// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// substitution is a string.gsub on its way. With a function to call for every
// match it is driven from Lua (gsubStub), so that the function may yield.
type substitution struct {
	m     *matcher
	out   strings.Builder
	at    int // where to look next
	count int
	limit int
	start int // of the match that waits for its replacement
	end   int
	done  bool
	size  int
}

// gsubStub calls the function for every match, as an ordinary call.
var gsubStub = stub(`local step = ... return function(state, fn, step)
	local value
	while step(state, value) do
		value = fn(state())
	end
	return state(true)
end`)

func strGsub(L *lua.LState) int {
	defer patternErrors(L)
	src, pat := L.CheckString(1), L.CheckString(2)
	repl := L.Get(3)
	p := From(L)
	g := &substitution{m: newMatcher(L, src, pat), limit: len(src) + 1, size: p.engine.maxString}
	if n := L.Get(4); n != lua.LNil {
		g.limit = int(L.CheckNumber(4))
	}
	switch r := repl.(type) {
	case lua.LString:
		g.all(L, func(whole string) lua.LValue { return lua.LString(g.expand(L, string(r), whole)) })
	case lua.LNumber:
		g.all(L, func(whole string) lua.LValue { return lua.LString(g.expand(L, r.String(), whole)) })
	case *lua.LTable:
		g.all(L, func(whole string) lua.LValue { return L.GetTable(r, g.m.value(0, whole)) })
	case *lua.LFunction:
		return g.call(L, p, r)
	default:
		L.ArgError(3, "string/function/table expected, got "+typeName(repl))
	}
	L.Push(lua.LString(g.out.String()))
	L.Push(lua.LNumber(g.count))
	return 2
}

// next finds the next match and copies what lies before it.
func (g *substitution) next() bool {
	if start, end, ok := g.search(); ok {
		g.out.WriteString(g.m.src[g.at:start])
		g.start, g.end = start, end
		g.count++
		if g.at = end; start == end {
			// An empty match: put copies the character after it.
			g.at++
		}
		if strings.HasPrefix(g.m.pat, "^") {
			g.done = true
		}
		return true
	}
	if g.at <= len(g.m.src) {
		g.out.WriteString(g.m.src[g.at:])
		g.at = len(g.m.src) + 1
	}
	g.done = true
	return false
}

// search looks for a match unless the substitution is over.
func (g *substitution) search() (start, end int, ok bool) {
	if g.done || g.count >= g.limit || g.at > len(g.m.src) {
		return 0, 0, false
	}
	return g.m.find(g.at)
}

// put appends the replacement of the current match.
func (g *substitution) put(L *lua.LState, v lua.LValue) {
	whole := g.m.src[g.start:g.end]
	switch v := v.(type) {
	case lua.LString, lua.LNumber:
		g.out.WriteString(v.String())
	default:
		if err, ok := AsError(v); ok {
			g.out.WriteString(err.Error())
		} else if lua.LVIsFalse(v) {
			g.out.WriteString(whole)
		} else {
			L.RaiseError("invalid replacement value (a %s)", typeName(v))
		}
	}
	if g.start == g.end && g.end < len(g.m.src) {
		g.out.WriteByte(g.m.src[g.end])
	}
	if g.out.Len() > g.size {
		L.RaiseError("resulting string too large")
	}
}

func (g *substitution) all(L *lua.LState, replace func(whole string) lua.LValue) {
	for g.next() {
		g.put(L, replace(g.m.src[g.start:g.end]))
	}
}

// expand fills the captures into a replacement string.
func (g *substitution) expand(L *lua.LState, repl, whole string) string {
	if !strings.Contains(repl, "%") {
		return repl
	}
	var b strings.Builder
	for i := 0; i < len(repl); i++ {
		c := repl[i]
		if c != '%' {
			b.WriteByte(c)
			continue
		}
		i++
		switch {
		case i >= len(repl):
			b.WriteByte('%')
		case !isDigit(repl[i]):
			b.WriteByte(repl[i])
		case repl[i] == '0':
			b.WriteString(whole)
		default:
			b.WriteString(g.m.value(int(repl[i]-'1'), whole).String())
		}
	}
	return b.String()
}

// call runs the substitution with a function. Where the caller can be suspended it
// goes on in gsubStub; elsewhere the function is called from here.
func (g *substitution) call(L *lua.LState, p *Process, fn *lua.LFunction) int {
	if vm.nested(L) {
		g.all(L, func(whole string) lua.LValue {
			L.Push(fn)
			L.Call(g.m.push(L, whole), 1)
			v := L.Get(-1)
			L.Pop(1)
			return v
		})
		L.Push(lua.LString(g.out.String()))
		L.Push(lua.LNumber(g.count))
		return 2
	}
	// state() returns the captures of the current match, state(true) the result.
	state := goFunction(func(L *lua.LState) int {
		defer patternErrors(L)
		if L.ToBool(1) {
			L.Push(lua.LString(g.out.String()))
			L.Push(lua.LNumber(g.count))
			return 2
		}
		return g.m.push(L, g.m.src[g.start:g.end])
	})
	first := true
	step := goFunction(func(L *lua.LState) int {
		defer patternErrors(L)
		if !first {
			g.put(L, L.Get(2))
		}
		first = false
		L.Push(lua.LBool(g.next()))
		return 1
	})
	L.SetTop(0)
	L.Push(gsubStub)
	L.Push(state)
	L.Push(fn)
	L.Push(step)
	return suspend(L, coroutineOf(L), request{kind: reqCall, frame: framePlain})
}
