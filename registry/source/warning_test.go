// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/wippyrun/kit/registry/source"
)

func TestInexactIntegerIsAWarning(t *testing.T) {
	_, warnings, err := load(t, source.Options{}, "a.yaml", "namespace: app\nname: x\nkind: k\nn: 9007199254740993\nm: 18446744073709551615\nok: 9007199254740992\n")
	if err != nil || len(warnings) != 2 || !strings.HasPrefix(warnings[0], "src/a.yaml:4:4: n: integer 9007199254740993 cannot be represented exactly (quote it") {
		t.Errorf("%q, %v", warnings, err)
	}
}

// What is read and yet does not count is told.
func TestWhatIsIgnoredIsAWarning(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"a second document", "a.yaml", "namespace: app\nname: x\nkind: k\nx: 1\n---\n# y\nnamespace: app\nname: y\nkind: k\n",
			"src/a.yaml:7:1: only the first document of a file is read; what follows is ignored"},
		{"a document behind an end", "a.yaml", "%YAML 1.2\n---\nnamespace: app\nname: x\nkind: k\nx: 1\n...\nfoo\n",
			"src/a.yaml:8:1: only the first document of a file is read; what follows is ignored"},
		{"a misspelt field next to a list", "a.yaml", "namespace: app\nmta: {a: 1}\nx-meta: {}\nentries:\n  - {name: x, kind: k, x: 1}\n",
			`src/a.yaml:2:1: mta: unknown field; ignored (did you mean "meta"?)`},
		{"metadata that is no map", "a.yaml", "namespace: app\nentries:\n  - {name: x, kind: k, meta: 3, x: 1}\n",
			"src/a.yaml:3:30: entries[0].meta: meta must be a map; ignored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			es, warnings, err := load(t, source.Options{}, c.file, c.text)
			if err != nil {
				t.Fatal(err)
			}
			wantOne(t, es, "app:x", "k", nil, m{"x": 1.0})
			if !slices.Equal(warnings, []string{c.want}) {
				t.Errorf("warnings %q\nwant %q", warnings, c.want)
			}
		})
	}
}

func TestFilesThatDefineNothingAreAWarning(t *testing.T) {
	_, warnings, err := load(t, source.Options{},
		"a.yaml", "namespace: app\nname: x\n", "b.yaml", "namespace: app\nkind: k\n",
		"c.yaml", "namspace: app\nname: x\nkind: k\n",
		"d.yaml", "namespaces: [a]\nentries: [1]\n",
	)
	want := []string{
		"src/a.yaml:2:7: name: a file with namespace and name but without kind defines nothing",
		"src/b.yaml:2:7: kind: a file with namespace and kind but without name defines nothing",
		`src/c.yaml:1:1: namspace: unknown field in a file of entries without a namespace (did you mean "namespace"?)`,
		`src/d.yaml:1:1: namespaces: unknown field in a file of entries without a namespace (did you mean "namespace"?)`,
	}
	if err != nil || !slices.Equal(warnings, want) {
		t.Errorf("%v, warnings %q\nwant %q", err, warnings, want)
	}
}

func TestTheEndOfADocumentAloneIsNoSecondOne(t *testing.T) {
	mustLoad(t, "a.yaml", "# c\n---\nnamespace: app\nname: x\nkind: k\ns: |\n  ---\n  text\n--- # nothing\n...\n\n# end\n",
		"b.yaml", "namespace: app\nname: y\nkind: k\n...\n")
}

func TestADirectoryThatCannotBeReadIsAProblem(t *testing.T) {
	files := brokenDir{tree("a.yaml", "namespace: app\nname: x\nkind: k\n", "b/c.yaml", "namespace: app\nname: y\nkind: k\n", "d.yaml", "namespace: app\nname: z\n  kind: k\n")}
	_, err := source.LoadFS(t.Context(), files, "src", source.Options{})
	var ps source.Problems
	if !errors.As(err, &ps) || len(ps) != 2 || ps[0].Error() != "src/b: failed to read directory: permission denied" || ps[1].Line != 3 {
		t.Errorf("error %v", err)
	}
	var warnings []string
	es, err := source.LoadFS(t.Context(), files, "src", source.Options{Lenient: true, Warn: func(p *source.Problem) { warnings = append(warnings, p.Error()) }})
	if err != nil || len(es) != 1 || len(warnings) != 2 {
		t.Errorf("lenient: %v, %q, %v", es, warnings, err)
	}
}

// brokenDir fails to list the directory b.
type brokenDir struct{ fstest.MapFS }

func (f brokenDir) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "b" {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.ReadDir(name)
}

func TestPipesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(
		syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600),
		os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("namespace: app\nname: x\nkind: k\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	es, err := source.Load(t.Context(), []string{dir}, source.Options{Warn: func(p *source.Problem) { warnings = append(warnings, p.Error()) }})
	if err != nil || len(es) != 1 || len(warnings) != 1 || !strings.HasSuffix(warnings[0], "pipe.yaml: not a file; skipped") {
		t.Errorf("%v, %q, %v", es, warnings, err)
	}
}

func TestAliasesCannotExplode(t *testing.T) {
	var b strings.Builder
	b.WriteString("namespace: app\nname: x\nkind: k\na0: &a0 [1,1,1,1,1,1,1,1,1,1]\n")
	for i := range 9 {
		n := string(rune('0' + i))
		b.WriteString("a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.TrimSuffix(strings.Repeat("*a"+n+",", 10), ",") + "]\n")
	}
	_, _, err := load(t, source.Options{}, "a.yaml", b.String())
	if err == nil || !strings.Contains(err.Error(), "aliases expand to more than") {
		t.Errorf("error %v", err)
	}
}
