// SPDX-License-Identifier: Apache-2.0

package env

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// File keeps values in a text file, one KEY=VALUE per line. A # begins a comment, anywhere; there is no quoting.
// Lines of another form stay as they are. The file is read at every access, so what other programs write is seen.
type File struct {
	Path     string
	Create   bool        // make the file, and its directories, with the first value set
	FileMode fs.FileMode // of the file, when it is written
	DirMode  fs.FileMode // of directories that are made

	mu sync.Mutex // one access at a time: setting reads and replaces
}

// Get returns the value of the first line with that key. A file that does not exist holds nothing.
func (f *File) Get(key string) (string, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines, err := f.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	for _, line := range lines {
		if k, v, _, ok := parseLine(line); ok && k == key {
			return v, true, nil
		}
	}
	return "", false, nil
}

// All returns what the file holds; of lines with the same key the last one counts.
func (f *File) All() (map[string]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines, err := f.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	out := map[string]string{}
	for _, line := range lines {
		if k, v, _, ok := parseLine(line); ok {
			out[k] = v
		}
	}
	return out, nil
}

// Set writes the value into every line with that key, keeping comments, or appends one. The new file replaces
// the old one in a single step. A value the format cannot hold is Invalid.
func (f *File) Set(key, value string) error {
	if strings.ContainsAny(key+value, "#\r\n") || strings.Contains(key, "=") || strings.TrimSpace(value) != value {
		return fault.New(fault.Invalid, "value cannot be kept in an environment file: # , line breaks and outer blanks have no place in it").With("variable", key)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	lines, err := f.read()
	if errors.Is(err, fs.ErrNotExist) && f.Create {
		err = os.MkdirAll(filepath.Dir(f.Path), f.DirMode)
	}
	if err != nil {
		return err
	}
	found := false
	for i, line := range lines {
		if k, _, comment, ok := parseLine(line); ok && k == key {
			found = true
			lines[i] = key + "=" + value
			if comment != "" {
				lines[i] += " " + comment
			}
		}
	}
	if !found {
		lines = append(lines, key+"="+value)
	}
	return f.replace(strings.Join(lines, "\n") + "\n")
}

func (f *File) read() ([]string, error) {
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
}

// replace puts text in the place of the file, so that a crash leaves the old file or the new one.
func (f *File) replace(text string) (err error) {
	temporary := f.Path + ".tmp"
	out, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, f.FileMode)
	if err != nil {
		return err
	}
	_, err = out.WriteString(text)
	if err == nil {
		err = out.Sync()
	}
	err = errors.Join(err, out.Close())
	if err == nil {
		err = os.Rename(temporary, f.Path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path, errors.Join(err, os.Remove(temporary)))
	}
	return nil
}

// parseLine splits KEY=VALUE # comment.
func parseLine(line string) (key, value, comment string, ok bool) {
	if i := strings.IndexByte(line, '#'); i >= 0 {
		line, comment = line[:i], line[i:]
	}
	key, value, ok = strings.Cut(line, "=")
	key = strings.TrimSpace(key)
	return key, strings.TrimSpace(value), comment, ok && key != ""
}
