package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot/project"
)

func manifest(t *testing.T, text string) project.Source {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, project.ManifestFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return project.Source{Dir: dir, Module: "acme/x", Root: dir}
}

func TestManifestExcludesEntriesByPatternAndMetadata(t *testing.T) {
	omit, err := manifest(t, `
organization: acme
exclude: ["*.tmp", "acme.x.**:*", "acme.x:dev_server"]
exclude_meta: {stage: [dev, demo], owner: {team: qa}}
`).Omit()
	if err != nil {
		t.Fatal(err)
	}
	for id, tc := range map[string]struct {
		meta map[string]any
		want bool
	}{
		"acme.x:dev_server": {nil, true},
		"acme.x.tests:any":  {nil, true},
		"acme.y:kept":       {nil, false},
		"acme.y:demo":       {map[string]any{"stage": "demo"}, true},
		"acme.y:qa":         {map[string]any{"owner": map[string]any{"team": "qa"}}, true},
		"acme.y:prod":       {map[string]any{"stage": "prod"}, false},
	} {
		if got := omit(registry.Entry{ID: registry.ParseID(id), Meta: tc.meta}); got != tc.want {
			t.Errorf("%s is omitted: %v", id, got)
		}
	}
}

func TestManifestsThatExcludeNothing(t *testing.T) {
	for name, source := range map[string]project.Source{
		"application": {Dir: t.TempDir()},
		"no manifest": {Dir: t.TempDir(), Module: "a/b", Root: t.TempDir()},
		"files only":  manifest(t, "exclude: ['*.tmp', docs/]\n"),
		"empty":       manifest(t, ""),
	} {
		if omit, err := source.Omit(); err != nil || omit != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMalformedManifestsAreErrors(t *testing.T) {
	for want, text := range map[string]string{
		"exclude: invalid entry pattern ':x': empty namespace": "exclude: [':x']",
		"exclude_meta.stage: must be a string or a list":       "exclude_meta: {stage: 1}",
		"cannot unmarshal": "exclude: 1",
		"did not find":     "exclude: [",
	} {
		_, err := manifest(t, text).Omit()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), project.ManifestFile) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
