// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"cmp"
	"slices"
	"strings"
)

// Severity says how bad a diagnostic is. A larger one is worse.
type Severity uint8

// The severities.
const (
	Hint Severity = iota + 1
	Warning
	Error
)

// String returns "hint", "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "hint"
}

// ParseSeverity reads a severity in any case; "warn" means warning, any unknown word error.
func ParseSeverity(text string) Severity {
	switch strings.ToLower(text) {
	case "hint":
		return Hint
	case "warning", "warn":
		return Warning
	}
	return Error
}

// The codes of this package.
const (
	CodeSyntax       = "P0001"
	CodeMismatch     = "E0000"
	CodeUndeclared   = "E0001"
	CodeNotCallable  = "E0002"
	CodeArity        = "E0003"
	CodeNoField      = "E0004"
	CodeNoReturn     = "E0010"
	CodeOperand      = "E0019"
	CodeEmptyBlock   = "W0001"
	CodeGlobalAssign = "W0002"
	CodeSelfCompare  = "W0003"
	CodeUnusedLocal  = "W0004"
	CodeUnusedParam  = "W0005"
	CodeUnusedImport = "W0006"
	CodeShadowed     = "W0007"
	CodeUndefined    = "W0008"
	CodeModuleUnused = "W0009"
	CodeAliasUnused  = "W0010"
)

// Diagnostic is one finding.
type Diagnostic struct {
	// Entry is the id of the entry, the name of the Source.
	Entry    string
	Code     string
	Severity Severity
	Message  string
	// Line and Column, in bytes, count from 1 within the source; 0 means that the finding has no place in it.
	// EndColumn is the column after its end when that is on the same line, else 0.
	Line, Column, EndColumn int
	// Excerpt is the source line, "" when there is none.
	Excerpt string
	// File is the place to open in an editor, "file:line:column". Whoever knows files fills it in.
	File string
	// Help tells what could be done about it, or is "".
	Help string
	// Field names what in the declaration of the entry it is about: "modules.json" or "imports.lib", or is "".
	Field string

	// text is a parse error over several lines, which replaces the rendering of the rest.
	text string
}

// Sort brings diagnostics into the order in which they are shown: by entry, the worst first, then by place.
func Sort(ds []Diagnostic) {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			strings.Compare(a.Entry, b.Entry), cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), strings.Compare(a.Code, b.Code), strings.Compare(a.Message, b.Message))
	})
}
