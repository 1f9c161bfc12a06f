// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// tag checks, and tags each module whose version has no tag yet. The tags are on a commit of
// their own beside the branch, in which no go.mod has replace lines: "go install" of a command
// refuses a module with any. Tags are not pushed.
func tag(ctx context.Context, e environment, args []string) error {
	flags := flag.NewFlagSet("tag", flag.ContinueOnError)
	flags.SetOutput(e.stderr)
	dry := flags.Bool("n", false, "only tell what would be tagged")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	status, err := e.git(ctx, "status", "--porcelain")
	if err != nil {
		return err
	}
	if status != "" {
		return errors.New("the tree has changes that are not committed:\n" + status)
	}
	if err := e.check(ctx, true); err != nil {
		return err
	}
	have, err := e.git(ctx, "tag", "--list")
	if err != nil {
		return err
	}
	var wanted []string
	for _, dir := range slices.Sorted(maps.Keys(e.versions)) {
		if name := tagName(dir, e.versions[dir]); !slices.Contains(strings.Fields(have), name) {
			wanted = append(wanted, name)
		}
	}
	switch {
	case len(wanted) == 0:
		fmt.Fprintln(e.stdout, "every version is tagged already")
		return nil
	case *dry:
		fmt.Fprintln(e.stdout, strings.Join(wanted, "\n"))
		return nil
	}
	commit, err := e.releaseCommit(ctx, wanted)
	if err != nil {
		return err
	}
	for _, name := range wanted {
		if _, err := e.git(ctx, "tag", "-a", "-m", name, name, commit); err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, "tagged", name)
	}
	fmt.Fprintf(e.stdout, "\npublish them with: git push origin %s\n", strings.Join(wanted, " "))
	return nil
}

// releaseCommit makes the commit that is tagged.
func (e environment) releaseCommit(ctx context.Context, tags []string) (string, error) {
	temp, err := os.MkdirTemp("", "release-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	tree := filepath.Join(temp, "tree")
	if _, err := e.git(ctx, "worktree", "add", "--detach", "--quiet", tree, "HEAD"); err != nil {
		return "", err
	}
	defer func() { _, _ = e.git(context.WithoutCancel(ctx), "worktree", "remove", "--force", tree) }()
	for dir := range e.versions {
		file := filepath.Join(tree, filepath.FromSlash(dir), "go.mod")
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if data, err = withoutReplace(file, data); err != nil {
			return "", err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return "", err
		}
	}
	for _, args := range [][]string{
		{"-C", tree, "commit", "--all", "--quiet", "-m", "release: " + strings.Join(tags, ", ")},
	} {
		if _, err := e.git(ctx, args...); err != nil {
			return "", err
		}
	}
	commit, err := e.git(ctx, "-C", tree, "rev-parse", "HEAD")
	return strings.TrimSpace(commit), err
}

// withoutReplace drops the replace lines of a go.mod.
func withoutReplace(name string, data []byte) ([]byte, error) {
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Clone(f.Replace) {
		if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	f.Cleanup()
	return f.Format()
}
