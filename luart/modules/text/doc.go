// SPDX-License-Identifier: Apache-2.0

// Package text is the Lua module text: regular expressions, differences between texts, and cutting texts into
// chunks.
//
// # Basics
//
// text.regexp are the regular expressions of Go's package regexp (RE2): without back-references, with positions in
// bytes. text.diff compares texts character by character, and makes and applies patches. text.splitter cuts plain
// text and Markdown into chunks of a limited number of characters, for search and for language models.
//
// # Guarantees
//
//   - Matching is linear in the text; the product of the size of the text and of the expression is bounded, and so
//     are the number of matches and the length of a replacement (TestRegexpIsBounded).
//   - A comparison is exact: its deletions and insertions turn one text into the other, whatever bytes they have
//     (TestDiffIsExact). It is minimal when time allows, and ends with its process (TestDiffEndsInTime).
//   - No Markdown makes splitting slow or deep (TestMarkdownIsBounded), and chunks are bounded in number and size
//     (TestSplitterIsBounded).
//
// # Caveats
//
// A comparison takes at most 60 seconds, also without a time limit. Compared texts have at most 4 MiB, and the patches
// of one call 1 MiB. Matching and applying patches cannot be interrupted.
package text
