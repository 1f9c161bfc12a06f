// SPDX-License-Identifier: Apache-2.0

// Package treesitter is the Lua module treesitter: syntax trees of source code, and queries on them.
//
// Tree-sitter and its grammars are C. The module exists only in programs built with cgo and the build tag
// treesitter; Modules returns none in all others, which compile nothing of it. There are grammars for Go, JavaScript,
// TypeScript with and without JSX, Python, Lua, PHP, C# and HTML. Markdown and SQL are unsupported languages here:
// no grammar of theirs is published as a Go module that does without a second copy of the C library.
//
// # Guarantees
//
//   - Whatever a program passes is checked before it gets to C: numbers, names, positions, patterns, which language a
//     tree belongs to (TestMalformedArguments, TestHostilePatternsAreErrors, TestRandomInput).
//   - Closing a tree closes its nodes and cursors: using them raises. An edit does not change what nodes and cursors
//     see that were taken from the tree before; they stay valid (TestEditLeavesOldNodesAlone).
//   - Parsers, trees, queries and cursors belong to the process that made them. What it has not closed is released when
//     it ends, or earlier, when the program cannot reach it any more (TestMemoryIsReleasedWithTheProcess,
//     TestMemoryIsReleasedWhenUnreachable).
//   - The end of the process ends a parse at once, and a query before long (TestParseEndsWithItsContext).
//
// # Limits
//
// A source has 16 MiB at most, a query 32 KiB, nested 200 levels deep. A process may have 64 MiB of sources open. A
// parse that reads its text over and over again fails, and so does a query that takes longer than 20 seconds. At most
// 65 536 matches of a query are in progress at once. The text forms of trees, to_sexp and dot_graph, are there for
// trees that are up to 1000 levels deep. #match? and #not-match? take regular expressions of Go, which cannot run away.
//
// Nothing here yields: a parse holds up the worker that runs the process.
package treesitter
