// SPDX-License-Identifier: Apache-2.0

package repo_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/wippyrun/kit/tools/check/repo"
)

const tree = `
-- go.work --
go 1.26.0

use ./a
-- README.md --
-- a/go.mod --
module example.com/a
-- a/x.go --
// Package a is a.
package a
-- a/x_test.go --
package a
-- a/testdata/ignored.go --
-- a/.hidden/ignored.go --
-- a/_drafts/ignored.go --
-- a/b/go.mod --
module example.com/a/b
-- a/b/c/x.go --
package {
`

func extract(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range txtar.Parse([]byte(tree)).Files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestFindLooksUpwards(t *testing.T) {
	root := extract(t)
	for _, dir := range []string{".", "a", "a/b/c"} {
		if got, err := repo.Find(filepath.Join(root, dir)); err != nil || got != root {
			t.Errorf("Find(%s) = %s, %v", dir, got, err)
		}
	}
	if got, err := repo.Find(t.TempDir()); err == nil {
		t.Errorf("Find without a workspace = %s", got)
	}
}

func TestLoadGivesEachFileItsClosestModule(t *testing.T) {
	r, err := repo.Load(extract(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Files {
		module := "-"
		if f.Module != nil {
			module = f.Module.Path()
		}
		got = append(got, f.Path+" "+module)
	}
	want := []string{
		"README.md -",
		"a/b/c/x.go example.com/a/b",
		"a/b/go.mod example.com/a/b",
		"a/go.mod example.com/a",
		"a/x.go example.com/a",
		"a/x_test.go example.com/a",
		"go.work -",
	}
	if !slices.Equal(got, want) {
		t.Errorf("files:\n%q\nwant\n%q", got, want)
	}
	if len(r.Modules) != 2 || r.Module("a/b").GoMod() != "a/b/go.mod" || r.Module("c") != nil {
		t.Errorf("modules: %v", r.Modules)
	}
}

func TestParseReportsSyntaxErrorsAndKeepsTrees(t *testing.T) {
	r, err := repo.Load(extract(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Files {
		if !f.IsGo() {
			continue
		}
		p, err := f.Parse()
		if broken := f.Path == "a/b/c/x.go"; (err != nil) != broken {
			t.Errorf("%s: %v", f.Path, err)
		}
		if err != nil {
			continue
		}
		if q, err := f.Parse(); err != nil || q != p {
			t.Errorf("%s was parsed twice", f.Path)
		}
		if f.Path == "a/x.go" && p.Line(p.AST.Package) != 2 {
			t.Errorf("package clause on line %d", p.Line(p.AST.Package))
		}
	}
}
