// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	ts "github.com/tree-sitter/go-tree-sitter"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// module holds the classes of the values the functions make.
type module struct {
	parsers, trees, nodes, queries, cursors, languages *engine.Class
}

// Modules returns the Lua module `treesitter`. No call yields.
func Modules() []engine.Module {
	return []engine.Module{{
		Name:    "treesitter",
		Classes: []string{"encoding", "deterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{}
			m.parsers = b.Type("Parser", m.parserMethods(), nil)
			m.trees = b.Type("Tree", m.treeMethods(), nil)
			m.nodes = b.Type("Node", m.nodeMethods(), nil)
			m.queries = b.Type("Query", m.queryMethods(), nil)
			m.cursors = b.Type("Cursor", m.cursorMethods(), nil)
			m.languages = b.Type("Language", m.languageMethods(), nil)
			b.Func("supported_languages", supportedLanguages)
			b.Func("language", m.language)
			b.Func("parse", m.parse)
			b.Func("parser", m.parser)
			b.Func("query", m.query)
			return nil
		},
	}}
}

// supportedLanguages implements treesitter.supported_languages().
func supportedLanguages(L *lua.LState) int {
	t := engine.NewObject(len(languages()))
	for _, l := range languages() {
		t.RawSetString(l.name, lua.LTrue)
	}
	L.Push(t)
	return 1
}

// language implements treesitter.language(name).
func (m *module) language(L *lua.LState) int {
	name := L.CheckString(1)
	l := languageOf(name)
	if l == nil {
		return unsupported(L, name)
	}
	L.Push(m.languages.New(l))
	return 1
}

func unsupported(L *lua.LState, name string) int {
	return call.Invalid(L, "unsupported language: "+name)
}

// parse implements treesitter.parse(language, code).
func (m *module) parse(L *lua.LState) int {
	if n := L.GetTop(); n != 2 {
		L.RaiseError("parse takes a language and code, got %d arguments", n)
	}
	name, code := L.CheckString(1), L.CheckString(2)
	l := languageOf(name)
	if l == nil {
		return unsupported(L, name)
	}
	open := openOf(engine.From(L))
	p := newParser(open)
	defer p.handle.close()
	p.use(l)
	t, err := p.parse(engine.From(L).Context(), open, code, nil)
	if err != nil {
		return engine.PushError(L, engine.NewError(engine.KindInternal, "failed to parse code").WithCause(err))
	}
	L.Push(m.trees.New(t))
	return 1
}

// query implements treesitter.query(language, pattern).
func (m *module) query(L *lua.LState) int {
	name, pattern := L.CheckString(1), L.CheckString(2)
	l := languageOf(name)
	if l == nil {
		return unsupported(L, name)
	}
	q, err := newQuery(openOf(engine.From(L)), l, pattern)
	if err != nil {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, err.Error()))
	}
	L.Push(m.queries.New(q))
	return 1
}

// point makes the table of a position.
func point(p ts.Point) *lua.LTable {
	t := engine.NewObject(2)
	t.RawSetString("row", lua.LNumber(p.Row))
	t.RawSetString("column", lua.LNumber(p.Column))
	return t
}

// rangeList makes the table of ranges.
func rangeList(list []ts.Range) *lua.LTable {
	t := engine.NewArray(len(list))
	for i, r := range list {
		e := engine.NewObject(4)
		e.RawSetString("start_byte", lua.LNumber(r.StartByte))
		e.RawSetString("end_byte", lua.LNumber(r.EndByte))
		e.RawSetString("start_point", point(r.StartPoint))
		e.RawSetString("end_point", point(r.EndPoint))
		t.RawSetInt(i+1, e)
	}
	return t
}
