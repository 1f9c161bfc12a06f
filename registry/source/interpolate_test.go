// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wippyrun/kit/registry/source"
)

func TestInterpolation(t *testing.T) {
	es := mustLoad(t,
		"app/a.yaml", "namespace: app\nmeta: {doc: file://doc.md}\nentries:\n  - name: x\n    kind: k\n    source: file://sub/x.lua\n    lib: file:///lib/l.lua\n    deep: [{s: file://../lib/l.lua}]\n    file://key: 1\n",
		"app/doc.md", "D", "app/sub/x.lua", "return 1\n", "lib/l.lua", "L")
	wantOne(t, es, "app:x", "k", m{"doc": "D"}, m{"source": "return 1\n", "lib": "L", "deep": []any{m{"s": "L"}}, "file://key": 1.0})

	for ref, want := range map[string]string{
		"file://":                      "empty file path in file:// URL",
		"file:///":                     "empty file path in file:// URL",
		"file://../../etc/passwd":      "path traversal detected in file path: ../../etc/passwd",
		"file:///../x":                 "path traversal detected in file path: /../x",
		"file://sub/../../../x":        "path traversal detected",
		"file://a\\0b":                 "failed to read file",
		"file:///app":                  "failed to read file",
		`"file://a\0b"`:                "invalid file path",
		"file://nothing/here/file.lua": "failed to read file src/app/nothing/here/file.lua",
	} {
		_, _, err := load(t, source.Options{}, "app/a.yaml", "namespace: app\nentries:\n  - name: x\n    kind: k\n    source: "+ref+"\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "src/app/a.yaml:5:13: entries[0].source: interpolation failed") {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestSymbolicLinksCannotLeaveTheTree(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "src")
	if err := errors.Join(
		os.Mkdir(src, 0o755),
		os.WriteFile(filepath.Join(dir, "secret"), []byte("s"), 0o600),
		os.Symlink(filepath.Join(dir, "secret"), filepath.Join(src, "link")),
		os.WriteFile(filepath.Join(src, "a.yaml"), []byte("namespace: app\nentries:\n  - {name: x, kind: k, s: 'file://link'}\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	_, err := source.Load(t.Context(), []string{src}, source.Options{})
	if err == nil || !strings.Contains(err.Error(), "path traversal detected in file path: link") {
		t.Errorf("error %v", err)
	}
}

func TestAFileNamedTwiceIsReadOnce(t *testing.T) {
	files := countingFS{tree("a.yaml", "namespace: app\nmeta: {doc: file://x.lua}\nentries:\n  - {name: x, kind: k, source: file://x.lua}\n  - {name: y, kind: k, source: file:///x.lua}\n", "x.lua", "return 1"), map[string]int{}}
	es, err := source.LoadFS(t.Context(), files, "src", source.Options{Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if v, _ := e.Field("data.source"); v != "return 1" || e.SourceFile("data.source") != "src/x.lua" || e.SourceFile("meta.doc") != "src/x.lua" {
			t.Errorf("%v: %v from %s", e.ID, v, e.SourceFile("data.source"))
		}
	}
	if n := files.reads["x.lua"]; n != 1 {
		t.Errorf("read %d times", n)
	}
}

// countingFS counts how often a file is read.
type countingFS struct {
	fstest.MapFS
	reads map[string]int
}

func (c countingFS) ReadFile(name string) ([]byte, error) {
	c.reads[name]++
	return c.MapFS.ReadFile(name)
}
