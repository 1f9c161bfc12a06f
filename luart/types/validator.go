// SPDX-License-Identifier: Apache-2.0

package types

import (
	"regexp"
	"strconv"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

// check is one validator: it returns the reason why a value fails, or "".
type check struct {
	name string
	run  func(v lua.LValue) string
}

func runChecks(checks []check, v lua.LValue) *Failure {
	for _, c := range checks {
		if reason := c.run(v); reason != "" {
			return &Failure{Constraint: c.name, Message: reason}
		}
	}
	return nil
}

// newChecks prepares the validators that have a meaning; others are ignored, as is an argument that is no literal.
func newChecks(list []syntax.Validator) []check {
	var out []check
	for _, v := range list {
		var run func(lua.LValue) string
		switch v.Name {
		case "min", "max":
			run = rangeCheck(v)
		case "min_len", "max_len":
			run = lengthCheck(v)
		case "pattern":
			run = patternCheck(v)
		}
		if run != nil {
			out = append(out, check{v.Name, run})
		}
	}
	return out
}

func rangeCheck(v syntax.Validator) func(lua.LValue) string {
	limit, ok := numberArg(v)
	if !ok {
		return nil
	}
	return func(x lua.LValue) string {
		n, ok := x.(lua.LNumber)
		switch {
		case !ok:
			return ""
		case v.Name == "min" && float64(n) < limit:
			return "value below minimum"
		case v.Name == "max" && float64(n) > limit:
			return "value above maximum"
		}
		return ""
	}
}

func lengthCheck(v syntax.Validator) func(lua.LValue) string {
	limit, ok := numberArg(v)
	if !ok || limit < 0 {
		return nil
	}
	return func(x lua.LValue) string {
		n := 0
		switch x := x.(type) {
		case lua.LString:
			n = len(x)
		case *lua.LTable:
			n = x.Len()
		case lua.LNumber, lua.LBool:
			n = len(x.String())
		default:
			return ""
		}
		switch {
		case v.Name == "min_len" && float64(n) < limit:
			return "length below minimum"
		case v.Name == "max_len" && float64(n) > limit:
			return "length above maximum"
		}
		return ""
	}
}

func patternCheck(v syntax.Validator) func(lua.LValue) string {
	if len(v.Args) == 0 {
		return func(lua.LValue) string { return "invalid pattern argument" }
	}
	text, ok := v.Args[0].(*ast.StringExpr)
	if !ok {
		return func(lua.LValue) string { return "invalid pattern argument" }
	}
	re, err := regexp.Compile(text.Value)
	if err != nil {
		return func(lua.LValue) string { return "invalid regex" }
	}
	return func(x lua.LValue) string {
		if !re.MatchString(x.String()) {
			return "pattern mismatch"
		}
		return ""
	}
}

// numberArg returns the first argument when it is a numeral, maybe with a sign.
func numberArg(v syntax.Validator) (float64, bool) {
	if len(v.Args) == 0 {
		return 0, false
	}
	sign := 1.0
	e := v.Args[0]
	if m, ok := e.(*ast.UnaryMinusOpExpr); ok {
		sign, e = -1, m.Expr
	}
	n, ok := e.(*ast.NumberExpr)
	if !ok {
		return 0, false
	}
	if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
		return sign * float64(i), true
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	return sign * f, err == nil
}
