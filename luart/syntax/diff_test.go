// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"

	"github.com/wippyrun/kit/luart/syntax"
)

// treeDiff compares two syntax trees, lines included, and describes the first difference. Empty and nil lists are the
// same; numerals are compared by value where gopher-lua keeps a leading zero.
func treeDiff(path string, a, b reflect.Value) string {
	if a.IsValid() != b.IsValid() {
		return fmt.Sprintf("%s: one side is missing", path)
	}
	if !a.IsValid() {
		return ""
	}
	if a.Type() != b.Type() {
		return fmt.Sprintf("%s: %s and %s", path, a.Type(), b.Type())
	}
	switch a.Kind() {
	case reflect.Interface, reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				return fmt.Sprintf("%s: nil and not nil", path)
			}
			return ""
		}
		if n, ok := a.Interface().(*ast.NumberExpr); ok {
			m := b.Interface().(*ast.NumberExpr)
			if n.Line() == m.Line() && sameNumeral(n.Value, m.Value) {
				return ""
			}
		}
		return treeDiff(path, a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: %d and %d elements", path, a.Len(), b.Len())
		}
		for i := range a.Len() {
			if d := treeDiff(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Struct:
		for i := range a.NumField() {
			if d := treeDiff(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.String:
		if a.String() != b.String() {
			return fmt.Sprintf("%s: %q and %q", path, a.String(), b.String())
		}
	case reflect.Int:
		if a.Int() != b.Int() {
			return fmt.Sprintf("%s: %d and %d", path, a.Int(), b.Int())
		}
	case reflect.Bool:
		if a.Bool() != b.Bool() {
			return fmt.Sprintf("%s: %t and %t", path, a.Bool(), b.Bool())
		}
	default:
		return path + ": unexpected " + a.Kind().String()
	}
	return ""
}

// sameNumeral reports whether gopher-lua's text of a numeral and ours mean the same. Ours is rewritten where gopher-lua
// would misread its own: leading zeros, and values out of range.
func sameNumeral(theirs, ours string) bool {
	if theirs == ours {
		return true
	}
	if t := strings.TrimLeft(theirs, "0"); t == ours || "0"+t == ours {
		return true
	}
	if ours == "inf" {
		_, err := strconv.ParseFloat(theirs, 64)
		return errors.Is(err, strconv.ErrRange)
	}
	f, err := strconv.ParseFloat(theirs+"p0", 64)
	g, err2 := strconv.ParseFloat(ours, 64)
	return err == nil && err2 == nil && f == g
}

// diff parses src with both parsers and describes how their results differ, or returns "". A text that one of them
// refuses by design is no difference.
func diff(src string) string {
	want, wantErr := parse.Parse(strings.NewReader(src), "src")
	got, err := syntax.Parse("src", src, syntax.Unlowered())
	switch {
	case err != nil && wantErr != nil:
		return ""
	case err != nil:
		if stricter(err) || twoPoints.MatchString(src) {
			return ""
		}
		return fmt.Sprintf("gopher-lua accepts what fails here with %v", err)
	case wantErr != nil:
		return "" // typed Lua is a superset
	}
	return treeDiff("chunk", reflect.ValueOf(want), reflect.ValueOf(got.Stmts))
}

// twoPoints matches what gopher-lua takes for a numeral although it has two points, as .0. in {.0.}.
var twoPoints = regexp.MustCompile(`\.[0-9]+\.`)

// stricter reports whether err is one that plain gopher-lua reports later, or not at all.
func stricter(err error) bool {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return false
	}
	if e.Compile {
		return true
	}
	for _, s := range []string{"ambiguous syntax", "too many syntax levels", "decimal escape", "malformed exponent", "is a reserved word",
		"unexpected ',', expected an expression", "unexpected ';', expected an expression", // {1,,2}
		"unexpected '::', expected a statement", // a label that spans lines
	} {
		if strings.Contains(e.Message, s) || strings.Contains(e.Hint, s) {
			return true
		}
	}
	return false
}

func TestPlainLuaGivesTheTreeOfGopherLua(t *testing.T) {
	for _, src := range corpus(t, "plain") {
		if d := diff(src); d != "" {
			t.Errorf("%s\n%s", d, src)
		}
	}
}
