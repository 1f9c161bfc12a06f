// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// buildString fills the global string. Its functions take error objects wherever
// they take strings.
func buildString(b *Builder) {
	for name, fn := range map[string]lua.LGFunction{
		"byte": strByte, "char": strChar, "find": strFind, "format": strFormat, "gsub": strGsub,
		"gmatch": strGmatch, "gfind": strGmatch, "match": strMatch, "len": strLen, "rep": strRep,
		"pack": strPack, "unpack": strUnpack, "packsize": strPacksize,
		"lower":   mapString(strings.ToLower),
		"upper":   mapString(strings.ToUpper),
		"reverse": mapString(reverse),
		"sub":     strSub,
		"dump":    func(L *lua.LState) int { L.RaiseError("unable to dump given function"); return 0 },
	} {
		b.Func(name, errorsAsStrings(fn))
	}
	// A type cast: string(v) returns v when it is a string.
	b.Call(func(L *lua.LState) int {
		v := L.Get(2)
		if _, ok := v.(lua.LString); !ok {
			L.RaiseError("expected string, got %s", typeName(v))
		}
		L.Push(v)
		return 1
	})
}

// errorsAsStrings lets fn see the messages of error objects among its arguments.
func errorsAsStrings(fn lua.LGFunction) lua.LGFunction {
	return func(L *lua.LState) int {
		for i := L.GetTop(); i > 0; i-- {
			if err, ok := AsError(L.Get(i)); ok {
				L.Replace(i, lua.LString(err.Error()))
			}
		}
		return fn(L)
	}
}

func mapString(fn func(string) string) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LString(fn(L.CheckString(1))))
		return 1
	}
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

func strLen(L *lua.LState) int {
	L.Push(lua.LNumber(len(L.CheckString(1))))
	return 1
}

// span turns Lua's inclusive positions, which may count from the end, into Go's.
func span(n, i, j int) (from, to int) {
	if i < 0 {
		i = max(n+i+1, 1)
	} else if i == 0 {
		i = 1
	}
	if j < 0 {
		j = n + j + 1
	} else if j > n {
		j = n
	}
	if i > j {
		return 0, 0
	}
	return i - 1, j
}

func optInt(L *lua.LState, n, def int) int {
	if L.Get(n) == lua.LNil {
		return def
	}
	return int(L.CheckNumber(n))
}

func strSub(L *lua.LState) int {
	s := L.CheckString(1)
	from, to := span(len(s), int(L.CheckNumber(2)), optInt(L, 3, -1))
	L.Push(lua.LString(s[from:to]))
	return 1
}

func strByte(L *lua.LState) int {
	s := L.CheckString(1)
	i := optInt(L, 2, 1)
	from, to := span(len(s), i, optInt(L, 3, i))
	if to-from > From(L).engine.maxRegister/2 {
		L.RaiseError("string slice too long")
	}
	for _, c := range []byte(s[from:to]) {
		L.Push(lua.LNumber(c))
	}
	return to - from
}

func strChar(L *lua.LState) int {
	b := make([]byte, L.GetTop())
	for i := range b {
		n := int(L.CheckNumber(i + 1))
		if n < 0 || n > 255 {
			L.ArgError(i+1, "invalid value")
		}
		b[i] = byte(n)
	}
	L.Push(lua.LString(b))
	return 1
}

func strRep(L *lua.LState) int {
	s, n := L.CheckString(1), int(L.CheckNumber(2))
	if n <= 0 || s == "" {
		L.Push(lua.LString(""))
		return 1
	}
	checkSize(L, n, len(s))
	L.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

// checkSize raises when n items of a size would make too large a string.
func checkSize(L *lua.LState, n, size int) {
	if limit := From(L).engine.maxString; n > limit/max(size, 1) {
		L.RaiseError("resulting string too large")
	}
}

// newMatcher makes a matcher that the process's termination interrupts.
func newMatcher(L *lua.LState, src, pat string) *matcher {
	p := From(L)
	return &matcher{src: src, pat: pat, poll: func() bool { return !p.stopping() }}
}

// patternErrors turns what the matcher panics with into Lua errors.
func patternErrors(L *lua.LState) {
	switch v := recover().(type) {
	case nil:
	case patternError:
		L.RaiseError("%s", string(v))
	default:
		panic(v)
	}
}

// value returns capture i as a Lua value; whole stands in when the pattern has no
// captures.
func (m *matcher) value(i int, whole string) lua.LValue {
	if i >= m.level {
		if i != 0 {
			m.fail("invalid capture index")
		}
		return lua.LString(whole)
	}
	c := m.captures[i]
	switch c.length {
	case captureOpen:
		m.fail("unfinished capture")
	case capturePosition:
		return lua.LNumber(c.start + 1)
	}
	return lua.LString(m.src[c.start : c.start+c.length])
}

// push pushes all captures, or the whole match when there are none.
func (m *matcher) push(L *lua.LState, whole string) int {
	n := max(m.level, 1)
	for i := range n {
		L.Push(m.value(i, whole))
	}
	return n
}

// startIndex reads the optional start position of find and match.
func startIndex(L *lua.LState, n, length int) (int, bool) {
	init := optInt(L, n, 1)
	if init < 0 {
		init = max(length+init+1, 1)
	} else if init == 0 {
		init = 1
	}
	return init - 1, init-1 <= length
}

func strFind(L *lua.LState) int {
	defer patternErrors(L)
	s, pat := L.CheckString(1), L.CheckString(2)
	init, ok := startIndex(L, 3, len(s))
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	if L.ToBool(4) || !strings.ContainsAny(pat, "^$*+?.([%-") {
		i := strings.Index(s[init:], pat)
		if i < 0 {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(lua.LNumber(init + i + 1))
		L.Push(lua.LNumber(init + i + len(pat)))
		return 2
	}
	m := newMatcher(L, s, pat)
	start, end, ok := m.find(init)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(start + 1))
	L.Push(lua.LNumber(end))
	if m.level == 0 {
		return 2
	}
	return 2 + m.push(L, "")
}

func strMatch(L *lua.LState) int {
	defer patternErrors(L)
	s := L.CheckString(1)
	m := newMatcher(L, s, L.CheckString(2))
	init, ok := startIndex(L, 3, len(s))
	if ok {
		var start, end int
		if start, end, ok = m.find(init); ok {
			return m.push(L, s[start:end])
		}
	}
	L.Push(lua.LNil)
	return 1
}

func strGmatch(L *lua.LState) int {
	s, pat := L.CheckString(1), L.CheckString(2)
	at := 0
	// A leading '^' is no anchor here.
	if strings.HasPrefix(pat, "^") {
		pat = "%" + pat
	}
	L.Push(goFunction(func(L *lua.LState) int {
		defer patternErrors(L)
		if at <= len(s) {
			m := newMatcher(L, s, pat)
			if start, end, ok := m.find(at); ok {
				if at = end; end == start {
					at++
				}
				return m.push(L, s[start:end])
			}
			at = len(s) + 1
		}
		L.Push(lua.LNil)
		return 1
	}))
	return 1
}
