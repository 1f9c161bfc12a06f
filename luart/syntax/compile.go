// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// Compile turns a chunk into a function prototype for gopher-lua. The prototype is immutable and may be shared by any
// number of states. The error, if any, is an *Error; a panic of gopher-lua's compiler is one, too.
//
// name is the chunk name in run-time positions; "" stands for the name the chunk was parsed under. A chunk must not be
// compiled by two goroutines at once. Chunks compiled by other means than Compile miss the repairs it makes, without
// which a goto or a break can detach captured variables.
func Compile(chunk *Chunk, name string) (*lua.FunctionProto, error) {
	proto, err := chunk.compile(chunk.Stmts, name, chunk.gotos)
	if err == nil {
		repairLocals(proto, chunk.vars)
	}
	return proto, err
}

// compile compiles stmts, which are those of the chunk or contain them.
func (c *Chunk) compile(stmts []ast.Stmt, name string, fixes []gotoFix) (proto *lua.FunctionProto, err error) {
	if name == "" {
		name = c.Name
	}
	tagGotos(fixes)
	defer func() {
		untagGotos(fixes)
		if r := recover(); r != nil {
			proto, err = nil, c.compileError(name, 0, fmt.Sprintf("internal compiler error: %v", r))
		}
	}()
	proto, err = lua.Compile(stmts, name)
	if err != nil {
		var ce *lua.CompileError
		if errors.As(err, &ce) {
			return nil, c.compileError(name, ce.Line, ce.Message)
		}
		return nil, c.compileError(name, 0, err.Error())
	}
	repair(proto, fixes)
	dropArg(proto, c.src.src)
	return proto, nil
}

func (c *Chunk) compileError(name string, line int, message string) *Error {
	e := &Error{Name: name, Line: max(line, 1), Message: message, Compile: true}
	e.SourceLine = c.src.lineText(e.Line)
	if line > 0 {
		e.Hint = compileHints[message]
	}
	return e
}

var compileHints = map[string]string{
	"register overflow(too many local variables)": "the function on this line needs more than 200 registers; split it, or its longest expression",
	"too many local variables":                    "a function can have at most 200 local variables; put some in a table or a do block",
	"register overflow":                           "a function can have at most 200 parameters",
}

// lineText returns the text of a line, or "" beyond the end.
func (lx *lexer) lineText(line int) string {
	scan := lexer{src: lx.src, line: 1}
	i := 0
	for scan.line < line && i < len(scan.src) {
		if class[scan.src[i]]&cNewline != 0 {
			i = scan.newline(i)
		} else {
			i++
		}
	}
	if scan.line != line {
		return ""
	}
	start := i
	for i < len(lx.src) && class[lx.src[i]]&cNewline == 0 {
		i++
	}
	return lx.src[start:i]
}
