// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"strings"

	"github.com/wippyrun/kit/tools/check/repo"
)

var documents = Rule{
	Name:  "documents",
	About: "primitives carry README, doc.go, CHANGELOG, examples, benchmarks, fuzz or property tests; tests they name exist",
	Check: checkDocuments,
}

// maxReadme is the length of a README that is read to the end.
const maxReadme = 100

func checkDocuments(_ context.Context, env Env) ([]Problem, error) {
	var out []Problem
	for _, m := range env.Repo.Modules {
		r := rowFor(m.Dir)
		if r == nil || r.dir != m.Dir || !r.primitive {
			continue
		}
		tests, problems := collectTests(m)
		out = append(out, problems...)
		for _, want := range []struct {
			has       bool
			what, fix string
		}{
			{tests.has("Example"), "example", "show the 30-second use as func Example() in example_test.go"},
			{tests.has("Benchmark"), "benchmark", "measure the hot path and its rivals in bench_test.go"},
			{tests.has("Fuzz") || tests.rapid, "fuzz or property test", "test the core invariant with func FuzzXxx or pgregory.net/rapid"},
			{tests.leaks, "goroutine-leak check", "call goleak.VerifyTestMain in TestMain"},
			{tests.allocs || r.cold, "allocation test", "assert testing.AllocsPerRun of the hot path"},
		} {
			if !want.has {
				out = append(out, Problem{File: m.GoMod(), Message: "module has no " + want.what, Fix: want.fix})
			}
		}
		more, err := checkTexts(m, tests)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// moduleTests is what the test files of a module declare and use.
type moduleTests struct {
	names                map[string]bool
	rapid, leaks, allocs bool
}

// has reports whether a test has that name or a longer one, as go test -run would
// find it.
func (t *moduleTests) has(prefix string) bool {
	for n := range t.names {
		if strings.HasPrefix(n, prefix) {
			return true
		}
	}
	return false
}

func collectTests(m *repo.Module) (*moduleTests, []Problem) {
	t := &moduleTests{names: make(map[string]bool)}
	var out []Problem
	for _, f := range m.Files {
		if !f.IsTest() {
			continue
		}
		p, err := f.Parse()
		if err != nil {
			out = append(out, syntaxProblem(f, err))
			continue
		}
		for _, d := range p.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				t.names[fn.Name.Name] = true
			}
		}
		for _, s := range p.AST.Imports {
			t.rapid = t.rapid || s.Path.Value == `"pgregory.net/rapid"`
		}
		ast.Inspect(p.AST, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				t.leaks = t.leaks || s.Sel.Name == "VerifyTestMain"
				t.allocs = t.allocs || s.Sel.Name == "AllocsPerRun" || s.Sel.Name == "AllocsPerOp"
			}
			return true
		})
	}
	return t, out
}

var testName = regexp.MustCompile(`\b(Test|Fuzz|Benchmark)[A-Z]\w*`)

// checkTexts looks at README.md, doc.go and CHANGELOG.md of a module: they must be
// there, and the tests that they name must exist.
func checkTexts(m *repo.Module, tests *moduleTests) ([]Problem, error) {
	var out []Problem
	for _, name := range []string{"README.md", "doc.go", "CHANGELOG.md"} {
		var file *repo.File
		for _, f := range m.Files {
			if f.Path == path.Join(m.Dir, name) {
				file = f
			}
		}
		if file == nil {
			out = append(out, Problem{File: path.Join(m.Dir, name), Message: "missing", Fix: "write it"})
			continue
		}
		data, err := file.Read()
		if err != nil {
			return nil, err
		}
		if n := bytes.Count(data, []byte("\n")); name == "README.md" && n > maxReadme {
			out = append(out, Problem{File: file.Path, Line: maxReadme + 1, Message: fmt.Sprintf("%d lines", n),
				Fix: fmt.Sprintf("shorten it to %d, details belong into doc.go", maxReadme)})
		}
		if name == "CHANGELOG.md" {
			if !bytes.Contains(data, []byte("\n## [Unreleased]")) {
				out = append(out, Problem{File: file.Path, Message: "no section for the next release", Fix: "add \"## [Unreleased]\""})
			}
			continue // names tests of the past
		}
		line := 0
		for text := range bytes.Lines(data) {
			line++
			for _, n := range testName.FindAllString(string(text), -1) {
				if !tests.has(n) {
					out = append(out, Problem{File: file.Path, Line: line, Message: "names " + n + ", which does not exist",
						Fix: "name the test that proves it"})
				}
			}
		}
	}
	return out, nil
}
