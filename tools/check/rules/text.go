// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/tools/check/repo"
)

var text = Rule{
	Name:  "text",
	About: "files are short; no to-do marks, no linkname; tests neither sleep nor skip",
	Check: checkText,
}

// maxLines is the length at which a file is split by concept.
const maxLines = 700

// openWork matches the marks that people leave on unfinished code.
var openWork = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)

func checkText(_ context.Context, env Env) ([]Problem, error) {
	var out []Problem
	for _, f := range env.Repo.Files {
		if !f.IsGo() {
			continue
		}
		src, err := f.Read()
		if err != nil {
			return nil, err
		}
		if n := bytes.Count(src, []byte("\n")); n > maxLines {
			out = append(out, Problem{File: f.Path, Line: maxLines + 1, Message: fmt.Sprintf("%d lines", n),
				Fix: fmt.Sprintf("split it by concept into files of at most %d", maxLines)})
		}
		p, err := f.Parse()
		if err != nil {
			out = append(out, syntaxProblem(f, err))
			continue
		}
		out = append(out, checkCommentText(f, p)...)
		if f.IsTest() {
			out = append(out, checkTestCalls(f, p)...)
		}
	}
	return out, nil
}

func checkCommentText(f *repo.File, p *repo.Parsed) []Problem {
	var out []Problem
	for _, group := range p.AST.Comments {
		for _, c := range group.List {
			for i, line := range strings.Split(c.Text, "\n") {
				if mark := openWork.FindString(line); mark != "" {
					out = append(out, Problem{File: f.Path, Line: p.Line(c.Pos()) + i, Message: mark + " in a comment",
						Fix: "finish the work, or say why it is as it is"})
				}
			}
			if strings.HasPrefix(c.Text, "//go:linkname ") {
				out = append(out, Problem{File: f.Path, Line: p.Line(c.Pos()), Message: "go:linkname",
					Fix: "use what the package exports"})
			}
		}
	}
	return out
}

// skips are the methods of testing.TB that skip a test.
var skips = []string{"Skip", "Skipf", "SkipNow"}

// checkTestCalls finds calls of time.Sleep and of the Skip methods of the usual
// names for a testing.TB.
func checkTestCalls(f *repo.File, p *repo.Parsed) []Problem {
	clock := importName(p.AST, "time")
	var out []Problem
	ast.Inspect(p.AST, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch {
		case clock != "" && x.Name == clock && sel.Sel.Name == "Sleep":
			out = append(out, Problem{File: f.Path, Line: p.Line(call.Pos()), Message: "test sleeps",
				Fix: "wait for a condition or a channel; in a testing/synctest bubble, receive from time.After"})
		case slices.Contains([]string{"t", "b", "f", "tb"}, x.Name) && slices.Contains(skips, sel.Sel.Name):
			out = append(out, Problem{File: f.Path, Line: p.Line(call.Pos()), Message: "test is skipped",
				Fix: "make it run, or choose its file with a build constraint"})
		}
		return true
	})
	return out
}

// importName returns the name under which a file imports a package, "" when it does
// not.
func importName(file *ast.File, importPath string) string {
	for _, s := range file.Imports {
		if p, err := strconv.Unquote(s.Path.Value); err != nil || p != importPath {
			continue
		}
		if s.Name != nil {
			return s.Name.Name
		}
		return importPath[strings.LastIndex(importPath, "/")+1:]
	}
	return ""
}
