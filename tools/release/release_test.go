// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wippyrun/kit/tools/check/repo"
)

// tree is a small repository of two modules in git.
func tree(t *testing.T) environment {
	t.Helper()
	root := t.TempDir()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull) // of whoever runs the tests
	for file, text := range map[string]string{
		"go.work":              "go 1.26.0\n\nuse (\n\t./a\n\t./b\n)\n",
		"tools/versions.yaml":  "a: v0.1.0\nb: v0.1.0\n",
		"a/go.mod":             "module example.com/kit/a\n\ngo 1.26.0\n",
		"a/a.go":               "// Package a is first.\npackage a\n\n// F is one.\nfunc F() int { return 1 }\n",
		"a/CHANGELOG.md":       "# Changelog\n\n## [0.1.0]\n\n- all\n",
		"b/go.mod":             "module example.com/kit/b\n\ngo 1.26.0\n\nrequire example.com/kit/a v0.1.0\n\nreplace example.com/kit/a => ../a\n",
		"b/b.go":               "// Package b is second.\npackage b\n\nimport \"example.com/kit/a\"\n\n// G is a's.\nfunc G() int { return a.F() }\n",
		"b/internal/hidden.go": "// Package hidden is nobody's business.\npackage hidden\n\n// X changes.\nconst X = 1\n",
		"b/CHANGELOG.md":       "# Changelog\n\n## [0.1.0] - today\n\n- all\n",
	} {
		write(t, filepath.Join(root, file), text)
	}
	git(t, root, "init", "--quiet", "--initial-branch=main")
	git(t, root, "config", "user.email", "dev@example.com")
	git(t, root, "config", "user.name", "dev")
	git(t, root, "config", "maintenance.auto", "false") // which may still run when the directory is removed
	git(t, root, "config", "gc.auto", "0")
	commit(t, root)
	return reload(t, root)
}

func reload(t *testing.T, root string) environment {
	t.Helper()
	rp, err := repo.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	versions, err := readVersions(root)
	if err != nil {
		t.Fatal(err)
	}
	return environment{rp, versions, &bytes.Buffer{}, &bytes.Buffer{}}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func commit(t *testing.T, root string) {
	t.Helper()
	git(t, root, "add", "--all")
	git(t, root, "commit", "--quiet", "-m", "change")
}

func TestTagsAreWithoutReplaceLines(t *testing.T) {
	e := tree(t)
	if err := tag(context.Background(), e, []string{"-n"}); err != nil {
		t.Fatal(err)
	}
	if tags := git(t, e.repo.Root, "tag"); tags != "" {
		t.Errorf("a dry run tags %s", tags)
	}
	head := git(t, e.repo.Root, "rev-parse", "HEAD")
	if err := tag(context.Background(), e, nil); err != nil {
		t.Fatal(err)
	}
	if got := git(t, e.repo.Root, "tag"); got != "a/v0.1.0\nb/v0.1.0\n" {
		t.Errorf("tags are %q", got)
	}
	if mod := git(t, e.repo.Root, "show", "b/v0.1.0:b/go.mod"); strings.Contains(mod, "replace") || !strings.Contains(mod, "example.com/kit/a v0.1.0") {
		t.Errorf("the tagged go.mod is\n%s", mod)
	}
	if git(t, e.repo.Root, "rev-parse", "HEAD") != head || git(t, e.repo.Root, "status", "--porcelain") != "" {
		t.Error("the branch was changed")
	}
	if err := tag(context.Background(), e, nil); err != nil || !strings.Contains(e.stdout.(*bytes.Buffer).String(), "every version is tagged already") {
		t.Errorf("again: %v, %s", err, e.stdout)
	}
	write(t, filepath.Join(e.repo.Root, "a/new.go"), "package a\n")
	if err := tag(context.Background(), e, nil); err == nil || !strings.Contains(err.Error(), "not committed") {
		t.Errorf("with changes: %v", err)
	}
}

func TestTheAPIDecidesTheVersion(t *testing.T) {
	for name, tt := range map[string]struct {
		source, version, want string
	}{
		"nothing changed":        {"", "v0.1.1", ""},
		"only what is hidden":    {"hidden", "v0.1.1", ""},
		"added, same version":    {"package a\n\n// F is one.\nfunc F() int { return 1 }\n\n// H is new.\nfunc H() {}\n", "v0.1.0", "a: the API has changed since v0.1.0"},
		"added, patch":           {"package a\n\n// F is one.\nfunc F() int { return 1 }\n\n// H is new.\nfunc H() {}\n", "v0.1.1", "asks for a new minor version"},
		"added, minor":           {"package a\n\n// F is one.\nfunc F() int { return 1 }\n\n// H is new.\nfunc H() {}\n", "v0.2.0", ""},
		"broken, patch":          {"package a\n\n// F is one.\nfunc F(int) int { return 1 }\n", "v0.1.1", "v0.1.1 breaks the API of v0.1.0"},
		"broken, minor before 1": {"package a\n\n// F is one.\nfunc F(int) int { return 1 }\n", "v0.2.0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := tree(t)
			if err := tag(t.Context(), e, nil); err != nil {
				t.Fatal(err)
			}
			root := e.repo.Root
			switch tt.source {
			case "":
			case "hidden":
				write(t, filepath.Join(root, "b/internal/hidden.go"), "// Package hidden changes.\npackage hidden\n")
			default:
				write(t, filepath.Join(root, "a/a.go"), tt.source)
				write(t, filepath.Join(root, "b/b.go"), "package b\n\n// G is one.\nfunc G() int { return 1 }\n")
				write(t, filepath.Join(root, "b/go.mod"), "module example.com/kit/b\n\ngo 1.26.0\n")
			}
			write(t, filepath.Join(root, "tools/versions.yaml"), "a: "+tt.version+"\nb: v0.1.0\n")
			write(t, filepath.Join(root, "a/CHANGELOG.md"), "## ["+tt.version[1:]+"]\n\n- more\n")
			if tt.source == "" || tt.source == "hidden" {
				write(t, filepath.Join(root, "b/go.mod"), "module example.com/kit/b\n\ngo 1.26.0\n\nrequire example.com/kit/a "+tt.version+"\n\nreplace example.com/kit/a => ../a\n")
			}
			commit(t, root)
			err := reload(t, root).check(t.Context(), true)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestDisagreementsAreTold(t *testing.T) {
	e := tree(t)
	root := e.repo.Root
	write(t, filepath.Join(root, "tools/versions.yaml"), "a: v0.2\nc: v1.0.0\n")
	write(t, filepath.Join(root, "a/CHANGELOG.md"), "# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n\n- all\n")
	err := reload(t, root).check(t.Context(), false)
	for _, want := range []string{
		`a: "v0.2" is no version such as v1.2.3`,
		"b has no version: add a line to tools/versions.yaml",
		"c is in tools/versions.yaml, but there is no such module",
		"b/go.mod requires example.com/kit/a v0.1.0, but its version is v0.2",
		"a/CHANGELOG.md tells nothing of v0.2",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	if fitsPath("example.com/a", "v2.0.0") || !fitsPath("example.com/a/v2", "v2.0.0") || !fitsPath("example.com/a", "v1.9.0") {
		t.Error("paths and major versions")
	}
}

func TestBillOfMaterials(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := billOfMaterials(self, "v9.9.9")
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BomFormat  string
		Components []component
	}
	if err := json.Unmarshal(text, &bill); err != nil || bill.BomFormat != "CycloneDX" {
		t.Fatalf("%v: %s", err, text)
	}
	found := false
	for _, c := range bill.Components {
		found = found || c.Name == "golang.org/x/mod" && c.PURL == "pkg:golang/golang.org/x/mod@"+c.Version
	}
	if !found {
		t.Errorf("golang.org/x/mod is not in\n%s", text)
	}
}

func TestMisuseTellsTheVerbs(t *testing.T) {
	for _, args := range [][]string{nil, {"publish"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != 2 || !strings.Contains(errs.String(), "check") {
			t.Errorf("%v: exit %d, %s", args, code, &errs)
		}
	}
}
