// SPDX-License-Identifier: Apache-2.0

// Package trial uses packed modules as somebody outside the workspace does: it gets
// them from a module proxy, builds with them and looks at what came along.
package trial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/pack"
)

// Site is a directory outside of the workspace, with a module cache of its own. Its
// methods may be called concurrently.
type Site struct {
	rp      *repo.Repo
	modules map[string]*pack.Module
	dir     string
	env     []string
	// patience is how long a program may run. Examples end in milliseconds; the
	// rest is for machines that are busy.
	patience time.Duration
}

// NewSite makes a site in dir for the modules of a proxy.
//
// Go commands of the site find modules in two places and nowhere else: the
// workspace's modules in the proxy, everybody else's in the download cache of this
// machine, from which they are unpacked anew. So no module of the workspace can
// come from an earlier release by mistake, and nothing is asked over the network.
// The checksum database is not asked either: Library and Command compare what they
// got with the go.sum files of the workspace.
func NewSite(ctx context.Context, rp *repo.Repo, dir, proxy string, modules map[string]*pack.Module) (*Site, error) {
	s := &Site{rp: rp, modules: modules, dir: dir, patience: 2 * time.Minute}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	cache, err := s.run(ctx, command{module: "go.work", step: "cache", dir: rp.Root, env: os.Environ()}, "go", "env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	downloads := filepath.Join(strings.TrimSpace(cache), "cache", "download")
	s.env = append(os.Environ(),
		"GOWORK=off",
		"GOPROXY="+fileURL(proxy)+","+fileURL(downloads),
		"GONOPROXY=none", // against a GOPRIVATE of the user
		"GOVCS=*:off",
		"GOSUMDB=off",
		"GOMODCACHE="+filepath.Join(dir, "modcache"),
		"GOBIN="+filepath.Join(dir, "bin"),
		// Without the directories in it, what was compiled is found again in the
		// build cache by the next site.
		"GOFLAGS=-mod=mod -trimpath -modcacherw -buildvcs=false",
	)
	return s, nil
}

// packed returns the packed module of a directory of the workspace.
func (s *Site) packed(dir string) (*pack.Module, error) {
	for _, m := range s.modules {
		if m.Dir == dir {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s: not a module of the workspace", dir)
}

// download puts what a module requires into the download cache of this machine.
// After the tests of the module have run there is nothing left to do. The go command
// works on copies of go.mod and go.sum, for it corrects those that are not tidy, and
// the workspace is only to be looked at.
func (s *Site) download(ctx context.Context, m *pack.Module) error {
	source := filepath.Join(s.rp.Root, filepath.FromSlash(m.Dir))
	dir := filepath.Join(s.dir, "download", filepath.FromSlash(m.Dir))
	if err := copyModFiles(source, dir); err != nil {
		return &Failure{Module: m.Dir, Step: "download", Err: err}
	}
	_, err := s.run(ctx, command{
		module: m.Dir, step: "download",
		dir: source,
		env: append(os.Environ(), "GOWORK=off"),
	}, "go", "mod", "download", "-modfile="+filepath.Join(dir, "go.mod"))
	return err
}

// copyModFiles copies the go.mod of a module, and the go.sum if there is one.
func copyModFiles(from, to string) error {
	if err := os.MkdirAll(to, 0o777); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) && name == "go.sum" {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// fileURL returns the URL of an absolute path.
func fileURL(dir string) string {
	slashed := filepath.ToSlash(dir)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/…
	}
	return (&url.URL{Scheme: "file", Path: slashed}).String()
}
