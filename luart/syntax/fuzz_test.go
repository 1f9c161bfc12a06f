// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

var typeWord = regexp.MustCompile(`\b(fun|interface|as|asserts|readonly|is|typeof|keyof|extends)\b`)

// FuzzParse feeds arbitrary text to the whole front end. Whatever the text: no panic, errors with a position inside the
// text, a tree no taller than promised, code with true line numbers, and for plain Lua the tree of gopher-lua's parser.
func FuzzParse(f *testing.F) {
	for _, dir := range []string{"plain", "typed"} {
		for _, src := range corpus(f, dir) {
			f.Add(src)
		}
	}
	for _, tt := range typeTexts {
		f.Add("local function f(x: " + tt.source + ") return x end")
	}
	for _, src := range accepted {
		f.Add(src)
	}
	for _, tt := range rejected {
		f.Add(tt.source)
	}
	f.Add("local A A{.0.}")
	f.Add("::\nA::")
	f.Fuzz(func(t *testing.T, src string) {
		chunk, err := syntax.Parse("src", src)
		if err != nil {
			checkError(t, src, err)
		} else {
			checkChunk(t, src, chunk)
		}
		if !typeWord.MatchString(src) {
			if d := diff(src); d != "" {
				t.Errorf("%s\n%q", d, src)
			}
		}
	})
}

func checkError(t *testing.T, src string, err error) {
	var e *syntax.Error
	if !errors.As(err, &e) {
		t.Fatalf("error of type %T", err)
	}
	lines := 1 + strings.Count(src, "\n") + strings.Count(src, "\r")
	if e.Line < 1 || e.Line > lines || e.Col < 1 || e.Col > len(e.SourceLine)+1 || e.EndCol <= e.Col || e.Message == "" {
		t.Errorf("%q: implausible error %+v", src, e)
	}
	if !strings.Contains(e.Pretty(), e.Message) {
		t.Errorf("%q: %s", src, e.Pretty())
	}
}

func checkChunk(t *testing.T, src string, chunk *syntax.Chunk) {
	if h := treeHeight(chunk.Stmts); h > syntax.MaxHeight+10 {
		t.Errorf("a tree of height %d", h)
	}
	for _, d := range chunk.Types.Declared {
		if syntax.FormatType(d.Type) == "" {
			t.Errorf("%q: type %s has no text", src, d.Name)
		}
	}
	proto, err := syntax.Compile(chunk, "")
	if err != nil {
		if strings.Contains(err.Error(), "internal compiler error") || strings.Contains(err.Error(), "line -") || strings.Contains(err.Error(), "goto") {
			t.Errorf("%q: %v", src, err)
		}
		return
	}
	lines := 1 + strings.Count(src, "\n") + strings.Count(src, "\r")
	checkProto(t, src, proto, lines)
	// The same again with names around it, one of which may be used.
	unused, err := syntax.Bind(chunk, "", []string{"\x00unused"})
	if err != nil {
		t.Fatalf("%q: %v", src, err)
	}
	checkProto(t, src, unused, lines)
	if !strings.Contains(src, "...") && !sameCode(proto, unused) {
		t.Errorf("%q: names that are not used change the code", src)
	}
	if bound, err := syntax.Bind(chunk, "", append(chunk.Types.DeclaredNames(), "x", "t", "f")); err == nil {
		checkProto(t, src, bound, lines)
	} else if !strings.Contains(err.Error(), "upvalues") {
		t.Errorf("%q: %v", src, err)
	}
}

func sameCode(a, b *lua.FunctionProto) bool {
	return slices.Equal(a.Code, b.Code) && slices.Equal(a.DbgSourcePositions, b.DbgSourcePositions) &&
		slices.EqualFunc(a.FunctionPrototypes, b.FunctionPrototypes, sameCode)
}

func checkProto(t *testing.T, src string, proto *lua.FunctionProto, lines int) {
	for _, line := range proto.DbgSourcePositions {
		if line < 0 || line > lines+1 {
			t.Errorf("%q: code on line %d", src, line)
		}
	}
	for _, inner := range proto.FunctionPrototypes {
		checkProto(t, src, inner, lines)
	}
}

// treeHeight counts the nodes on the longest way down a tree.
func treeHeight(stmts []ast.Stmt) int {
	var walk func(v reflect.Value) int
	walk = func(v reflect.Value) int {
		h := 0
		switch v.Kind() {
		case reflect.Interface:
			if !v.IsNil() {
				return walk(v.Elem())
			}
		case reflect.Pointer:
			if !v.IsNil() {
				h = walk(v.Elem())
				if _, ok := v.Interface().(ast.PositionHolder); ok {
					h++
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				h = max(h, walk(v.Index(i)))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				h = max(h, walk(v.Field(i)))
			}
		}
		return h
	}
	return walk(reflect.ValueOf(stmts))
}
