// SPDX-License-Identifier: Apache-2.0

// Package expr is the Lua module expr: expressions in the language of github.com/expr-lang/expr, for rules and
// filters that come from configuration or from users.
//
// # Basics
//
// expr.eval compiles and runs an expression; the last 1000 it was given are kept compiled. expr.compile gives a Program
// object, which with an example environment is checked for names and types. Numbers without a fraction are integers in
// expressions.
//
// # Guarantees
//
// An expression can do no harm, whoever wrote it (TestExpressionsAreBounded):
//
//   - It sees its environment and nothing else.
//   - It makes at most a million elements of lists and maps, and 64 MiB of text.
//   - It ends after 10 seconds, and with its process.
//   - It is at most 64 KiB long and has at most 10 000 parts.
package expr
