// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/zip"
)

// listFiles returns the paths, from the root and with slashes, of all files that a
// commit of everything would hold. In a git work tree that leaves out what is
// ignored: a file that is only there on this machine must not get into a zip, or
// the packages that embed it would build here and nowhere else. Elsewhere it is
// every file.
func listFiles(ctx context.Context, root string) ([]string, error) {
	if _, err := os.Lstat(filepath.Join(root, ".git")); err == nil {
		return gitFiles(ctx, root)
	}
	var out []string
	err := filepath.WalkDir(root, func(abs string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, abs)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	return out, err
}

func gitFiles(ctx context.Context, root string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	data, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var out []string
	for name := range strings.SplitSeq(string(data), "\x00") {
		// The index also names files that were deleted since.
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name))); name == "" || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		out = append(out, name)
	}
	return out, nil
}

// moduleFiles picks the files of the module in dir, with goMod for its go.mod.
// Those of nested modules are among them: zip.Create knows better what to leave
// out. As the go command does for a module below the root of its repository, it
// adds the licence of the root to a module that has none.
func moduleFiles(root, dir string, all []string, goMod []byte) []zip.File {
	var out []zip.File
	licensed := false
	for _, name := range all {
		rel, ok := strings.CutPrefix(name, dir+"/")
		if !ok {
			continue
		}
		licensed = licensed || rel == "LICENSE"
		if rel == "go.mod" {
			out = append(out, memoryFile{name: rel, data: goMod})
			continue
		}
		out = append(out, diskFile{name: rel, abs: filepath.Join(root, filepath.FromSlash(name))})
	}
	if !licensed {
		for _, name := range all {
			if name == "LICENSE" {
				out = append(out, diskFile{name: name, abs: filepath.Join(root, name)})
			}
		}
	}
	return out
}

// diskFile is a file to be packed under a name.
type diskFile struct{ name, abs string }

func (f diskFile) Path() string                 { return f.name }
func (f diskFile) Lstat() (fs.FileInfo, error)  { return os.Lstat(f.abs) }
func (f diskFile) Open() (io.ReadCloser, error) { return os.Open(f.abs) }

// memoryFile is a file whose content differs from that on disk. It is its own
// fs.FileInfo.
type memoryFile struct {
	name string
	data []byte
}

func (f memoryFile) Path() string                 { return f.name }
func (f memoryFile) Lstat() (fs.FileInfo, error)  { return f, nil }
func (f memoryFile) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil }

func (f memoryFile) Name() string     { return path.Base(f.name) }
func (f memoryFile) Size() int64      { return int64(len(f.data)) }
func (memoryFile) Mode() fs.FileMode  { return 0o644 }
func (memoryFile) ModTime() time.Time { return time.Time{} }
func (memoryFile) IsDir() bool        { return false }
func (memoryFile) Sys() any           { return nil }
