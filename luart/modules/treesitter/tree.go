// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	ts "github.com/tree-sitter/go-tree-sitter"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// tree is the value behind Tree objects.
type tree struct {
	open   *open
	lang   *language
	source string
	syntax *syntax
}

// syntax is a tree in C. An edit changes the memory that nodes and cursors point to, so that once there are some a
// copy is edited; what does not change is shared by the two.
type syntax struct {
	handle *handle
	c      *ts.Tree
	seen   bool // there are nodes or cursors of it
}

func newSyntax(o *open, c *ts.Tree, cost int) *syntax {
	s := &syntax{c: c}
	s.handle = own(o, s, cost, c.Close)
	return s
}

// editCost is what a copy for an edit takes, roughly: the way from the root to the place.
const editCost = 4 << 10

func newTree(o *open, l *language, c *ts.Tree, source string) *tree {
	return &tree{open: o, lang: l, source: source, syntax: newSyntax(o, c, len(source))}
}

// check raises when the tree is closed.
func (t *tree) check(L *lua.LState) {
	if t.syntax.handle.closed.Load() {
		L.RaiseError("tree already closed")
	}
}

// root returns the root node, moved by an offset.
func (t *tree) root() ts.Node {
	t.syntax.seen = true
	return *t.syntax.c.RootNode()
}

func (t *tree) copy() *tree {
	return &tree{open: t.open, lang: t.lang, source: t.source, syntax: newSyntax(t.open, t.syntax.c.Clone(), editCost)}
}

// treeMethod makes a method of a tree that is open.
func treeMethod(fn func(L *lua.LState, t *tree) int) lua.LGFunction {
	return func(L *lua.LState) int {
		t := engine.Check[*tree](L, 1, "Tree")
		t.check(L)
		defer runtime.KeepAlive(t)
		return fn(L, t)
	}
}

func (m *module) treeMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"root_node": treeMethod(func(L *lua.LState, t *tree) int {
			return push(L, m.nodes.New(&node{tree: t, syntax: t.syntax, c: t.root()}))
		}),
		"root_node_with_offset": treeMethod(func(L *lua.LState, t *tree) int {
			bytes, at := position(L, 2), pointArg(L, 3)
			t.syntax.seen = true
			c := t.syntax.c.RootNodeWithOffset(int(bytes), at)
			return push(L, m.nodes.New(&node{tree: t, syntax: t.syntax, c: *c}))
		}),
		"language": treeMethod(func(L *lua.LState, t *tree) int { return push(L, m.languages.New(t.lang)) }),
		"copy": treeMethod(func(L *lua.LState, t *tree) int {
			if err := t.open.room(editCost); err != nil {
				return call.Failed(L, "copy", err)
			}
			return push(L, m.trees.New(t.copy()))
		}),
		"walk": treeMethod(func(L *lua.LState, t *tree) int {
			return push(L, m.cursors.New(newCursor(&node{tree: t, syntax: t.syntax, c: t.root()})))
		}),
		"edit":           treeMethod(treeEdit),
		"changed_ranges": treeMethod(changedRanges),
		"included_ranges": treeMethod(func(L *lua.LState, t *tree) int {
			return push(L, rangeList(t.syntax.c.IncludedRanges()))
		}),
		"dot_graph": treeMethod(func(L *lua.LState, t *tree) int {
			graph, err := t.dotGraph()
			if err != nil {
				return call.Failed(L, "dot graph", err)
			}
			return push(L, lua.LString(graph))
		}),
		"close": func(L *lua.LState) int {
			engine.Check[*tree](L, 1, "Tree").syntax.handle.close()
			return 0
		},
	}
}

// changedRanges implements tree:changed_ranges(other).
func changedRanges(L *lua.LState, t *tree) int {
	other := engine.Check[*tree](L, 2, "Tree")
	other.check(L)
	if other.lang != t.lang {
		return call.Invalid(L, errLanguage.Error())
	}
	list := t.syntax.c.ChangedRanges(other.syntax.c)
	runtime.KeepAlive(other)
	return push(L, rangeList(list))
}

var editFields = []string{
	"start_byte", "old_end_byte", "new_end_byte",
	"start_row", "start_column", "old_end_row", "old_end_column", "new_end_row", "new_end_column",
}

// maxPosition bounds what an edit may say: sums of some of them still fit into C's type.
const maxPosition = 1 << 30

// treeEdit implements tree:edit(t).
func treeEdit(L *lua.LState, t *tree) int {
	values, err := numbers(L.CheckTable(2), editFields)
	if err != nil {
		return failed(L, err.Error())
	}
	var v [9]uint
	for i, f := range values {
		u, ok := uint32Of(f)
		if !ok || f < 0 || u > maxPosition {
			if i < 3 {
				return failed(L, "invalid byte position")
			}
			return failed(L, "invalid point position")
		}
		v[i] = uint(u)
	}
	if v[1] < v[0] || v[2] < v[0] {
		return failed(L, "invalid byte position")
	}
	if before(v[5], v[6], v[3], v[4]) || before(v[7], v[8], v[3], v[4]) {
		return failed(L, "invalid point position")
	}
	if err := t.edit(ts.InputEdit{
		StartByte: v[0], OldEndByte: v[1], NewEndByte: v[2],
		StartPosition: ts.NewPoint(v[3], v[4]), OldEndPosition: ts.NewPoint(v[5], v[6]), NewEndPosition: ts.NewPoint(v[7], v[8]),
	}); err != nil {
		L.Push(lua.LFalse)
		L.Push(engine.ErrorValue(call.Fault(engine.KindInternal, "edit", err)))
		return 2
	}
	return push(L, lua.LTrue)
}

// before reports whether the first position is before the second one.
func before(row, column, row2, column2 uint) bool {
	return row < row2 || row == row2 && column < column2
}

func (t *tree) edit(e ts.InputEdit) error {
	if !t.syntax.seen {
		t.syntax.c.Edit(&e)
		return nil
	}
	if err := t.open.room(editCost); err != nil {
		return err
	}
	s := newSyntax(t.open, t.syntax.c.Clone(), t.syntax.handle.cost+editCost)
	s.c.Edit(&e)
	t.syntax = s
	return nil
}

// maxDepth is how deep a tree may be for its text forms, which C makes with a recursive function.
const maxDepth = 1000

var errDepth = fmt.Errorf("the tree is more than %d levels deep", maxDepth)

// shallow fails when there are more than maxDepth levels below a node.
func shallow(n ts.Node) error {
	c := n.Walk()
	defer c.Close()
	for {
		if c.GotoFirstChild() {
			if c.Depth() > maxDepth {
				return errDepth
			}
			continue
		}
		for !c.GotoNextSibling() {
			if !c.GotoParent() {
				return nil
			}
		}
	}
}

// maxGraph is how long the text of a graph may be.
const maxGraph = 64 << 20

// dotGraph returns the tree as a graph in the DOT language. C writes it to a file.
func (t *tree) dotGraph() (string, error) {
	if err := shallow(t.root()); err != nil {
		return "", err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	var text []byte
	done := make(chan error, 1)
	go func() {
		defer r.Close()
		var err error
		text, err = io.ReadAll(io.LimitReader(r, maxGraph+1))
		if len(text) > maxGraph {
			_, _ = io.Copy(io.Discard, r) // else C waits for ever
			err = errors.Join(err, fmt.Errorf("the graph has more than %d bytes", maxGraph))
		}
		done <- err
	}()
	t.syntax.c.PrintDotGraph(int(w.Fd()))
	err = errors.Join(w.Close(), <-done)
	return string(text), err
}
