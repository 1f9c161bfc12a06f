// SPDX-License-Identifier: Apache-2.0

// Package syntax is the front end of typed Lua: it parses source text into the syntax tree of gopher-lua, without types,
// and into a table of the types, and compiles the tree. It exists because gopher-lua's own parser knows neither types
// nor the operators of Lua 5.3, reports errors without a cause, and because its compiler gets some jumps wrong.
//
// # Basics
//
// [Parse] turns a text into a [Chunk]; [Compile] turns that into a lua.FunctionProto, which any number of states may
// share. Errors of both are an [*Error] with a position, a hint and the source line; its Pretty method renders them for
// people. The language is Lua 5.1 plus goto, the operators // & | ~ << >>, type annotations, type and interface
// declarations, the casts `e as T` and `e :: T`, and the assertion `e!`.
//
// [Bind] compiles a chunk with names around it, which become upvalues: the way a host makes declared types values.
//
// Types never influence how a program runs. They are kept in a [TypeTable]: declarations, and annotations and casts with
// the tree nodes they belong to. [TypeNode] is the closed set of their forms, [FormatType] their text.
//
// Three things that gopher-lua's virtual machine lacks are expressed by what it has:
//   - the operators beyond Lua 5.1 are calls of global functions with unspeakable names, which [Intrinsics] provides and
//     the environment of the chunk must contain;
//   - a generic for is a while loop with an ordinary call, so that iterators may yield;
//   - a break out of a loop that creates functions is a goto, which closes the captured variables on its way.
//
// # Guarantees
//
//   - A text of plain Lua gives the tree gopher-lua's parser builds, lines included, but for the above
//     (TestPlainLuaGivesTheTreeOfGopherLua, FuzzParse).
//   - No text makes the package panic or exhaust the stack: nesting and the height of the tree are limited (FuzzParse,
//     TestNestingIsLimited, TestLongChainsCompileOrFailCleanly).
//   - Lines in run-time errors are those of the source (TestLinesSurviveErasure, TestLoopErrorsStayOnTheirLines).
//   - A cast or assertion yields exactly one value (TestTypesVanishAndProgramsRun).
//   - An iterator written in Lua may yield (TestIteratorWrittenInLuaMayYield).
//   - Closures and the function around them see the same variables after goto and break
//     (TestJumpsKeepCapturedVariablesTogether), and long table constructors keep all items
//     (TestLongTableConstructorsKeepTheirItems); with gopher-lua's own front end they do not.
//   - Names bound around a chunk that it does not use leave its code as it is (FuzzParse); one that it assigns to is not
//     bound (TestBindMakesUsedNamesUpvalues).
//   - Debug information of local variables ends with their block, which gopher-lua's does not
//     (TestLocalsEndWithTheirBlock).
//
// # Caveats
//
// The words fun, interface, as, asserts, readonly, is, typeof, keyof and extends are reserved, except as field, method
// and key names. A parenthesis at the beginning of a line right behind a closing one is refused as ambiguous. As in
// gopher-lua, and unlike in PUC-Lua, `local f = function() ... end` sees itself as f.
//
// Numbers are gopher-lua's float64. The integer operators truncate toward zero; operands beyond the 64-bit range take the
// nearest value within.
//
// Strings in trees and prototypes are pieces of the source text and keep it alive. Parsing is about four times as fast
// as gopher-lua's parser, parsing and compiling together 1.6 times: see BenchmarkParse and BenchmarkParseCompile.
package syntax
