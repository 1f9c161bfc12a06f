// SPDX-License-Identifier: Apache-2.0

package fs_test

import (
	"errors"
	iofs "io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/fs"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func entry(kind string, data any, meta map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID("app:data"), Kind: kind, Data: data, Meta: meta}
}

func listener(t *testing.T) (l *fs.Listener, s *fs.Service, dir string, warnings *[]fields.Warning) {
	t.Helper()
	s, dir, warnings = &fs.Service{}, t.TempDir(), new([]fields.Warning)
	l = fs.NewListener(s, func(_ registry.Entry, w []fields.Warning) { *warnings = append(*warnings, w...) })
	l.Dir = filepath.Join(dir, "project")
	if err := errors.Join(os.MkdirAll(filepath.Join(l.Dir, "data"), 0o755), os.MkdirAll(filepath.Join(dir, "module", "data"), 0o755)); err != nil {
		t.Fatal(err)
	}
	l.Module = func(name string) (string, bool) { return filepath.Join(dir, "module"), name == "acme/shop" }
	return l, s, dir, warnings
}

func TestDirectoryEntries(t *testing.T) {
	type data = map[string]any
	for name, c := range map[string]struct {
		data data
		meta data
		want string // the directory and its mode, or the error after "!"
	}{
		"relative":          {data{"directory": "data"}, nil, "project/data 0755"},
		"dot":               {data{"directory": "./data/../data"}, nil, "project/data 0755"},
		"made":              {data{"directory": "./new/er", "auto_init": true}, nil, "project/new/er 0755"},
		"of a module":       {data{"directory": "data"}, data{"module": "acme/shop"}, "module/data 0755"},
		"module by name":    {data{"directory": "data", "base": "module"}, data{"module": "acme/shop"}, "module/data 0755"},
		"project by name":   {data{"directory": "data", "base": "project"}, data{"module": "acme/shop"}, "project/data 0755"},
		"module unknown":    {data{"directory": "data"}, data{"module": "acme/other"}, "project/data 0755"},
		"mode":              {data{"directory": "data", "mode": "0700"}, nil, "project/data 0700"},
		"mode as a number":  {data{"directory": "data", "mode": 0o750}, nil, "project/data 0750"},
		"mode for reading":  {data{"directory": "data", "mode": "0444"}, nil, "project/data 0555"},
		"mode for files":    {data{"directory": "data", "mode": "644"}, nil, "project/data 0755"},
		"mode with a sign":  {data{"directory": "data", "mode": "0o700"}, nil, "project/data 0700"},
		"mode of one":       {data{"directory": "data", "mode": "0600"}, nil, "project/data 0600"},
		"lifecycle":         {data{"directory": "data", "lifecycle": data{"auto_start": true}}, nil, "project/data 0755"},
		"nothing":           {nil, nil, "!Invalid data.directory: directory path is required"},
		"empty":             {data{"directory": ""}, nil, "!Invalid data.directory: directory path is required"},
		"no text":           {data{"directory": 12}, nil, "!Invalid data.directory: directory must be a string"},
		"missing":           {data{"directory": "none"}, nil, "!Internal data.directory: failed to create filesystem: stat "},
		"bad base":          {data{"directory": "data", "base": "home"}, nil, "!Invalid data.base: invalid directory base"},
		"base without":      {data{"directory": "data", "base": "module"}, nil, "!Invalid data.base: invalid directory base"},
		"bad mode":          {data{"directory": "data", "mode": "rwx"}, nil, "!Invalid data.mode: mode must be octal permissions"},
		"mode too large":    {data{"directory": "data", "mode": "7777"}, nil, "!Invalid data.mode: mode must be octal"},
		"mode below zero":   {data{"directory": "data", "mode": -1}, nil, "!Invalid data.mode: mode must be octal"},
		"mode as a list":    {data{"directory": "data", "mode": []any{"0755"}}, nil, "!Invalid data.mode: mode must be octal"},
		"auto_init as text": {data{"directory": "data", "auto_init": "yes"}, nil, "!Invalid data.auto_init: auto_init must be true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			l, s, dir, warnings := listener(t)
			_, checked := l.Check(entry(fs.KindDirectory, c.data, c.meta))
			if _, err := os.Stat(filepath.Join(dir, "project", "new")); err == nil {
				t.Error("checking has made a directory")
			}
			err := l.Create(t.Context(), entry(fs.KindDirectory, c.data, c.meta))
			if invalid := fault.KindOf(err) == fault.Invalid; invalid != (checked != nil) {
				t.Errorf("checked: %v, created: %v", checked, err)
			}
			if len(*warnings) > 0 {
				t.Errorf("warnings %v", *warnings)
			}
			if want, bad := strings.CutPrefix(c.want, "!"); bad {
				field := ""
				if f, ok := errors.AsType[interface {
					error
					Field() string
				}](err); ok {
					field = f.Field()
				}
				if err == nil || !strings.HasPrefix(string(fault.KindOf(err))+" "+field+": "+err.Error(), want) {
					t.Fatalf("error %v of kind %v at %s, want %s", err, fault.KindOf(err), field, want)
				}
				if _, err := s.Get("app:data"); !errors.Is(err, fs.ErrNotFound) {
					t.Errorf("it is there: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			path, mode, _ := strings.Cut(c.want, " ")
			f, err := s.Get("app:data")
			if err != nil || f.(*fs.Directory).String() != filepath.Join(dir, path)+" (mode "+mode+")" {
				t.Errorf("got %v, %v", f, err)
			}
		})
	}
}

func TestUnknownFieldsAreReported(t *testing.T) {
	l, _, _, warnings := listener(t)
	if err := l.Create(t.Context(), entry(fs.KindDirectory, map[string]any{"directory": "data", "autoinit": true}, nil)); err != nil {
		t.Fatal(err)
	}
	if len(*warnings) != 1 || (*warnings)[0].Path != "data.autoinit" || !strings.Contains((*warnings)[0].Hint, "auto_init") {
		t.Errorf("warnings %v", *warnings)
	}
}

func TestFilesystemsFollowTheirEntries(t *testing.T) {
	l, s, _, _ := listener(t)
	first := entry(fs.KindDirectory, map[string]any{"directory": "data"}, nil)
	next := entry(fs.KindDirectory, map[string]any{"directory": "data", "mode": "0555"}, nil)
	if err := errors.Join(l.Create(t.Context(), first), l.Update(t.Context(), first, next)); err != nil {
		t.Fatal(err)
	}
	f, err := s.Get("app:data")
	if err != nil || fault.KindOf(f.Mkdir("x", 0o755)) != fault.PermissionDenied {
		t.Errorf("after the update: %v, %v", f, err)
	}
	bad := entry(fs.KindDirectory, map[string]any{"directory": "none"}, nil)
	if err := l.Update(t.Context(), next, bad); err == nil {
		t.Error("no error")
	}
	if same, err := s.Get("app:data"); same != f {
		t.Errorf("after a bad update: %v, %v", same, err)
	}
	if err := l.Delete(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get("app:data"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("after the end: %v", err)
	}
	if _, err := f.Stat(""); err != nil {
		t.Errorf("who has it keeps it: %v", err)
	}
}

func TestEmbedEntriesNeedFiles(t *testing.T) {
	l, s, _, _ := listener(t)
	e := entry(fs.KindEmbed, nil, nil)
	if err := l.Create(t.Context(), e); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "no embedded files for app:data") {
		t.Errorf("without: %v", err)
	}
	l.Embedded = func(id string) (iofs.FS, bool) {
		return fstest.MapFS{"f": {Data: []byte("hello")}}, id == "app:data"
	}
	if err := l.Create(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	f, err := s.Get("app:data")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := read(f, "f"); text != "hello" {
		t.Errorf("read %q, %v", text, err)
	}
}
