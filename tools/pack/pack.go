// SPDX-License-Identifier: Apache-2.0

// Package pack makes the zips of a workspace's modules as the go command would make
// them from a tag, and lays them out as a module proxy in the file system: what a
// user outside the workspace would get, before anybody has tagged anything.
package pack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"github.com/wippyrun/kit/tools/check/repo"
)

// Options are the ways in which what is packed differs from what is on disk.
type Options struct {
	// Commands are paths of modules whose replace lines are left out. The go
	// command ignores the replace lines of a dependency, but "go install
	// path@version" refuses a module that has any, so a release of a command must
	// be without.
	Commands []string
	// Require changes requirements: wherever a go.mod names a module of this map,
	// it asks for that version.
	Require map[string]string
}

// Module is one packed module.
type Module struct {
	module.Version
	// Dir is its directory from the root, with slashes.
	Dir string
	// GoMod is the packed go.mod.
	GoMod *modfile.File
	// Sum is the hash of the zip as go.sum has it, "h1:…".
	Sum string
}

// Proxy packs every module that go.work uses into dir, which becomes a module
// proxy: GOPROXY=file://<dir>. It returns the modules by path. The same files give
// the same zips.
func Proxy(ctx context.Context, rp *repo.Repo, dir string, opts Options) (map[string]*Module, error) {
	mods, err := used(rp)
	if err != nil {
		return nil, err
	}
	versions, err := Versions(mods)
	if err != nil {
		return nil, err
	}
	files, err := listFiles(ctx, rp.Root)
	if err != nil {
		return nil, err
	}
	packed := make([]*Module, len(mods))
	errs := make([]error, len(mods))
	room := make(chan struct{}, runtime.GOMAXPROCS(0)) // compression is all there is to wait for
	var wg sync.WaitGroup
	for i, m := range mods {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			packed[i], errs[i] = pack(rp.Root, m, versions[m.Path()], files, dir, opts)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out := make(map[string]*Module)
	for _, p := range packed {
		out[p.Path] = p
	}
	return out, nil
}

// used returns the modules that go.work lists.
func used(rp *repo.Repo) ([]*repo.Module, error) {
	var out []*repo.Module
	for _, u := range rp.Work.Use {
		m := rp.Module(path.Clean(u.Path))
		if m == nil {
			return nil, fmt.Errorf("go.work uses %s, which has no go.mod", u.Path)
		}
		out = append(out, m)
	}
	return out, nil
}

// pack writes the four files of one module.
func pack(root string, m *repo.Module, version string, files []string, proxy string, opts Options) (*Module, error) {
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.GoMod())))
	if err != nil {
		return nil, err
	}
	if data, err = releasedGoMod(m.GoMod(), data, opts); err != nil {
		return nil, err
	}
	parsed, err := modfile.Parse(m.GoMod(), data, nil)
	if err != nil {
		return nil, err
	}
	p := &Module{Version: module.Version{Path: m.Path(), Version: version}, Dir: m.Dir, GoMod: parsed}
	var archive bytes.Buffer
	if err := zip.Create(&archive, p.Version, moduleFiles(root, m.Dir, files, data)); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Dir, err)
	}
	info, err := json.Marshal(struct{ Version string }{version})
	if err != nil {
		return nil, err
	}
	escaped, err := module.EscapePath(p.Path)
	if err != nil {
		return nil, err
	}
	at := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(at, 0o777); err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": info,
		version + ".mod":  data,
		version + ".zip":  archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(at, name), content, 0o666); err != nil {
			return nil, err
		}
	}
	p.Sum, err = dirhash.HashZip(filepath.Join(at, version+".zip"), dirhash.Hash1)
	return p, err
}
