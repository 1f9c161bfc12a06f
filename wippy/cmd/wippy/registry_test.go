package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot"
)

// projectDir makes a project of files, given as names and contents.
func projectDir(t *testing.T, files map[string]string) string {
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

// While a runtime has the history open it can be read, and not changed by others.
func TestRollbackIsRefusedWhileARuntimeRuns(t *testing.T) {
	dir := projectDir(t, map[string]string{
		".wippy.yaml":     "version: \"1.0\"\nregistry: {history_type: sqlite}\n",
		"src/_index.yaml": "namespace: app\nentries: [{name: x, kind: registry.entry}]\n",
	})
	rt, err := boot.New(boot.Options{Dir: dir, Silent: true, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Shutdown()
	if err := rt.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var c registry.Changeset
	c.CreateEntry(registry.Entry{ID: registry.ParseID("app:y"), Kind: "registry.entry"})
	if _, err := rt.Registry().Apply(t.Context(), c, registry.Author("ada"), registry.Comment("why\nmore")); err != nil {
		t.Fatal(err)
	}

	code, stdout, stderr := runCLI("registry", "rollback", "v0", "--yes", "-C", dir)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "the history is in use: a runtime has") || !strings.Contains(stderr, "hint: stop it first") {
		t.Errorf("rollback: %d, %s%s", code, stdout, stderr)
	}
	for command, want := range map[string]string{
		"list":                  "Total: 2 entries",
		"history":               "ada     +1 ~0 -0  why\n",
		"diff":                  "+ app:y",
		"rollback v0 --dry-run": "- app:y",
	} {
		code, stdout, stderr := runCLI(append([]string{"registry", "-C", dir}, strings.Fields(command)...)...)
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("%s: %d, %s%s", command, code, stdout, stderr)
		}
	}

	rt.Shutdown()
	if code, stdout, stderr := runCLI("registry", "rollback", "v0", "--yes", "-C", dir); code != 0 || !strings.Contains(stdout, "now at v0") {
		t.Errorf("rollback afterwards: %d, %s%s", code, stdout, stderr)
	}
}

func TestTablesAreCutAndAligned(t *testing.T) {
	var b strings.Builder
	err := writeTable(&b, []column{{"A", 6}, {"LONG TITLE", 0}, {"C", 0}}, [][]string{{"ünïcödé", "x", ""}, {"1\t\x1b[31m", "", "y"}}, false)
	want := "A       LONG TITLE  C\n------  ----------  -\nünï...  x\n1\\t...              y\n"
	if err != nil || b.String() != want {
		t.Errorf("%v\n%q\nwant\n%q", err, b.String(), want)
	}
}

func FuzzMetaCriterion(f *testing.F) {
	for _, s := range []string{"a=b", "a~b", "a*b", "a^b", "a$b", "a", "=", "~", "a~[", "meta.a=1", "a=b~c", ""} {
		f.Add(s)
	}
	e := registry.Entry{ID: registry.ParseID("a:b"), Kind: "k", Meta: map[string]any{"a": "b", "list": []any{"x", 1.0}}}
	f.Fuzz(func(t *testing.T, text string) {
		match, err := metaCriterion(text)
		if (err == nil) != (match != nil) {
			t.Fatalf("%q: %v", text, err)
		}
		if err == nil {
			match(e)
		} else if !strings.Contains(err.Error(), "invalid --meta") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
