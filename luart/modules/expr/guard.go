// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/vm/runtime"
)

// The library bounds the number of parts of an expression and of the elements that some of its functions make. The
// rest is done here: guard puts a meter behind every loop, behind every function that makes something, and in front
// of those that walk through whole values.

// The functions that are put into expressions have names that cannot be written.
const (
	stepName    = "\x00step"
	chargeName  = "\x00charge"
	boundedName = "\x00bounded"
	shortName   = "\x00short"
)

// maxMatched is the longest text that an expression with matches looks at, in bytes: patterns may come from anywhere.
const maxMatched = 1 << 20

// maxUniq is the longest list for uniq, which compares each element with all others.
const maxUniq = 20_000

// check is a function that returns its argument when f finds nothing wrong with it.
func check(name string, f func(v any) error) *builtin.Function {
	return &builtin.Function{
		Name: name,
		Func: func(args ...any) (any, error) { return args[0], f(args[0]) },
		Validate: func(args []reflect.Type) (reflect.Type, error) {
			return args[0], nil
		},
	}
}

func guard(c *conf.Config, m *meter) {
	for _, f := range []*builtin.Function{
		{Name: stepName, Func: func(...any) (any, error) { return nil, m.step() }, Types: []reflect.Type{reflect.TypeFor[func() any]()}},
		check(chargeName, m.charge),
		check(boundedName, m.bounded),
		check(shortName, func(v any) error {
			if s, ok := v.(string); ok && len(s) > maxMatched {
				return fmt.Errorf("text of %d bytes is too long for matches", len(s))
			}
			return nil
		}),
	} {
		c.Functions[f.Name] = f
	}
	for _, f := range builtin.Builtins {
		if before, ok := guarded[f.Name]; ok {
			c.Functions[f.Name] = metered(f, m, before)
		}
	}
	c.Visitors = append(c.Visitors, patcher{})
}

// metered is a function of the library with a check before it, and its result charged to the meter.
func metered(f *builtin.Function, m *meter, before func(m *meter, args []any) error) *builtin.Function {
	call := f.Func
	switch {
	case f.Fast != nil:
		call = func(args ...any) (any, error) { return f.Fast(args[0]), nil }
	case f.Safe != nil:
		call = func(args ...any) (any, error) {
			out, _, err := f.Safe(args...)
			return out, err
		}
	}
	return &builtin.Function{
		Name: f.Name, Types: f.Types, Validate: f.Validate, Deref: f.Deref,
		Func: func(args ...any) (any, error) {
			if err := before(m, args); err != nil {
				return nil, err
			}
			out, err := call(args...)
			if err != nil {
				return nil, err
			}
			return out, m.charge(out)
		},
	}
}

// guarded are the functions that make something, with what is checked first: that what they make will not be far
// beyond the budget, and that what they walk through has an end.
var guarded = map[string]func(m *meter, args []any) error{
	"upper": anything, "lower": anything, "toBase64": anything, "fromBase64": anything,
	"keys": anything, "values": anything, "toPairs": anything, "fromPairs": anything, "reverse": anything, "sort": anything,
	"toJSON": whole, "string": whole, "flatten": whole, "max": whole, "min": whole, "mean": whole, "median": whole,
	"fromJSON": func(m *meter, args []any) error {
		return m.use(len(text(args, 0))/2, 0) // [[],[],… is the most for the least
	},
	"repeat": func(_ *meter, args []any) error {
		if len(args) == 2 {
			return fits(len(text(args, 0)), runtime.ToInt(args[1]))
		}
		return nil
	},
	"replace": func(_ *meter, args []any) error {
		s, old, by := text(args, 0), text(args, 1), text(args, 2)
		return fits(strings.Count(s, old), len(by))
	},
	"split": pieces, "splitAfter": pieces,
	"join": func(m *meter, args []any) error {
		if err := whole(m, args); err != nil || len(args) < 2 {
			return err
		}
		return fits(length(args[0]), len(text(args, 1)))
	},
	"uniq": func(m *meter, args []any) error {
		if err := whole(m, args); err != nil {
			return err
		}
		if n := length(args[0]); n > maxUniq {
			return fmt.Errorf("list of %d elements is too long for uniq", n)
		}
		return nil
	},
	"concat": func(m *meter, args []any) error {
		n := 0
		for _, arg := range args {
			n += length(arg)
		}
		if n > maxElements {
			return errMemory
		}
		return nil
	},
}

func anything(*meter, []any) error { return nil }

// whole checks that the arguments are within the budgets as a whole.
func whole(m *meter, args []any) error {
	for _, arg := range args {
		if err := m.bounded(arg); err != nil {
			return err
		}
	}
	return nil
}

// pieces checks that a text has not too many parts.
func pieces(_ *meter, args []any) error {
	if strings.Count(text(args, 0), text(args, 1)) >= maxElements {
		return errMemory
	}
	return nil
}

// fits checks that n texts of a size are within the budget.
func fits(n, size int) error {
	if n > 0 && size > 0 && n > maxText/size {
		return errMemory
	}
	return nil
}

// length returns the number of elements of a list, 0 for anything else.
func length(v any) int {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice || r.Kind() == reflect.Array {
		return r.Len()
	}
	return 0
}

// text returns an argument that is a string, "" for any other: that is the library's to complain about.
func text(args []any, i int) string {
	if i >= len(args) {
		return ""
	}
	s, _ := args[i].(string)
	return s
}

// patcher puts the checks into an expression.
type patcher struct{}

// Visit implements ast.Visitor. It sees the parts of a node before the node.
func (patcher) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		step := &ast.CallNode{Callee: &ast.IdentifierNode{Value: stepName}}
		body := &ast.SequenceNode{Nodes: []ast.Node{step, n.Node}}
		step.SetLocation(n.Node.Location())
		body.SetLocation(n.Node.Location())
		n.Node = body
	case *ast.BuiltinNode:
		if n.Name == "groupBy" {
			wrap(node, chargeName)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "+":
			if !number(n.Left) && !number(n.Right) {
				wrap(node, chargeName)
			}
		case "==", "!=", "in":
			if !scalar(n.Left) && !(scalar(n.Right) && n.Operator != "in") {
				wrap(&n.Left, boundedName)
			}
		case "matches":
			wrap(&n.Left, shortName)
		}
	}
}

// wrap makes a node the argument of a function.
func wrap(node *ast.Node, name string) {
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: []ast.Node{*node}}
	ast.Patch(node, call)
}

// number reports whether a node is known to be a number.
func number(n ast.Node) bool {
	switch n.Type().Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		return true
	}
	return false
}

// scalar reports whether a node is known to be no list and no map.
func scalar(n ast.Node) bool {
	if _, ok := n.(*ast.NilNode); ok {
		return true
	}
	return number(n) || n.Type().Kind() == reflect.String || n.Type().Kind() == reflect.Bool
}
