// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

// embedding runs Embed over directories that exist when they are in dirs, and returns
// what was attached.
func embedding(t *testing.T, es []registry.Entry, dirs map[string]fs.FS, patterns ...string) ([]registry.Entry, []string, []stage.Warning, error) {
	t.Helper()
	attached := map[string]bool{}
	out, warnings, err := run(t, es, stage.Embed(
		func(_ registry.Entry, dir string) (fs.FS, error) {
			if dirs[dir] == nil {
				return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
			}
			return dirs[dir], nil
		},
		func(id registry.ID, content fs.FS) error {
			if _, err := fs.Stat(content, "bad"); err == nil {
				return errors.New("cannot be packed")
			}
			attached[id.String()] = true
			return nil
		}, stage.EmbedOptions{Patterns: patterns}))
	return out, slices.Sorted(maps.Keys(attached)), warnings, err
}

func directory(id, dir string) registry.Entry {
	return entry(id, stage.KindDirectory, m{"comment": "c"}, m{"directory": dir, "mode": "0755"})
}

func TestEmbed(t *testing.T) {
	dirs := map[string]fs.FS{"web": fstest.MapFS{}, "docs": fstest.MapFS{}}
	es := []registry.Entry{directory("app:web", "web"), entry("app:x", "k", nil, nil), directory("app.sub:docs", "docs"), directory("app:gone", "gone")}
	for _, c := range []struct {
		patterns []string
		want     string
		warnings []string
	}{
		{nil, "app.sub:docs app:web", []string{"app:gone: directory gone does not exist; not embedded"}},
		{[]string{"**"}, "app.sub:docs app:web", []string{"app:gone: directory gone does not exist; not embedded"}},
		{[]string{"web"}, "app:web", nil},
		{[]string{"app:web"}, "app:web", nil},
		{[]string{"app.sub:**"}, "app.sub:docs", nil},
		{[]string{"app.*:*", "none", "app:x"}, "app.sub:docs", []string{`"none" selects no entry of kind fs.directory`, `"app:x" selects no entry of kind fs.directory`}},
	} {
		out, attached, warnings, err := embedding(t, es, dirs, c.patterns...)
		if err != nil || strings.Join(attached, " ") != c.want {
			t.Errorf("%q: attached %q, %v", c.patterns, attached, err)
		}
		wantWarnings(t, warnings, c.warnings...)
		for i, e := range out {
			want := es[i]
			if slices.Contains(attached, e.ID.String()) {
				want.Kind, want.Data = stage.KindEmbed, m{}
			}
			if !e.Equal(want) {
				t.Errorf("%q: %v, want %v", c.patterns, e, want)
			}
		}
	}
}

func TestEmbedReportsEveryEntryItCannotEmbed(t *testing.T) {
	es := append(parse(t, "namespace: app\nentries:\n  - name: a\n    kind: fs.directory\n    directory: bad\n"),
		entry("app:b", stage.KindDirectory, nil, nil), directory("app:c", "web"))
	_, attached, _, err := embedding(t, es, map[string]fs.FS{"bad": fstest.MapFS{"bad": {}}, "web": fstest.MapFS{}})
	wantError(t, err, "Internal", "stage 'embed_fs' failed",
		"src/a.yaml:5:16: app:a: failed to embed bad: cannot be packed", "app:b: directory path is required")
	if !slices.Equal(attached, []string{"app:c"}) {
		t.Errorf("attached %q", attached)
	}
}
