package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/wippy/boot/config"
)

func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, config.DefaultFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestNestedMapsBecomeDottedKeysWithTypedGetters(t *testing.T) {
	dir := write(t, `
version: "1.0"
supervisor: {host: {worker_count: 4, buffer_size: 8.0}}
shutdown: {timeout: 5s}
security: {strict_mode: true}
disable:
  namespaces: ["test.**"]
  meta: {stage: [dev, qa]}
`)
	c, warnings, err := config.Load(dir, nil, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("Load: %v, warnings %v", err, warnings)
	}
	if got := c.Int("supervisor", "host.worker_count", 1); got != 4 {
		t.Errorf("worker_count = %d", got)
	}
	if got := c.Int("supervisor", "host.buffer_size", 1); got != 8 {
		t.Errorf("a whole float is not an integer: %d", got)
	}
	if got := c.Duration("shutdown", "timeout", 0); got != 5*time.Second {
		t.Errorf("timeout = %v", got)
	}
	if !c.Bool("security", "strict_mode", false) {
		t.Error("strict_mode lost")
	}
	if got := c.Strings("disable", "namespaces"); len(got) != 1 || got[0] != "test.**" {
		t.Errorf("namespaces = %v", got)
	}
	if _, ok := c.Sub("disable", "meta")["stage"]; !ok {
		t.Errorf("Sub = %v", c.Sub("disable", "meta"))
	}
	if got := c.Int("supervisor", "absent", 7); got != 7 {
		t.Errorf("default lost: %d", got)
	}
	if got := c.String("boot", "config_dir", ""); got == "" {
		t.Error("config_dir not injected")
	}
}

func TestLaterFilesWinLeafByLeaf(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": "version: \"1.0\"\nregistry: {history_type: memory, enable_history: true}\n",
		"b.yaml": "version: \"1.0\"\nregistry: {history_type: sqlite}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, _, err := config.Load(dir, []string{"a.yaml", "b.yaml"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.String("registry", "history_type", ""); got != "sqlite" {
		t.Errorf("history_type = %q", got)
	}
	if !c.Bool("registry", "enable_history", false) {
		t.Error("the other leaf was lost")
	}
}

func TestBadFilesAreOneClearError(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"no version":      {"logger: {encoding: json}\n", ".wippy.yaml:1:1: missing version field"},
		"empty":           {"", "missing version field"},
		"old version":     {"version: \"2\"\n", ".wippy.yaml:1:10: unsupported version: 2"},
		"section scalar":  {"version: \"1.0\"\nlogger: json\n", `.wippy.yaml:2:9: section "logger" must be a map`},
		"not a map":       {"- a\n", ".wippy.yaml:1:1: expected a map of sections"},
		"bad yaml":        {"version: \"1.0\"\na: [\n", ".wippy.yaml:2: "},
		"duplicate key":   {"version: \"1.0\"\nlogger: {a: 1, a: 2}\n", "already defined"},
		"tab indentation": {"version: \"1.0\"\nlogger:\n\tencoding: json\n", ".wippy.yaml:3: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := config.Load(write(t, tc.text), nil, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

func TestNoFileMeansDefaultsUnlessNamed(t *testing.T) {
	if c, _, err := config.Load(t.TempDir(), nil, nil); err != nil || len(c.Sections()) != 0 {
		t.Errorf("no file: %v, %v", c, err)
	}
	if _, _, err := config.Load(t.TempDir(), []string{"x.yaml"}, nil); err == nil {
		t.Error("a named file may be missing")
	}
}

func TestMistypedSectionIsSuggested(t *testing.T) {
	_, warnings, err := config.Load(write(t, "version: \"1.0\"\nlogegr: {encoding: json}\nmyapp: {x: 1}\n"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], `unknown section "logegr", did you mean "logger"?`) {
		t.Errorf("warnings = %v", warnings)
	}
}

func TestSetFlagCoercesAndExplains(t *testing.T) {
	c := config.New()
	for _, arg := range []string{"a.b=true", "a.n=12", "a.f=1.5", "a.s=012", "a.e=x=y", "a.d.e=1e3"} {
		if err := c.SetFlag(arg); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]any{"b": true, "n": 12, "f": 1.5, "s": "012", "e": "x=y", "d.e": 1000.0}
	for k, v := range want {
		if got := c.Section("a")[k]; got != v {
			t.Errorf("%s = %#v, want %#v", k, got, v)
		}
	}
	for arg, text := range map[string]string{
		"foo":   `invalid --set "foo": expected section.path=value`,
		"foo=1": `invalid --set "foo=1": key must be section.path (e.g. cluster.enabled)`,
		".a=1":  `key must be section.path`,
		"a.=1":  `key must be section.path`,
	} {
		if err := c.SetFlag(arg); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("SetFlag(%q) = %v", arg, err)
		}
	}
}

func FuzzLoadNeverPanics(f *testing.F) {
	f.Add("version: \"1.0\"\nlogger: {a: {b: 1}}\n")
	f.Add("version: 1.0\nx: &a {y: *a}\n")
	f.Add("a: [\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, config.DefaultFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(dir, nil, nil)
		if (c == nil) == (err == nil) {
			t.Fatalf("neither a config nor an error: %v %v", c, err)
		}
	})
}
