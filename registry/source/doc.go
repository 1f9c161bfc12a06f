// SPDX-License-Identifier: Apache-2.0

// Package source reads registry entries from trees of YAML and JSON files.
//
// Every file ending in .yaml, .yml or .json is looked at; those without a namespace are
// somebody else's and ignored. A file is a list of entries,
//
//	namespace: app
//	entries:
//	  - name: main
//	    kind: process.lua
//	    source: file://main.lua
//
// or a single entry with name and kind next to namespace. Fields other than name, kind
// and meta are the entry's data, unless there is a field data. A string value that begins
// with file:// is replaced by the content of a file of the same tree, which cannot be
// left, neither by ".." nor by symbolic links.
//
// # Guarantees
//
// All problems of all files are reported at once, each with file, line, column and field
// (TestLoadReportsEveryProblemWithItsPosition). The entries carry an Origin that maps
// every field, and every line of text that came from a file or a block, to the place
// where a person would edit it (TestOriginMapsFieldsAndText). Order and content of the
// result do not depend on how many files are parsed in parallel.
//
// # Caveats
//
// Numbers are float64; an integer that does not fit exactly is reported as a warning.
// Timestamps stay text. Only the first document of a file is read.
package source
