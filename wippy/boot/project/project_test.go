package project_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/boot/project"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestWithoutLockTheSrcDirectoryIsTakenAndSaid(t *testing.T) {
	dir := tree(t, map[string]string{"src/_index.yaml": ""})
	layout, err := project.Locate(dir, "", nil)
	sources, note := layout.Sources, layout.Note
	if err != nil || len(sources) != 1 || sources[0].Dir != filepath.Join(dir, "src") || note == "" {
		t.Errorf("Locate = %v, %q, %v", sources, note, err)
	}
	bare := t.TempDir()
	if layout, _ := project.Locate(bare, "", nil); layout.Sources[0].Dir != bare {
		t.Errorf("without src: %v", sources)
	}
	if _, err := project.Locate(bare, "my.lock", nil); !errors.Is(err, project.ErrNoLock) {
		t.Errorf("a named lock may be missing: %v", err)
	}
}

func TestLoadOrderIsSourceReplacementsVendored(t *testing.T) {
	dir := tree(t, map[string]string{
		"wippy.lock": `
directories: {modules: .wippy, src: ./app}
modules:
  - {name: acme/a, version: 1.0.0}
  - {name: acme/b, version: 2.0.0}
  - {name: acme/c, version: 3.0.0}
replacements:
  - {from: acme/a, to: ../local}
`,
		"app/x.yaml":                        "",
		".wippy/vendor/acme/b/src/x.yaml":   "",
		".wippy/vendor/acme/c-3.0.0/x.yaml": "",
		"local/x.yaml":                      "",
	})
	if err := os.Rename(filepath.Join(dir, "local"), filepath.Join(filepath.Dir(dir), "local")); err != nil {
		t.Fatal(err)
	}
	layout, err := project.Locate(dir, "", nil)
	sources := layout.Sources
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sources {
		rel, err := filepath.Rel(dir, s.Dir)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Module+"="+filepath.ToSlash(rel))
	}
	want := "=app acme/a=../local acme/b=.wippy/vendor/acme/b/src acme/c=.wippy/vendor/acme/c-3.0.0"
	if strings.Join(got, " ") != want {
		t.Errorf("order %v, want %s", got, want)
	}
}

func TestBadLocksSayWhatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"bad name":      {"modules: [{name: x, version: 1}]", `"x" is not of the form org/module`},
		"no version":    {"modules: [{name: a/x}]", `module "a/x" has empty version`},
		"empty src":     {"directories: {src: \"\"}", "directories.src cannot be empty"},
		"empty modules": {"directories: {modules: \"\"}", "directories.modules cannot be empty"},
		"half replaced": {"replacements: [{from: a/b}]", "both from and to are required"},
		"no directory":  {"replacements: [{from: a/b, to: ./nowhere}]", "does not exist"},
		"not yaml":      {"directories: [", "wippy.lock"},
		"not vendored":  {"modules: [{name: a/x, version: 1.2.3}]", "a/x@1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := project.Locate(tree(t, map[string]string{"wippy.lock": tc.text}), "", nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

func TestWriteSortsAndKeepsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wippy.lock")
	lock := project.Default()
	lock.Modules = []project.Module{{Name: "b/b", Version: "1"}, {Name: "a/a", Version: "1"}, {Name: "b/b", Version: "1"}}
	if err := lock.Write(path); err != nil {
		t.Fatal(err)
	}
	back, err := project.Read(path)
	if err != nil || len(back.Modules) != 2 || back.Modules[0].Name != "a/a" {
		t.Errorf("read back %+v, %v", back, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestWorkspaceReplacesModules(t *testing.T) {
	dir := tree(t, map[string]string{
		"wippy.lock":                 "directories: {modules: .wippy, src: src}\nmodules: [{name: a/vendored, version: 1.0.0}, {name: a/replaced, version: 2.0.0}]\nreplacements: [{from: a/replaced, to: old}]\n",
		"src/x":                      "",
		".wippy/vendor/a/vendored/x": "",
		"old/x":                      "",
		"new/src/x":                  "",
		"other/x":                    "",
	})
	w, err := project.NewWorkspace(map[string]any{"a/replaced": "new", "a/vendored": "other", "a/canceled": nil}, dir)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := project.Locate(dir, "", w)
	if err != nil || !strings.Contains(layout.Deprecated, "replacements are deprecated") {
		t.Fatalf("%+v, %v", layout, err)
	}
	var got []string
	for _, s := range layout.Sources {
		rel, _ := filepath.Rel(dir, s.Dir)
		got = append(got, s.Module+" "+s.Version+" "+filepath.ToSlash(rel))
	}
	if want := []string{"  src", "a/replaced 2.0.0 new/src", "a/vendored 1.0.0 other"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	_, err = project.NewWorkspace(map[string]any{"a/gone": "nowhere", "plain": "new", "a/number": 1, "a/empty": ""}, dir)
	for _, want := range []string{"workspace.replacements.a/gone: directory", `"plain" is not of the form org/module`, "workspace.replacements.a/number: must be a directory, got 1", "a/empty"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}
