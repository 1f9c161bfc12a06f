// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// Operators that gopher-lua's virtual machine does not have, or not well enough, become calls of global functions with
// these names, which are no identifiers, so that a program cannot name them. [Intrinsics] implements them. [Inline]
// makes them constants of the code.
const (
	IntrinsicIDiv = "\x00idiv" // a // b
	IntrinsicBAnd = "\x00band" // a & b
	IntrinsicBOr  = "\x00bor"  // a | b
	IntrinsicBXor = "\x00bxor" // a ~ b
	IntrinsicShl  = "\x00shl"  // a << b
	IntrinsicShr  = "\x00shr"  // a >> b
	IntrinsicBNot = "\x00bnot" // ~a

	IntrinsicConcat = "\x00concat" // a .. b .. c, any number of operands
)

// intrinsicText is what stack traces call an intrinsic.
var intrinsicText = map[string]string{
	IntrinsicIDiv: "operator //", IntrinsicBAnd: "operator &", IntrinsicBOr: "operator |",
	IntrinsicBXor: "operator ~", IntrinsicShl: "operator <<", IntrinsicShr: "operator >>", IntrinsicBNot: "operator ~",
	IntrinsicConcat: "operator ..",
}

// Intrinsics returns the functions behind the Intrinsic names. Compiled chunks that use the operators need them in
// their environment.
func Intrinsics() map[string]lua.LGFunction {
	binary := func(op func(a, b int64) int64) lua.LGFunction {
		return func(L *lua.LState) int {
			a, b := bits(L, 1), bits(L, 2)
			L.Push(lua.LNumber(op(a, b)))
			return 1
		}
	}
	return map[string]lua.LGFunction{
		IntrinsicIDiv: func(L *lua.LState) int {
			a, aok := L.Get(1).(lua.LNumber)
			b, bok := L.Get(2).(lua.LNumber)
			if !aok || !bok {
				bad := L.Get(1)
				if aok {
					bad = L.Get(2)
				}
				L.RaiseError("attempt to perform arithmetic on a %s value", bad.Type())
			}
			d := truncate(float64(b))
			if d == 0 {
				L.RaiseError("attempt to divide by zero")
			}
			L.Push(lua.LNumber(floorDiv(truncate(float64(a)), d)))
			return 1
		},
		IntrinsicBAnd: binary(func(a, b int64) int64 { return a & b }),
		IntrinsicBOr:  binary(func(a, b int64) int64 { return a | b }),
		IntrinsicBXor: binary(func(a, b int64) int64 { return a ^ b }),
		IntrinsicShl:  binary(shiftLeft),
		IntrinsicShr:  binary(shiftRight),
		IntrinsicBNot: func(L *lua.LState) int {
			L.Push(lua.LNumber(^bits(L, 1)))
			return 1
		},
		IntrinsicConcat: func(L *lua.LState) int {
			v, bad := Concat(L, math.MaxInt)
			if bad > 0 {
				L.RaiseError("attempt to concatenate a %s value", L.Get(bad).Type())
			}
			L.Push(v)
			return 1
		},
	}
}

// bits returns an argument as an integer.
func bits(L *lua.LState, i int) int64 {
	n, ok := L.Get(i).(lua.LNumber)
	if !ok {
		L.RaiseError("attempt to perform bitwise operation on a %s value", L.Get(i).Type())
	}
	return truncate(float64(n))
}

// truncate converts to an integer toward zero. What does not fit becomes the nearest integer that does, on every
// platform; not a number becomes 0.
func truncate(f float64) int64 {
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	case f != f:
		return 0
	}
	return int64(f)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// shiftLeft shifts by any distance; a negative one shifts to the right.
func shiftLeft(a, n int64) int64 {
	switch {
	case n <= -64:
		return a >> 63
	case n < 0:
		return a >> -n
	case n >= 64:
		return 0
	}
	return a << n
}

// shiftRight keeps the sign; a negative distance shifts to the left.
func shiftRight(a, n int64) int64 {
	if n == math.MinInt64 {
		return 0
	}
	return shiftLeft(a, -n)
}

// buildIntrinsic makes the call for an infix operator, or its value when both operands are numerals.
func buildIntrinsic(p *parser, b *binary, lhs, rhs ast.Expr) ast.Expr {
	if x, ok := constant(lhs); ok {
		if y, ok := constant(rhs); ok {
			return p.numeral(lhs.Line(), fold(b.op, x, y))
		}
	}
	single(rhs)
	mark := p.exprs.mark()
	p.exprs.push(lhs)
	p.exprs.push(rhs)
	p.grow(p.height)
	return p.intrinsic(b.op, lhs.Line(), p.exprs.take(mark))
}

func (p *parser) bitNot(e ast.Expr) ast.Expr {
	if x, ok := constant(e); ok {
		return p.numeral(e.Line(), float64(^truncate(x)))
	}
	single(e)
	return p.intrinsic(IntrinsicBNot, e.Line(), p.one(e))
}

func (p *parser) intrinsic(name string, line int, args []ast.Expr) ast.Expr {
	id := p.idents.new()
	id.Value = name
	id.SetLine(line)
	call := p.calls.new()
	call.Func, call.Args, call.AdjustRet = id, args, true
	call.SetLine(line)
	return call
}

func (p *parser) numeral(line int, v float64) ast.Expr {
	n := p.numbers.new()
	n.Value = strconv.FormatFloat(v, 'g', -1, 64)
	n.SetLine(line)
	return n
}

// fold computes an operator on numerals. Integer division of numerals is done in floating point, without an error for
// a zero divisor, as the compiler folds the other arithmetic operators.
func fold(op string, x, y float64) float64 {
	a, b := truncate(x), truncate(y)
	switch op {
	case IntrinsicIDiv:
		return math.Floor(x / y)
	case IntrinsicBAnd:
		return float64(a & b)
	case IntrinsicBOr:
		return float64(a | b)
	case IntrinsicBXor:
		return float64(a ^ b)
	case IntrinsicShl:
		return float64(shiftLeft(a, b))
	default:
		return float64(shiftRight(a, b))
	}
}

// constant returns the value of an expression of numerals that gopher-lua's compiler folds, too.
func constant(e ast.Expr) (float64, bool) {
	switch e := e.(type) {
	case *ast.NumberExpr:
		if i, err := strconv.ParseInt(e.Value, 0, 64); err == nil {
			return float64(i), true
		}
		f, err := strconv.ParseFloat(e.Value, 64)
		return f, err == nil
	case *ast.UnaryMinusOpExpr:
		x, ok := constant(e.Expr)
		return -x, ok
	case *ast.ArithmeticOpExpr:
		x, ok := constant(e.Lhs)
		if !ok {
			return 0, false
		}
		y, ok := constant(e.Rhs)
		if !ok {
			return 0, false
		}
		switch e.Operator {
		case "+":
			return x + y, true
		case "-":
			return x - y, true
		case "*":
			return x * y, true
		case "/":
			return x / y, true
		case "%":
			r := math.Mod(x, y)
			if r != 0 && (r < 0) != (y < 0) {
				r += y
			}
			return r, true
		}
		return math.Pow(x, y), true
	}
	return 0, false
}
