// SPDX-License-Identifier: Apache-2.0

package env_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/env"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func fileWith(t *testing.T, text string) *env.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &env.File{Path: path, FileMode: 0o600, DirMode: 0o700}
}

func TestFileIsReadLineByLine(t *testing.T) {
	f := fileWith(t, "# head\n A = 1 # one\nB=x=y\nA=2\nnothing\n=empty\nC=\nD = a # b # c\n")
	for key, want := range map[string]string{"A": "1", "B": "x=y", "C": "", "D": "a"} {
		if got, found, err := f.Get(key); got != want || !found || err != nil {
			t.Errorf("%s = %q, %v, %v; want %q", key, got, found, err, want)
		}
	}
	if _, found, _ := f.Get("nothing"); found {
		t.Error("a line without = has a value")
	}
	all, err := f.All()
	if err != nil || len(all) != 4 || all["A"] != "2" {
		t.Errorf("All = %v, %v", all, err)
	}
}

func TestFileIsReplacedKeepingTheRest(t *testing.T) {
	f := fileWith(t, "# head\nA = 1 # one\nnothing\nA=2")
	for key, value := range map[string]string{"A": "3", "B": "new"} {
		if err := f.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(f.Path)
	if err != nil || string(text) != "# head\nA=3 # one\nnothing\nA=3\nB=new\n" {
		t.Errorf("file %q, %v", text, err)
	}
	if _, err := os.Stat(f.Path + ".tmp"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file is there: %v", err)
	}
}

func TestFileIsCreatedOnDemandOnly(t *testing.T) {
	f := &env.File{Path: filepath.Join(t.TempDir(), "deep", "er", "app.env"), FileMode: 0o600, DirMode: 0o700}
	if _, found, err := f.Get("A"); found || err != nil {
		t.Errorf("missing file: %v, %v", found, err)
	}
	if all, err := f.All(); len(all) != 0 || err != nil {
		t.Errorf("missing file: %v, %v", all, err)
	}
	if err := f.Set("A", "1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("set in a missing file: %v", err)
	}
	f.Create = true
	if err := f.Set("A", "1"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(f.Path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFileRefusesWhatItCannotHold(t *testing.T) {
	f := fileWith(t, "")
	for _, value := range []string{"a#b", "a\nb", " a", "a\r"} {
		if err := f.Set("A", value); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestFileHoldsWhatWasSet(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		f := &env.File{Path: filepath.Join(dir, "app.env"), Create: true, FileMode: 0o600, DirMode: 0o700}
		text := rapid.StringMatching(`([A-C ]{0,2}[=#x]?[a-c #]{0,4}\n){0,4}`).Draw(t, "text")
		if err := os.WriteFile(f.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := f.All()
		if err != nil {
			t.Fatal(err)
		}
		key := rapid.StringMatching(`[A-C]{1,2}`).Draw(t, "key")
		value := strings.TrimSpace(rapid.StringMatching(`[a-z =]{0,5}`).Draw(t, "value"))
		if err := f.Set(key, value); err != nil {
			t.Fatal(err)
		}
		before[key] = value
		after, err := f.All()
		if err != nil || len(after) != len(before) {
			t.Fatalf("%v became %v, %v", before, after, err)
		}
		for k, v := range before {
			if after[k] != v {
				t.Fatalf("%s = %q, want %q", k, after[k], v)
			}
		}
	})
}

func TestRouterAsksItsStoragesInTurn(t *testing.T) {
	dir := t.TempDir()
	s := env.New()
	l := env.NewListener(s, nil)
	l.Dir = dir
	entries := []registry.Entry{
		entry("app:mem", env.KindMemory, nil),
		entry("app:file", env.KindFile, map[string]any{"file_path": "app.env", "auto_create": true, "file_mode": 384.0}),
		entry("app:static", env.KindStatic, map[string]any{"values": map[string]any{"A": "static", "B": "static"}}),
		entry("app:all", env.KindRouter, map[string]any{"storages": []any{"mem", "app:file", "app:static"}}),
		entry("app:a", env.KindVariable, map[string]any{"variable": "A", "storage": "app:all"}),
		entry("app:b", env.KindVariable, map[string]any{"variable": "B", "storage": "app:all"}),
		entry("app:bf", env.KindVariable, map[string]any{"variable": "FB", "storage": "app:file"}),
	}
	for _, e := range entries {
		if err := l.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "app.env"), []byte("B=file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect := func(key, want string) {
		t.Helper()
		if got, err := s.Get(key, "app"); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", key, got, err, want)
		}
	}
	expect("A", "static")
	expect("B", "file")
	if err := s.Set("A", "app", "memory"); err != nil {
		t.Fatal(err)
	}
	expect("A", "memory")
	if err := s.Set("FB", "app", "1"); err != nil {
		t.Fatal(err)
	}
	if all := s.All(); all["A"] == "" || all["B"] == "" || all["FB"] != "1" {
		t.Errorf("All = %v", all)
	}
	if err := l.Delete(t.Context(), entries[0]); err != nil {
		t.Fatal(err)
	}
	expect("A", "static")
	if err := s.Set("A", "app", "x"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("set without the first storage: %v", err)
	}
}

func TestStoragesThatCannotBe(t *testing.T) {
	l := env.NewListener(env.New(), nil)
	for name, c := range map[string]struct {
		entry registry.Entry
		want  string
		kind  fault.Kind
	}{
		"no path":         {entry("app:f", env.KindFile, nil), "file path must not be empty", fault.Invalid},
		"no mode":         {entry("app:f", env.KindFile, map[string]any{"file_path": "x", "file_mode": 9999.0}), "file_mode must be a file mode", fault.Invalid},
		"no storages":     {entry("app:r", env.KindRouter, nil), "router storage must have at least one storage", fault.Invalid},
		"unknown storage": {entry("app:r", env.KindRouter, map[string]any{"storages": []any{"app:x"}}), "environment storage backend not found: app:x", fault.NotFound},
		"itself":          {entry("app:r", env.KindRouter, map[string]any{"storages": []any{"r"}}), "cannot ask itself", fault.Invalid},
		"variable":        {entry("app:v", env.KindVariable, map[string]any{"storage": "app:x"}), "referenced storage not found: app:x", fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if err := l.Create(t.Context(), c.entry); err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != c.kind {
				t.Errorf("err = %v (%s), want %q", err, fault.KindOf(err), c.want)
			}
		})
	}
}
