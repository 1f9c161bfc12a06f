// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"errors"
	"go/scanner"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/tools/check/repo"
)

var imports = Rule{
	Name:  "imports",
	About: "every import is one that the import table allows",
	Check: checkImports,
}

func checkImports(_ context.Context, env Env) ([]Problem, error) {
	var out []Problem
	for _, m := range env.Repo.Modules {
		r := rowFor(m.Dir)
		if r == nil {
			out = append(out, Problem{File: m.GoMod(), Message: "module is not in the import table",
				Fix: "move it into one of the top-level folders"})
			continue
		}
		for _, f := range m.Files {
			if !f.IsGo() {
				continue
			}
			p, err := f.Parse()
			if err != nil {
				out = append(out, syntaxProblem(f, err))
				continue
			}
			for _, spec := range p.AST.Imports {
				importPath, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return nil, err
				}
				if message, fix := judge(m, r, importPath, f.IsTest()); message != "" {
					out = append(out, Problem{File: f.Path, Line: p.Line(spec.Pos()), Message: message, Fix: fix})
				}
			}
		}
	}
	return out, nil
}

// judge returns what is wrong with an import and what to do, nothing when it is
// allowed.
func judge(m *repo.Module, r *row, importPath string, test bool) (message, fix string) {
	if importPath == "unsafe" || importPath == "C" {
		return "imports " + strconv.Quote(importPath), "do it in plain Go"
	}
	if standard(importPath) || within(importPath, m.Path()) && ownPath(m, importPath) {
		return "", ""
	}
	if dir, ours := strings.CutPrefix(importPath, prefix); ours {
		if r.anyOurs {
			return "", ""
		}
		// A path below luart/modules belongs to that module and not to luart.
		if target := rowFor(dir); target != nil && (slices.Contains(r.ours, target.dir) || target.dir == r.dir) {
			return "", ""
		}
		return m.Dir + " may not import " + importPath,
			"declare the small interface it needs and let wippy connect the two"
	}
	allowed := func(list []string) bool {
		return slices.ContainsFunc(list, func(root string) bool { return within(importPath, root) })
	}
	switch {
	case r.anyOthers || allowed(r.others) || test && allowed(testOnly):
		return "", ""
	case allowed(testOnly):
		return importPath + " is for tests only", "move the code into a _test.go file"
	}
	return m.Dir + " may not import " + importPath, "do without, or move the code into wippy or a nested module"
}

// ownPath reports whether an import path below the module's path is not that of
// another module nested in it.
func ownPath(m *repo.Module, importPath string) bool {
	dir, ours := strings.CutPrefix(importPath, prefix)
	target := rowFor(dir)
	return !ours || target == nil || within(m.Dir, target.dir)
}

// syntaxProblem reports a file that the parser refused, at the first error.
func syntaxProblem(f *repo.File, err error) Problem {
	p := Problem{File: f.Path, Message: "does not parse: " + err.Error(), Fix: "correct the syntax"}
	if list, ok := errors.AsType[scanner.ErrorList](err); ok && len(list) > 0 {
		p.Line, p.Message = list[0].Pos.Line, "does not parse: "+list[0].Msg
	}
	return p
}
