// SPDX-License-Identifier: Apache-2.0

package pack_test

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/pack"
)

// workspace has a module in a module, a command, and files that do not belong into
// a zip.
const workspace = `
-- go.work --
go 1.26.0

use (
	./lib
	./lib/sub
	./cmd
)
-- LICENSE --
of the repository
-- lib/go.mod --
module example.com/lib

go 1.26.0
-- lib/lib.go --
package lib
-- lib/testdata/nested/go.mod --
module example.com/nested
-- lib/testdata/nested/x.go --
package nested
-- lib/testdata/plain.txt --
plain
-- lib/.hidden/x.txt --
hidden
-- lib/vendor/example.com/v/v.go --
package v
-- lib/sub/go.mod --
module example.com/lib/sub

go 1.26.0

require example.com/lib v0.3.0

replace example.com/lib => ../
-- lib/sub/LICENSE --
of the module
-- lib/sub/sub.go --
package sub
-- cmd/go.mod --
module example.com/Cmd

go 1.26.0

require (
	example.com/lib v0.3.0 // indirect
	example.com/lib/sub v0.4.1
)

replace example.com/lib => ../lib

replace example.com/lib/sub => ../lib/sub
-- cmd/main.go --
package main
`

// extract writes a workspace and returns its root.
func extract(t *testing.T, archive string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
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

// packAll packs the workspace at root and returns the modules and the proxy.
func packAll(t *testing.T, root string, opts pack.Options) (map[string]*pack.Module, string) {
	t.Helper()
	rp, err := repo.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	proxy := t.TempDir()
	modules, err := pack.Proxy(t.Context(), rp, proxy, opts)
	if err != nil {
		t.Fatal(err)
	}
	return modules, proxy
}

// contents returns the files of a module zip by name, without the common prefix.
func contents(t *testing.T, proxy, escaped, version string) map[string]string {
	t.Helper()
	r, err := zip.OpenReader(filepath.Join(proxy, escaped, "@v", version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := make(map[string]string)
	for _, f := range r.File {
		_, name, _ := strings.Cut(f.Name, "@"+version+"/")
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(data)
	}
	return out
}

func names(files map[string]string) []string {
	var out []string
	for name := range files {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestZipHoldsWhatTheGoCommandWouldTake(t *testing.T) {
	root := extract(t, workspace)
	for _, link := range []string{"link.go", "testdata/link"} {
		if err := os.Symlink(filepath.Join(root, "lib", "lib.go"), filepath.Join(root, "lib", filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	modules, proxy := packAll(t, root, pack.Options{})
	tests := []struct {
		path, escaped, version, license string
		want                            []string
	}{
		{"example.com/lib", "example.com/lib", "v0.3.0", "of the repository\n",
			[]string{".hidden/x.txt", "LICENSE", "go.mod", "lib.go", "testdata/plain.txt"}},
		{"example.com/lib/sub", "example.com/lib/sub", "v0.4.1", "of the module\n",
			[]string{"LICENSE", "go.mod", "sub.go"}},
		{"example.com/Cmd", "example.com/!cmd", "v0.4.1", "of the repository\n",
			[]string{"LICENSE", "go.mod", "main.go"}},
	}
	if len(modules) != len(tests) {
		t.Errorf("%d modules packed", len(modules))
	}
	for _, tt := range tests {
		if m := modules[tt.path]; m == nil || m.Version.Version != tt.version || !strings.HasPrefix(m.Sum, "h1:") {
			t.Errorf("%s is %+v, want version %s", tt.path, m, tt.version)
		}
		files := contents(t, proxy, tt.escaped, tt.version)
		if got := names(files); !slices.Equal(got, tt.want) {
			t.Errorf("%s holds %q, want %q", tt.path, got, tt.want)
		}
		if files["LICENSE"] != tt.license {
			t.Errorf("%s has the licence %q", tt.path, files["LICENSE"])
		}
		at := filepath.Join(proxy, tt.escaped, "@v")
		if got := read(t, at, "list"); got != tt.version+"\n" {
			t.Errorf("%s: list is %q", tt.path, got)
		}
		if got := read(t, at, tt.version+".info"); got != `{"Version":"`+tt.version+`"}` {
			t.Errorf("%s: info is %s", tt.path, got)
		}
		if got := read(t, at, tt.version+".mod"); got != files["go.mod"] {
			t.Errorf("%s: go.mod in the zip differs from the one beside it:\n%s", tt.path, got)
		}
	}
}

func TestGoModIsPackedAsItIsUnlessAskedOtherwise(t *testing.T) {
	root := extract(t, workspace)
	sub, cmd := read(t, root, "lib", "sub", "go.mod"), read(t, root, "cmd", "go.mod")
	tests := []struct {
		name             string
		opts             pack.Options
		wantSub, wantCmd string
	}{
		{"as it is", pack.Options{}, sub, cmd},
		{"command", pack.Options{Commands: []string{"example.com/Cmd"}},
			sub, cmd[:strings.Index(cmd, "\nreplace")]},
		{"wrong", pack.Options{Require: map[string]string{"example.com/lib": "v0.9.9"}},
			strings.Replace(sub, "v0.3.0", "v0.9.9", 1), strings.Replace(cmd, "v0.3.0", "v0.9.9", 1)},
		{"wrong but equal", pack.Options{Require: map[string]string{"example.com/lib": "v0.3.0"}}, sub, cmd},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			modules, proxy := packAll(t, root, tt.opts)
			if got := contents(t, proxy, "example.com/lib/sub", "v0.4.1")["go.mod"]; got != tt.wantSub {
				t.Errorf("go.mod of sub:\n%s\nwant\n%s", got, tt.wantSub)
			}
			if got := contents(t, proxy, "example.com/!cmd", "v0.4.1")["go.mod"]; got != tt.wantCmd {
				t.Errorf("go.mod of cmd:\n%s\nwant\n%s", got, tt.wantCmd)
			}
			if got, want := len(modules["example.com/Cmd"].GoMod.Replace), strings.Count(tt.wantCmd, "replace"); got != want {
				t.Errorf("GoMod has %d replace lines, want %d", got, want)
			}
		})
	}
}

func TestPackingIsReproducible(t *testing.T) {
	first, _ := packAll(t, extract(t, workspace), pack.Options{})
	again, _ := packAll(t, extract(t, workspace), pack.Options{})
	changed, _ := packAll(t, extract(t, strings.Replace(workspace, "package lib\n", "package lib // new\n", 1)), pack.Options{})
	for path, m := range first {
		if again[path].Sum != m.Sum {
			t.Errorf("%s has two sums for the same files", path)
		}
		if same := changed[path].Sum == m.Sum; same == (path == "example.com/lib") {
			t.Errorf("%s: the sum of changed files is the same: %t", path, same)
		}
	}
}

func TestIgnoredAndDeletedFilesOfAGitTreeStayOut(t *testing.T) {
	root := extract(t, workspace+`
-- .gitignore --
*.bin
-- lib/local.bin --
ignored
-- lib/gone.go --
package lib
`)
	git := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	git("add", ".")
	if err := os.Remove(filepath.Join(root, "lib", "gone.go")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "lib", "new.go"), []byte("package lib\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, proxy := packAll(t, root, pack.Options{})
	want := []string{".hidden/x.txt", "LICENSE", "go.mod", "lib.go", "new.go", "testdata/plain.txt"}
	if got := names(contents(t, proxy, "example.com/lib", "v0.3.0")); !slices.Equal(got, want) {
		t.Errorf("zip holds %q, want %q", got, want)
	}
}

func TestProxyReportsWhatCannotBePacked(t *testing.T) {
	tests := []struct{ name, archive, want string }{
		{"no module", strings.Replace(workspace, "./cmd\n", "./cmd\n\t./none\n", 1), "go.work uses ./none, which has no go.mod"},
		{"two versions", strings.Replace(workspace, "v0.3.0 // indirect", "v0.2.0 // indirect", 1),
			"cmd/go.mod requires example.com/lib v0.2.0, but lib/sub/go.mod requires v0.3.0"},
		{"no version", "-- go.work --\ngo 1.26.0\nuse ./a\n-- a/go.mod --\nmodule example.com/a\n", "no version is known"},
		{"bad name", workspace + "-- lib/a*b.go --\npackage lib\n", "a*b.go"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rp, err := repo.Load(extract(t, tt.archive))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pack.Proxy(t.Context(), rp, t.TempDir(), pack.Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
