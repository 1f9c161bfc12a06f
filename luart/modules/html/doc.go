// SPDX-License-Identifier: Apache-2.0

// Package html is the Lua module html: cleaning HTML that comes from outside.
//
// A policy says which elements, attributes and URL schemes may stay; everything else is removed, and text is
// escaped. Policies start empty (new_policy), with what user content usually needs (ugc_policy), or stay at text
// alone (strict_policy). The work is done by bluemonday, in one pass over the tokens of the text: time and memory
// grow with its length, whatever its nesting.
//
// A policy belongs to the process that made it.
package html
