// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/mod/semver"
	"golang.org/x/tools/go/packages"
)

// change is what became of the API of one module since its last tag.
type change struct {
	dir, path    string
	before, now  string // versions; before is "" when there is no tag
	incompatible []string
	compatible   []string
}

// problem tells why the version does not fit what changed, "" when it does. Before v1 a minor
// version may break what it likes; a patch may not.
func (c change) problem() string {
	switch {
	case c.before == "" || len(c.incompatible)+len(c.compatible) == 0:
		return ""
	case c.before == c.now:
		return fmt.Sprintf("%s: the API has changed since %s: choose another version (%s)", c.dir, c.before, c.first())
	case len(c.incompatible) > 0 && semver.Major(c.before) == semver.Major(c.now) &&
		(semver.Major(c.now) != "v0" || semver.MajorMinor(c.before) == semver.MajorMinor(c.now)):
		return fmt.Sprintf("%s: %s breaks the API of %s: %s", c.dir, c.now, c.before, c.incompatible[0])
	case len(c.compatible) > 0 && semver.MajorMinor(c.before) == semver.MajorMinor(c.now):
		return fmt.Sprintf("%s: %s adds to the API of %s, which asks for a new minor version: %s", c.dir, c.now, c.before, c.compatible[0])
	}
	return ""
}

func (c change) first() string { return append(slices.Clone(c.incompatible), c.compatible...)[0] }

func api(ctx context.Context, e environment, args []string) error {
	if err := noFlags(e, "api", args); err != nil {
		return err
	}
	changes, err := e.changes(ctx)
	for _, c := range changes {
		switch {
		case c.before == "":
			fmt.Fprintf(e.stdout, "%s: no tag to compare with\n", c.dir)
		case len(c.incompatible)+len(c.compatible) == 0:
			fmt.Fprintf(e.stdout, "%s: as in %s\n", c.dir, c.before)
		default:
			fmt.Fprintf(e.stdout, "%s: since %s\n", c.dir, c.before)
			for _, text := range c.incompatible {
				fmt.Fprintf(e.stdout, "  breaks  %s\n", text)
			}
			for _, text := range c.compatible {
				fmt.Fprintf(e.stdout, "  adds    %s\n", text)
			}
		}
	}
	return err
}

// changes compares every module with its last tag. A tag's whole tree is compared, so that
// siblings are those of that time.
func (e environment) changes(ctx context.Context) ([]change, error) {
	tags, err := e.git(ctx, "tag", "--list")
	if err != nil {
		return nil, err
	}
	var all []change
	var errs []error
	for _, dir := range slices.Sorted(maps.Keys(e.versions)) {
		m := e.repo.Module(dir)
		if m == nil {
			continue // which checkVersions tells
		}
		c := change{dir: dir, path: m.Path(), now: e.versions[dir], before: latest(strings.Fields(tags), dir)}
		if c.before != "" {
			errs = append(errs, e.compare(ctx, &c))
		}
		all = append(all, c)
	}
	return all, errors.Join(errs...)
}

// latest is the greatest version among the tags of a module.
func latest(tags []string, dir string) string {
	best := ""
	for _, t := range tags {
		if v, ok := strings.CutPrefix(t, dir+"/"); ok && semver.IsValid(v) && (best == "" || semver.Compare(v, best) > 0) {
			best = v
		}
	}
	return best
}

func (e environment) compare(ctx context.Context, c *change) error {
	temp, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	old := filepath.Join(temp, "old")
	if _, err := e.git(ctx, "worktree", "add", "--detach", "--quiet", old, tagName(c.dir, c.before)); err != nil {
		return err
	}
	defer func() { _, _ = e.git(context.WithoutCancel(ctx), "worktree", "remove", "--force", old) }()
	before, err := load(ctx, filepath.Join(old, filepath.FromSlash(c.dir)))
	if err != nil {
		return fmt.Errorf("%s %s: %w", c.dir, c.before, err)
	}
	now, err := load(ctx, filepath.Join(e.repo.Root, filepath.FromSlash(c.dir)))
	if err != nil {
		return fmt.Errorf("%s: %w", c.dir, err)
	}
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if now[path] == nil {
			c.incompatible = append(c.incompatible, "package "+path+" removed")
			continue
		}
		for _, change := range apidiff.Changes(before[path], now[path]).Changes {
			text := strings.TrimPrefix(path, c.path) + ": " + change.Message
			if change.Compatible {
				c.compatible = append(c.compatible, text)
			} else {
				c.incompatible = append(c.incompatible, text)
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(now)) {
		if before[path] == nil {
			c.compatible = append(c.compatible, "package "+path+" added")
		}
	}
	return nil
}

// load type-checks the packages of a module that others can import.
func load(ctx context.Context, dir string) (map[string]*types.Package, error) {
	list, err := packages.Load(&packages.Config{
		Context: ctx, Dir: dir,
		Env:  append(os.Environ(), "GOWORK="), // the workspace of the tree, whatever the caller uses
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps | packages.NeedModule,
	}, "./...")
	if err != nil {
		return nil, err
	}
	public := map[string]*types.Package{}
	for _, p := range list {
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
		if p.Name != "main" && !strings.Contains("/"+p.PkgPath+"/", "/internal/") {
			public[p.PkgPath] = p.Types
		}
	}
	return public, nil
}

// git runs git in the repository.
func (e environment) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = e.repo.Root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
