// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"math"
	"runtime"

	ts "github.com/tree-sitter/go-tree-sitter"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// cursor is the value behind Cursor objects.
type cursor struct {
	handle *handle
	c      *ts.TreeCursor
	root   *node // where it was set to; it does not leave what is below
}

func newCursor(root *node) *cursor { return ownCursor(root, root.c.Walk()) }

func ownCursor(root *node, c *ts.TreeCursor) *cursor {
	cur := &cursor{c: c, root: root}
	cur.handle = own(root.tree.open, cur, 0, c.Close)
	return cur
}

// check raises when the cursor or its tree is closed.
func (c *cursor) check(L *lua.LState) {
	if c.handle.closed.Load() {
		L.RaiseError("TreeCursor is closed")
	}
	c.root.check(L)
}

func cursorMethod(fn func(L *lua.LState, c *cursor) int) lua.LGFunction {
	return func(L *lua.LState) int {
		c := engine.Check[*cursor](L, 1, "Cursor")
		if c.handle.closed.Load() {
			L.RaiseError("TreeCursor is closed")
		}
		defer runtime.KeepAlive(c)
		return fn(L, c)
	}
}

// onTree makes a method that needs the cursor's tree.
func onTree(fn func(L *lua.LState, c *cursor) int) lua.LGFunction {
	return cursorMethod(func(L *lua.LState, c *cursor) int {
		c.root.check(L)
		return fn(L, c)
	})
}

func cursorMove(move func(c *ts.TreeCursor) bool) lua.LGFunction {
	return onTree(func(L *lua.LState, c *cursor) int { return push(L, lua.LBool(move(c.c))) })
}

func cursorNumber(get func(c *ts.TreeCursor) uint32) lua.LGFunction {
	return onTree(func(L *lua.LState, c *cursor) int { return push(L, lua.LNumber(get(c.c))) })
}

func (m *module) cursorMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"current_node": onTree(func(L *lua.LState, c *cursor) int {
			return push(L, m.nodeValue(c.root, c.c.Node()))
		}),
		"current_field_id": onTree(func(L *lua.LState, c *cursor) int { return push(L, lua.LNumber(c.c.FieldId())) }),
		"current_field_name": onTree(func(L *lua.LState, c *cursor) int {
			return push(L, text(c.c.FieldName()))
		}),
		"current_depth":            cursorNumber((*ts.TreeCursor).Depth),
		"current_descendant_index": cursorNumber((*ts.TreeCursor).DescendantIndex),
		"goto_parent":              cursorMove((*ts.TreeCursor).GotoParent),
		"goto_first_child":         cursorMove((*ts.TreeCursor).GotoFirstChild),
		"goto_last_child":          cursorMove((*ts.TreeCursor).GotoLastChild),
		"goto_next_sibling":        cursorMove((*ts.TreeCursor).GotoNextSibling),
		"goto_previous_sibling":    cursorMove((*ts.TreeCursor).GotoPreviousSibling),
		"goto_descendant": onTree(func(L *lua.LState, c *cursor) int {
			i := position(L, 2)
			if uint(i) >= c.root.c.DescendantCount() {
				L.ArgError(2, "no such descendant")
			}
			c.c.GotoDescendant(i)
			return 0
		}),
		"goto_first_child_for_byte": onTree(func(L *lua.LState, c *cursor) int {
			return push(L, childIndex(c.c.GotoFirstChildForByte(position(L, 2))))
		}),
		"goto_first_child_for_point": onTree(func(L *lua.LState, c *cursor) int {
			return push(L, childIndex(c.c.GotoFirstChildForPoint(pointArg(L, 2))))
		}),
		"reset": cursorMethod(func(L *lua.LState, c *cursor) int {
			n := engine.Check[*node](L, 2, "Node")
			n.check(L)
			c.c.Reset(n.c)
			c.root = n
			return 0
		}),
		"reset_to": cursorMethod(func(L *lua.LState, c *cursor) int {
			to := engine.Check[*cursor](L, 2, "Cursor")
			to.check(L)
			if to != c { // C empties the one before it copies the other
				c.c.ResetTo(to.c)
				c.root = to.root
			}
			return 0
		}),
		"copy": onTree(func(L *lua.LState, c *cursor) int {
			return push(L, m.cursors.New(ownCursor(c.root, c.c.Copy())))
		}),
		"close": func(L *lua.LState) int {
			engine.Check[*cursor](L, 1, "Cursor").handle.close()
			return 0
		},
	}
}

func childIndex(i *uint) lua.LValue {
	if i == nil {
		return lua.LNil
	}
	return lua.LNumber(*i)
}

// languageMethods are the methods of Language objects, which are never closed.
func (m *module) languageMethods() map[string]lua.LGFunction {
	method := func(fn func(L *lua.LState, l *language) lua.LValue) lua.LGFunction {
		return func(L *lua.LState) int { return push(L, fn(L, engine.Check[*language](L, 1, "Language"))) }
	}
	// known returns argument 2 when it is the id of a kind.
	known := func(L *lua.LState, l *language) (uint16, bool) {
		id, ok := index32(L, 2)
		return uint16(id), ok && (id < l.lang.NodeKindCount() || id == errorKind)
	}
	return map[string]lua.LGFunction{
		"version":           method(func(_ *lua.LState, l *language) lua.LValue { return lua.LNumber(l.lang.AbiVersion()) }),
		"node_kind_count":   method(func(_ *lua.LState, l *language) lua.LValue { return lua.LNumber(l.lang.NodeKindCount()) }),
		"parse_state_count": method(func(_ *lua.LState, l *language) lua.LValue { return lua.LNumber(l.lang.ParseStateCount()) }),
		"field_count":       method(func(_ *lua.LState, l *language) lua.LValue { return lua.LNumber(l.lang.FieldCount()) }),
		"node_kind_for_id": method(func(L *lua.LState, l *language) lua.LValue {
			if id, ok := known(L, l); ok {
				return lua.LString(l.lang.NodeKindForId(id))
			}
			return lua.LNil
		}),
		"node_kind_is_named": method(func(L *lua.LState, l *language) lua.LValue {
			id, ok := known(L, l)
			return lua.LBool(ok && l.lang.NodeKindIsNamed(id))
		}),
		"id_for_node_kind": method(func(L *lua.LState, l *language) lua.LValue {
			return lua.LNumber(l.index().kinds[kind{L.CheckString(2), L.CheckBool(3)}])
		}),
		"field_name_for_id": method(func(L *lua.LState, l *language) lua.LValue {
			if id, ok := index32(L, 2); ok && id > 0 && id <= min(l.lang.FieldCount(), math.MaxUint16) {
				return text(l.lang.FieldNameForId(uint16(id)))
			}
			return lua.LNil
		}),
		"field_id_for_name": method(func(L *lua.LState, l *language) lua.LValue {
			return lua.LNumber(l.index().fields[L.CheckString(2)])
		}),
	}
}

// nodeArg returns argument n when it is a node, whose tree must be open.
func nodeArg(L *lua.LState, n int) (*node, bool) {
	ud, ok := L.Get(n).(*lua.LUserData)
	if !ok {
		return nil, false
	}
	nd, ok := ud.Value.(*node)
	if ok {
		nd.check(L)
	}
	return nd, ok
}

// notANode answers that an argument is no node.
func notANode(L *lua.LState) int { return call.Invalid(L, "Node expected") }
