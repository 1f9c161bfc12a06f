// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/internal/suggest"
)

const fileScheme = "file://"

// interpolate returns the content of the file a value names. A path that begins with a
// slash counts from the root of the tree, any other from the directory of the file.
func (d *decoder) interpolate(n *yaml.Node, b *registry.OriginBuilder) (string, bool) {
	ref := strings.TrimPrefix(n.Value, fileScheme)
	fail := func(err error, format string, args ...any) (string, bool) {
		p := d.file.fail(n, d.where(), "interpolation failed: "+fmt.Sprintf(format, args...))
		p.Err = err
		return "", false
	}
	if ref == "" || ref == "/" {
		return fail(nil, "empty file path in file:// URL")
	}
	if strings.ContainsRune(ref, 0) {
		return fail(nil, "invalid file path")
	}
	name := path.Join(path.Dir(d.file.name), ref)
	if strings.HasPrefix(ref, "/") {
		name = path.Clean(strings.TrimLeft(ref, "/"))
	}
	if name == ".." || strings.HasPrefix(name, "../") {
		return fail(nil, "path traversal detected in file path: %s", ref)
	}
	if !fs.ValidPath(name) {
		return fail(nil, "invalid file path")
	}
	text, err := d.file.content(name)
	if err != nil {
		err = plain(err)
		if strings.Contains(err.Error(), "escapes") { // the error of os.Root is not exported
			return fail(nil, "path traversal detected in file path: %s", ref)
		}
		_, ok := fail(err, "failed to read file %s", display(d.file.tree, name))
		d.file.problems[len(d.file.problems)-1].Hint = d.nearFile(name)
		return "", ok
	}
	if b != nil {
		b.Text(b.Last(), display(d.file.tree, name), 0, 0)
	}
	return text, true
}

// content reads a file of the same tree; entries that share one share its text.
func (f *file) content(name string) (string, error) {
	if text, ok := f.contents[name]; ok {
		return text, nil
	}
	raw, err := fs.ReadFile(f.tree.FS, name)
	if err != nil {
		return "", err
	}
	if f.contents == nil {
		f.contents = map[string]string{}
	}
	text := string(raw)
	f.contents[name] = text
	return text, nil
}

// plain strips what an error of a file system says about the operation and the path.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// nearFile guesses which file was meant by one that cannot be read.
func (d *decoder) nearFile(name string) string {
	dir := path.Dir(name)
	files, err := fs.ReadDir(d.file.tree.FS, dir)
	if err != nil {
		return "there is no directory " + display(d.file.tree, dir)
	}
	names := func(yield func(string) bool) {
		for _, f := range files {
			if !f.IsDir() && !yield(f.Name()) {
				return
			}
		}
	}
	if hint := suggest.Hint(path.Base(name), names); hint != "" {
		return hint
	}
	return "create the file, or correct the path"
}
