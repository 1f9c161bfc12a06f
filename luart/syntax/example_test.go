// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

func Example() {
	chunk, err := syntax.Parse("app:area", `
type Rect = {w: number, h: number}
local function area(r: Rect): integer return r.w * r.h // 1 end
return area({w = 2.5, h = 3})`)
	if err != nil {
		fmt.Println(err)
		return
	}
	proto, err := syntax.Compile(chunk, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	L := lua.NewState()
	defer L.Close()
	for name, fn := range syntax.Intrinsics() {
		L.SetGlobal(name, L.NewFunction(fn))
	}
	L.Push(L.NewFunctionFromProto(proto))
	L.Call(0, 1)
	rect, _ := chunk.Types.Lookup("Rect")
	fmt.Println(L.Get(-1), syntax.FormatType(rect.Type))
	// Output: 7 {w: number, h: number}
}

func ExampleError_Pretty() {
	_, err := syntax.Parse("app:handler", "local n = 1\nn += 1")
	var e *syntax.Error
	if errors.As(err, &e) {
		fmt.Println(e)
		fmt.Println(e.Pretty())
	}
	// Output:
	// app:handler:2:3: parse error
	// error: parse error
	//  --> app:handler:2:3
	//   |
	// 2 | n += 1
	//   |   ^
	//   = help: there are no compound assignments; write x = x + 1
}

func ExampleUnlowered() {
	src := "for k in next, {} do end"
	lowered, _ := syntax.Parse("a", src)
	kept, _ := syntax.Parse("a", src, syntax.Unlowered())
	fmt.Printf("%T %T\n", lowered.Stmts[0], kept.Stmts[0])
	// Output: *ast.DoBlockStmt *ast.GenericForStmt
}

func ExamplePlaced() {
	chunk, err := syntax.Parse("app:t", "local a, total = f(), 1\nlist:add(total + 1)", syntax.Placed())
	if err != nil {
		fmt.Println(err)
		return
	}
	local := chunk.Stmts[0].(*ast.LocalAssignStmt)
	for i, span := range chunk.Places.Names(local) {
		fmt.Println(local.Names[i], span)
	}
	call := chunk.Stmts[1].(*ast.FuncCallStmt).Expr.(*ast.FuncCallExpr)
	method, _ := chunk.Places.Method(call)
	sum, _ := chunk.Places.Node(call.Args[0])
	fmt.Println(method, sum)
	_, known := chunk.Places.Node(&ast.NilExpr{})
	fmt.Println(known)
	// Output:
	// a {{1 7} {1 8}}
	// total {{1 10} {1 15}}
	// {{2 6} {2 9}} {{2 10} {2 19}}
	// false
}
