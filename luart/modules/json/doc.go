// SPDX-License-Identifier: Apache-2.0

// Package json is the Lua module json: JSON text to Lua values and back, and JSON Schema validation.
//
// Encode and Decode work on Lua values directly, without Go values in between, and are usable without the
// module. An empty table that had, or was decoded with, string keys stays an object; any other empty table is
// an array. Numbers that are whole are written as integers; an integer that a Lua number cannot represent is
// decoded as a string of its digits, so that no identifier is ever changed silently.
//
// Schemas are JSON Schema 2020-12 unless they say otherwise. Formats are annotations, references to other
// documents are not followed, and the last hundred schemas used are kept compiled.
package json
