// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"runtime"

	ts "github.com/tree-sitter/go-tree-sitter"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// node is the value behind Node objects. It keeps its tree, which has the text and the memory it points to.
type node struct {
	tree   *tree
	syntax *syntax
	c      ts.Node
}

// check raises when the tree is closed.
func (n *node) check(L *lua.LState) {
	n.tree.check(L)
	if n.syntax.handle.closed.Load() {
		L.RaiseError("tree already closed")
	}
}

// nodeMethod makes a method of a node whose tree is open.
func nodeMethod(fn func(L *lua.LState, n *node) int) lua.LGFunction {
	return func(L *lua.LState) int {
		n := engine.Check[*node](L, 1, "Node")
		n.check(L)
		defer runtime.KeepAlive(n)
		return fn(L, n)
	}
}

func nodeText(get func(n *ts.Node) string) lua.LGFunction {
	return nodeMethod(func(L *lua.LState, n *node) int { return push(L, lua.LString(get(&n.c))) })
}

func nodeBool(get func(n *ts.Node) bool) lua.LGFunction {
	return nodeMethod(func(L *lua.LState, n *node) int { return push(L, lua.LBool(get(&n.c))) })
}

func nodeNumber(get func(n *ts.Node) uint) lua.LGFunction {
	return nodeMethod(func(L *lua.LState, n *node) int { return push(L, lua.LNumber(get(&n.c))) })
}

// related makes a method that returns another node of the same tree, or nil.
func (m *module) related(get func(n *ts.Node) *ts.Node) lua.LGFunction {
	return nodeMethod(func(L *lua.LState, n *node) int { return push(L, m.nodeValue(n, get(&n.c))) })
}

func (m *module) nodeValue(of *node, c *ts.Node) lua.LValue {
	if c == nil {
		return lua.LNil
	}
	return m.nodes.New(&node{tree: of.tree, syntax: of.syntax, c: *c})
}

func (m *module) nodeMethods() map[string]lua.LGFunction {
	kind := nodeText((*ts.Node).Kind)
	return map[string]lua.LGFunction{
		"kind":               kind,
		"type":               kind,
		"grammar_name":       nodeText((*ts.Node).GrammarName),
		"is_named":           nodeBool((*ts.Node).IsNamed),
		"is_extra":           nodeBool((*ts.Node).IsExtra),
		"is_missing":         nodeBool((*ts.Node).IsMissing),
		"has_error":          nodeBool((*ts.Node).HasError),
		"is_error":           nodeBool((*ts.Node).IsError),
		"child_count":        nodeNumber((*ts.Node).ChildCount),
		"named_child_count":  nodeNumber((*ts.Node).NamedChildCount),
		"descendant_count":   nodeNumber((*ts.Node).DescendantCount),
		"start_byte":         nodeNumber((*ts.Node).StartByte),
		"end_byte":           nodeNumber((*ts.Node).EndByte),
		"parent":             m.related((*ts.Node).Parent),
		"next_sibling":       m.related((*ts.Node).NextSibling),
		"prev_sibling":       m.related((*ts.Node).PrevSibling),
		"next_named_sibling": m.related((*ts.Node).NextNamedSibling),
		"prev_named_sibling": m.related((*ts.Node).PrevNamedSibling),
		"to_sexp": nodeMethod(func(L *lua.LState, n *node) int {
			if err := shallow(n.c); err != nil {
				return call.Failed(L, "to_sexp", err)
			}
			return push(L, lua.LString(n.c.ToSexp()))
		}),
		"child": nodeMethod(func(L *lua.LState, n *node) int {
			if i, ok := index32(L, 2); ok && uint(i) < n.c.ChildCount() {
				return push(L, m.nodeValue(n, n.c.Child(uint(i))))
			}
			return push(L, lua.LNil)
		}),
		"named_child": nodeMethod(func(L *lua.LState, n *node) int {
			if i, ok := index32(L, 2); ok && uint(i) < n.c.NamedChildCount() {
				return push(L, m.nodeValue(n, n.c.NamedChild(uint(i))))
			}
			return push(L, lua.LNil)
		}),
		"child_by_field_name": nodeMethod(func(L *lua.LState, n *node) int {
			if id := n.tree.lang.index().fields[L.CheckString(2)]; id != 0 {
				return push(L, m.nodeValue(n, n.c.ChildByFieldId(id)))
			}
			return push(L, lua.LNil)
		}),
		"field_name_for_child": nodeMethod(func(L *lua.LState, n *node) int {
			if i, ok := index32(L, 2); ok && uint(i) < n.c.ChildCount() {
				return push(L, text(n.c.FieldNameForChild(i)))
			}
			return push(L, lua.LNil)
		}),
		"named_descendant_for_point_range": nodeMethod(func(L *lua.LState, n *node) int {
			return push(L, m.nodeValue(n, n.c.NamedDescendantForPointRange(pointArg(L, 2), pointArg(L, 3))))
		}),
		"start_point": nodeMethod(func(L *lua.LState, n *node) int { return push(L, point(n.c.StartPosition())) }),
		"end_point":   nodeMethod(func(L *lua.LState, n *node) int { return push(L, point(n.c.EndPosition())) }),
		"text": nodeMethod(func(L *lua.LState, n *node) int {
			s, ok := slice(call.Optional(L, 2, n.tree.source), &n.c)
			if !ok {
				return call.Invalid(L, "invalid byte range")
			}
			return push(L, lua.LString(s))
		}),
	}
}

// slice returns the text of a node, false when it is not within the source: edits and offsets move nodes.
func slice(source string, n *ts.Node) (string, bool) {
	start, end := n.StartByte(), n.EndByte()
	if start > end || end > uint(len(source)) {
		return "", false
	}
	return source[start:end], true
}
