// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong in a file.
type Problem struct {
	File string
	// Line and Col count from 1; 0 means unknown.
	Line, Col int
	// Field is the path of the field, such as "entries[2].name", or "".
	Field   string
	Message string
	// Hint tells what could be done about it, or is "".
	Hint string
	// Err is the cause, if there is one.
	Err error
}

// Position returns "file:line:col" as far as it is known.
func (p *Problem) Position() string {
	s := p.File
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line)
		if p.Col > 0 {
			s += ":" + strconv.Itoa(p.Col)
		}
	}
	return s
}

// Error returns "file:line:col: field: message (hint)".
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Position())
	b.WriteString(": ")
	if p.Field != "" {
		b.WriteString(p.Field)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if p.Err != nil {
		b.WriteString(": ")
		b.WriteString(p.Err.Error())
	}
	if p.Hint != "" {
		b.WriteString(" (")
		b.WriteString(p.Hint)
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Kind returns "Invalid".
func (p *Problem) Kind() string { return "Invalid" }

// Problems is the error of a load: everything that is wrong, in the order of files and
// lines.
type Problems []*Problem

// Error returns one line per problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems, for errors.Is and errors.As.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b *Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}
