// SPDX-License-Identifier: Apache-2.0

// Package rules holds the rules of the repository, one per file.
package rules

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/wippyrun/kit/tools/check/repo"
)

// Rule is one thing that must hold everywhere.
type Rule struct {
	// Name selects the rule on the command line.
	Name string
	// About says in one line what the rule asks for.
	About string
	// Check returns the violations. An error means that the check itself could
	// not be made.
	Check func(ctx context.Context, env Env) ([]Problem, error)
}

// Env is what a rule works on.
type Env struct {
	// Repo is the tree to check.
	Repo *repo.Repo
	// Fast asks to leave out what takes minutes.
	Fast bool
	// Log takes the output of commands that failed.
	Log io.Writer
}

// Problem is one violation.
type Problem struct {
	// File is a path from the root.
	File string
	// Line is a line in the file, 1 when the problem has no better place.
	Line int
	// Message says what is wrong.
	Message string
	// Fix says what to do about it.
	Fix string
}

// String returns "file:line: message; fix".
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %s; %s", p.File, max(p.Line, 1), p.Message, p.Fix)
}

// Sort orders problems by place.
func Sort(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
}

// All returns the rules, cheap ones first.
func All() []Rule {
	return []Rule{layout, modules, imports, format, docComments, documents, text, tidy, build, vet, static, usedRule, test}
}
