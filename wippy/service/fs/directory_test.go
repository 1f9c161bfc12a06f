// SPDX-License-Identifier: Apache-2.0

package fs_test

import (
	"errors"
	"io"
	iofs "io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/service/fs"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// place makes a directory "in" with a file "f" and a directory "d", next to a file "secret", and returns it.
func place(t *testing.T, mode iofs.FileMode) (d *fs.Directory, path string) {
	t.Helper()
	outside := t.TempDir()
	path = filepath.Join(outside, "in")
	for _, dir := range []string{path, filepath.Join(path, "d")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"secret": "secret", "in/f": "hello", "in/d/g": "deep"} {
		if err := os.WriteFile(filepath.Join(outside, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, err := fs.NewDirectory(path, mode, false)
	if err != nil {
		t.Fatal(err)
	}
	return d, path
}

func read(f fs.FS, name string) (string, error) {
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	return string(text), err
}

func TestNamesStayInside(t *testing.T) {
	d, path := place(t, 0o755)
	for name, target := range map[string]string{
		"out": "../secret", "outdir": "..", "abs": filepath.Join(filepath.Dir(path), "secret"), "in": "d/g", "d/up": "../f", "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, text string }{ // "" is an error
		{"f", "hello"}, {"/f", "hello"}, {"///f", "hello"}, {"./f", "hello"}, {"d/../f", "hello"}, {"d//g", "deep"}, {"in", "deep"}, {"d/up", "hello"},
		{"../secret", ""}, {"/../secret", ""}, {"d/../../secret", ""}, {"d/../../in/f", ""}, {"..", ""},
		{"out", ""}, {"outdir/secret", ""}, {"abs", ""}, {"loop", ""}, {"f/../../secret", ""}, {"f\x00", ""}, {"nothing", ""}, {"f/x", ""},
	} {
		text, err := read(d, c.name)
		if text != c.text || (err != nil) != (c.text == "") {
			t.Errorf("read %q = %q, %v; want %q", c.name, text, err, c.text)
		}
		if c.text != "" {
			continue
		}
		if _, ok := errors.AsType[*iofs.PathError](err); !ok || strings.Contains(err.Error(), filepath.Dir(path)) {
			t.Errorf("read %q: error %v", c.name, err)
		}
	}
	for _, name := range []string{"out", "outdir/x", "../x", "abs", "/../x", "a\x00"} {
		if f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644); err == nil {
			f.Close()
			t.Errorf("write %q: no error", name)
		}
		if err := d.Mkdir(name, 0o755); err == nil {
			t.Errorf("mkdir %q: no error", name)
		}
		if err := d.MkdirAll(name+"/y", 0o755); err == nil {
			t.Errorf("mkdirall %q: no error", name)
		}
		if _, err := d.Stat(name); err == nil {
			t.Errorf("stat %q: no error", name)
		}
	}
	for _, name := range []string{"outdir/secret", "../secret", "", ".", "/", "d"} {
		if err := d.Remove(name); err == nil {
			t.Errorf("remove %q: no error", name)
		}
	}
	if err := d.Remove("out"); err != nil {
		t.Errorf("remove a link: %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "secret")); string(text) != "secret" {
		t.Errorf("the file outside: %q, %v", text, err)
	}
	for _, name := range []string{"", "/", ".", "d/.."} {
		if info, err := d.Stat(name); err != nil || !info.IsDir() {
			t.Errorf("stat %q: %v", name, err)
		}
	}
	if kind := fault.KindOf(func() error { _, err := read(d, "../x"); return err }()); kind != fault.Invalid {
		t.Errorf("kind of an escape: %v", kind)
	}
}

// FuzzNames looks for a name that leads out of a directory.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"f", "/f", "../secret", "d/../../secret", "out", "outdir/secret", "outdir/../secret", "d/../outdir/secret", ".", "", "//", "d/up", "a\\..\\secret", "..\x00"} {
		f.Add(name)
	}
	outside := f.TempDir()
	path := filepath.Join(outside, "in")
	if err := errors.Join(os.MkdirAll(filepath.Join(path, "d"), 0o755), os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644),
		os.WriteFile(filepath.Join(path, "f"), []byte("hello"), 0o644), os.Symlink("../secret", filepath.Join(path, "out")),
		os.Symlink("..", filepath.Join(path, "outdir")), os.Symlink("../f", filepath.Join(path, "d", "up"))); err != nil {
		f.Fatal(err)
	}
	d, err := fs.NewDirectory(path, 0o755, false)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if text, err := read(d, name); err == nil && text != "hello" {
			t.Errorf("read %q = %q", name, text)
		}
		info, err := d.Stat(name)
		if err == nil && info.Name() == "secret" {
			t.Errorf("stat %q", name)
		}
		if err != nil && strings.Contains(err.Error(), outside) {
			t.Errorf("stat %q tells where the directory is: %v", name, err)
		}
	})
}

// TestLinkExchangedConcurrently exchanges a directory for a link that leads out while files below it are read.
func TestLinkExchangedConcurrently(t *testing.T) {
	d, path := place(t, 0o755)
	outside := filepath.Join(filepath.Dir(path), "outside")
	if err := errors.Join(os.Mkdir(outside, 0o755), os.WriteFile(filepath.Join(outside, "g"), []byte("secret"), 0o644),
		os.Symlink(outside, filepath.Join(path, "link"))); err != nil {
		t.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		at := func(name string) string { return filepath.Join(path, name) }
		for {
			select {
			case <-done:
				return
			default:
			}
			_ = os.Rename(at("d"), at("kept"))
			_ = os.Rename(at("link"), at("d"))
			_ = os.Rename(at("d"), at("link"))
			_ = os.Rename(at("kept"), at("d"))
		}
	}()
	for range 2000 {
		if text, err := read(d, "d/g"); err == nil && text != "deep" {
			t.Fatalf("read %q", text)
		}
	}
	close(done)
	<-ended
}

func TestModeDecidesWhatIsAllowed(t *testing.T) {
	operations := map[string]func(d *fs.Directory) error{
		"read":   func(d *fs.Directory) error { _, err := read(d, "f"); return err },
		"list":   func(d *fs.Directory) error { f, err := d.OpenFile("", os.O_RDONLY, 0); return closed(f, err) },
		"stat":   func(d *fs.Directory) error { _, err := d.Stat("f"); return err },
		"write":  func(d *fs.Directory) error { f, err := d.OpenFile("f", os.O_WRONLY, 0); return closed(f, err) },
		"update": func(d *fs.Directory) error { f, err := d.OpenFile("f", os.O_RDWR, 0); return closed(f, err) },
		"mkdir":  func(d *fs.Directory) error { return d.Mkdir("new", 0o755) },
		"mkall":  func(d *fs.Directory) error { return d.MkdirAll("new/x", 0o755) },
		"remove": func(d *fs.Directory) error { return d.Remove("f") },
	}
	for mode, allowed := range map[iofs.FileMode]string{
		0o755: "read list stat write update mkdir mkall remove",
		0o555: "read list stat",
		0o300: "stat write mkdir mkall remove",
		0o100: "stat",
		0o600: "list",
		0o000: "",
	} {
		for name, operation := range operations {
			d, _ := place(t, mode)
			err := operation(d)
			if want := strings.Contains(" "+allowed+" ", " "+name+" "); want != (err == nil) {
				t.Errorf("%s with mode %#o: %v", name, mode, err)
			}
			if err != nil && (fault.KindOf(err) != fault.PermissionDenied || !errors.Is(err, iofs.ErrPermission)) {
				t.Errorf("%s with mode %#o: kind %s of %v", name, mode, fault.KindOf(err), err)
			}
		}
	}
}

func closed(f io.Closer, err error) error {
	if err == nil {
		err = f.Close()
	}
	return err
}

func TestNewFilesGetThePermissionsTheModeAllows(t *testing.T) {
	d, path := place(t, 0o750)
	f, err := d.OpenFile("new", os.O_WRONLY|os.O_CREATE, 0o666)
	if err := errors.Join(closed(f, err), d.Mkdir("newdir", 0o777)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]iofs.FileMode{"new": 0o640, "newdir": 0o750} {
		if info, err := os.Stat(filepath.Join(path, name)); err != nil || info.Mode().Perm()&^want != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestDirectoryThatIsReplacedIsUsed(t *testing.T) {
	d, path := place(t, 0o755)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if _, err := read(d, "f"); !errors.Is(err, iofs.ErrNotExist) || strings.Contains(err.Error(), path) {
		t.Errorf("without directory: %v", err)
	}
	if err := errors.Join(os.Mkdir(path, 0o755), os.WriteFile(filepath.Join(path, "f"), []byte("again"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if text, err := read(d, "f"); text != "again" {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestEmbeddedFilesAreReadOnly(t *testing.T) {
	e := fs.NewEmbedded(fstest.MapFS{"f": {Data: []byte("hello")}, "d/g": {Data: []byte("deep")}})
	for _, name := range []string{"f", "/f", "d/../f"} {
		if text, err := read(e, name); text != "hello" {
			t.Errorf("read %s = %q, %v", name, text, err)
		}
	}
	f, err := e.OpenFile("f", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if at, err := f.Seek(1, io.SeekStart); at != 1 || err != nil {
		t.Errorf("seek: %d, %v", at, err)
	}
	buffer := make([]byte, 2)
	if n, err := f.ReadAt(buffer, 3); n != 2 || string(buffer) != "lo" {
		t.Errorf("read at: %q, %v", buffer[:n], err)
	}
	dir, err := e.OpenFile("d", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if list, err := dir.ReadDir(-1); err != nil || len(list) != 1 || list[0].Name() != "g" {
		t.Errorf("list: %v, %v", list, err)
	}
	if _, err := f.ReadDir(-1); err == nil {
		t.Error("a file can be listed")
	}
	for name, err := range map[string]error{
		"create": openError(e, "new", os.O_WRONLY|os.O_CREATE), "write": openError(e, "f", os.O_WRONLY), "append": openError(e, "f", os.O_APPEND),
		"mkdir": e.Mkdir("x", 0o755), "mkdirall": e.MkdirAll("x/y", 0o755), "remove": e.Remove("f"),
		"file": func() error { _, err := f.Write([]byte("x")); return err }(),
	} {
		if fault.KindOf(err) != fault.PermissionDenied || !errors.Is(err, iofs.ErrPermission) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := e.MkdirAll("d", 0o755); err != nil {
		t.Errorf("a directory that is there: %v", err)
	}
	if _, err := read(e, "../f"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an escape: %v", err)
	}
	if _, err := e.Stat("none"); !errors.Is(err, iofs.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
}

func openError(f fs.FS, name string, flag int) error {
	_, err := f.OpenFile(name, flag, 0o644)
	return err
}

// slowFile can only be read from its beginning, as the files of a compressed archive.
type slowFile struct{ iofs.File }

type slowFS struct{ fstest.MapFS }

func (s slowFS) Open(name string) (iofs.File, error) {
	f, err := s.MapFS.Open(name)
	return slowFile{f}, err
}

// TestFilesThatOnlyReadForwardSeek compares a file that can only be read from its beginning with one in memory.
func TestFilesThatOnlyReadForwardSeek(t *testing.T) {
	text := "0123456789abcdefghijklmnopqrstuvwxyz"
	e := fs.NewEmbedded(slowFS{fstest.MapFS{"f": {Data: []byte(text)}}})
	rapid.Check(t, func(t *rapid.T) {
		f, err := e.OpenFile("f", os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		model := strings.NewReader(text)
		buffers := func(t *rapid.T) (a, b []byte) {
			n := rapid.IntRange(0, 50).Draw(t, "n")
			return make([]byte, n), make([]byte, n)
		}
		t.Repeat(map[string]func(*rapid.T){
			"read": func(t *rapid.T) {
				a, b := buffers(t)
				n, err := io.ReadFull(f, a)
				m, want := io.ReadFull(model, b)
				if string(a[:n]) != string(b[:m]) || err != want {
					t.Fatalf("read %q, %v, want %q, %v", a[:n], err, b[:m], want)
				}
			},
			"read at": func(t *rapid.T) {
				a, b := buffers(t)
				at := rapid.Int64Range(0, 50).Draw(t, "at")
				n, err := f.ReadAt(a, at)
				m, want := model.ReadAt(b, at)
				if string(a[:n]) != string(b[:m]) || len(a) > 0 && (err == io.EOF) != (want == io.EOF) {
					t.Fatalf("read %q, %v, want %q, %v", a[:n], err, b[:m], want)
				}
			},
			"seek": func(t *rapid.T) {
				offset, whence := rapid.Int64Range(-50, 50).Draw(t, "offset"), rapid.IntRange(0, 3).Draw(t, "whence")
				at, err := f.Seek(offset, whence)
				want, bad := model.Seek(offset, whence)
				if at != want || (err != nil) != (bad != nil) {
					t.Fatalf("at %d, %v, want %d, %v", at, err, want, bad)
				}
			},
		})
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read(make([]byte, 1)); !errors.Is(err, iofs.ErrClosed) {
			t.Fatalf("after the end: %v", err)
		}
	})
}
