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
// and meta are the entry's data, unless there is a field data. Metadata next to namespace
// goes under that of every entry of the file. Anchors, aliases and merge keys work, also
// between entries. A string value that begins with file:// is replaced by the content of
// a file of the same tree.
//
// # Guarantees
//
//   - All problems of all files are reported at once, each with file, line, column and
//     field (TestLoadReportsEveryProblemWithItsPosition). A syntax error is reported where
//     the mistake is, not where the parser gave up
//     (TestYAMLSyntaxErrorsAreReportedWhereTheMistakeIs,
//     TestJSONSyntaxErrorsAreReportedWhereTheMistakeIs).
//   - What is read and yet does not count is a warning (TestWhatIsIgnoredIsAWarning).
//   - Whatever entries are written come back from reading them, in the order of the files,
//     however many files are parsed at a time (TestPrintedEntriesAreReadBack).
//   - Entries carry an Origin that maps every field, and every line of text that came from
//     a file or a block, to the place where a person would edit it
//     (TestOriginMapsFieldsAndText, TestOriginOfMergedAndInheritedFields).
//   - Files cannot name anything outside their tree, neither by ".." nor by symbolic links
//     (TestInterpolation, TestSymbolicLinksCannotLeaveTheTree).
//   - No content of a file makes reading it panic, or take memory out of proportion
//     (FuzzYAML, FuzzJSON, TestAliasesCannotExplode, TestDeepNestingIsAProblem).
//
// # Caveats
//
// Numbers are float64; an integer that does not fit exactly is reported as a warning.
// Timestamps stay text. Only the first document of a file is read. There is no way to
// write a string that begins with file:// and means itself.
package source
