// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
	"github.com/wippyrun/kit/registry/stage"
)

func write(t *testing.T, text string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadDirs(t *testing.T) {
	dir := write(t, "namespace: app\nentries:\n  - {name: x, kind: k, n: 2}\n  - {name: y, kind: k, meta: 1}\n")
	es := []registry.Entry{entry("app:a", "k", nil, nil), entry("app:x", "k", nil, m{"n": 1.0})}
	out, warnings, err := run(t, es, stage.LoadDirs([]string{dir, dir + "/none"}, source.Options{}))
	if err != nil || names(out) != "app:a app:x app:y" || !find(out, "app:x").Equal(entry("app:x", "k", nil, m{"n": 2.0})) {
		t.Errorf("%v, %v", out, err)
	}
	wantWarnings(t, warnings,
		dir+"/a.yaml:4:30: entries[1].meta: meta must be a map; ignored",
		dir+"/none: path not found, skipping",
		dir+"/a.yaml:3:5: app:x: duplicate entries detected (will use last definition)")
	out, _, err = run(t, es, stage.LoadDirs(nil, source.Options{}))
	if err != nil || names(out) != "app:a app:x" {
		t.Errorf("nothing: %v, %v", out, err)
	}
}

func TestLoadDirsReportsTheProblemsOfFiles(t *testing.T) {
	dir := write(t, "namespace: app\nentries:\n  - {name: x}\n  - {kind: k}\n")
	_, _, err := run(t, nil, stage.LoadDirs([]string{dir}, source.Options{}))
	var ps source.Problems
	if !errors.As(err, &ps) || len(ps) != 2 || !strings.Contains(err.Error(), "stage 'loaddirs' failed") {
		t.Errorf("error %v", err)
	}
}
