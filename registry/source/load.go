// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/wippyrun/kit/registry"
)

// Options changes how trees are read. The zero value reads strictly.
type Options struct {
	// Lenient skips a file that has a problem, with one warning per problem, and lets the
	// last of several definitions of an ID win. Otherwise both make Load fail.
	Lenient bool
	// Warn is told what does not prevent loading. It is called from the goroutine of
	// Load. Default: nobody is told.
	Warn func(*Problem)
	// SkipDirs names directories that are not entered, besides node_modules: a base name,
	// or a slash-separated path from the root of the tree.
	SkipDirs []string
	// Parallel is how many files are parsed at a time. Default: GOMAXPROCS.
	Parallel int

	_ struct{}
}

// Tree is one root of files.
type Tree struct {
	// Dir is the directory, or with FS the name to use for it in positions.
	Dir string
	// FS replaces the directory. It should confine its names to the tree the way
	// os.Root does.
	FS fs.FS
	// Meta is set on every entry of the tree, over the metadata in the files.
	Meta map[string]any
	// Omit leaves out the entries for which it returns true, as if they were not written.
	// It sees them with Meta, and is called from the goroutine of Load. Optional.
	Omit func(registry.Entry) bool

	_ struct{}
}

// Load reads the entries of directories. A directory that does not exist is skipped with
// a warning. The same ID twice in one directory is a problem; in two directories the
// later definition wins, with a warning.
//
// The error is a Problems unless ctx ended or a directory could not be read.
func Load(ctx context.Context, dirs []string, opts Options) ([]registry.Entry, error) {
	trees := make([]Tree, len(dirs))
	for i, d := range dirs {
		trees[i].Dir = d
	}
	return LoadTrees(ctx, trees, opts)
}

// LoadFS reads the entries of a file system; name stands for it in positions.
func LoadFS(ctx context.Context, fsys fs.FS, name string, opts Options) ([]registry.Entry, error) {
	return LoadTrees(ctx, []Tree{{Dir: name, FS: fsys}}, opts)
}

// LoadTrees is Load for trees.
func LoadTrees(ctx context.Context, trees []Tree, opts Options) ([]registry.Entry, error) {
	l := &loader{opts: opts}
	for _, t := range trees {
		if err := l.tree(ctx, t); err != nil {
			return nil, err
		}
	}
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	return l.entries, nil
}

type loader struct {
	opts     Options
	entries  []registry.Entry
	at       map[registry.ID]place
	problems Problems
	trees    int
}

type place struct{ index, tree int }

func (l *loader) warn(p *Problem) {
	if l.opts.Warn != nil {
		l.opts.Warn(p)
	}
}

func (l *loader) tree(ctx context.Context, t Tree) error {
	if t.FS == nil {
		root, err := os.OpenRoot(t.Dir)
		if errors.Is(err, fs.ErrNotExist) {
			l.warn(&Problem{File: t.Dir, Message: "path not found, skipping"})
			return nil
		}
		if err != nil {
			return fmt.Errorf("source: open %s: %w", t.Dir, err)
		}
		defer root.Close()
		t.FS = root.FS()
	}
	l.trees++
	names, found, err := l.list(t)
	if err != nil {
		return fmt.Errorf("source: list %s: %w", t.Dir, err)
	}
	files, err := l.parse(ctx, t, names)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	for _, f := range files {
		found = append(found, l.take(t, f)...)
	}
	found.sort()
	l.problems = append(l.problems, found...)
	return nil
}

// parse reads the files, several at a time. The result has the order of the names.
func (l *loader) parse(ctx context.Context, t Tree, names []string) ([]*file, error) {
	n := l.opts.Parallel
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	files := make([]*file, len(names))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(n, len(names)) {
		g.Go(func() error {
			var q quickParser
			for {
				i := int(next.Add(1)) - 1
				if i >= len(names) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				files[i] = parse(t, names[i], &q)
			}
		})
	}
	return files, g.Wait()
}

// list returns the candidate files in lexical order, and what keeps directories from
// being listed.
func (l *loader) list(t Tree) (names []string, found Problems, err error) {
	skip := skips(l.opts.SkipDirs)
	err = fs.WalkDir(t.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil && name == "." {
			return err
		}
		if err != nil {
			p := &Problem{File: display(t, name), Message: "failed to read directory", Err: plain(err)}
			if l.opts.Lenient {
				l.warn(p)
			} else {
				found = append(found, p)
			}
			return fs.SkipDir
		}
		if d.IsDir() {
			if name != "." && (skip[d.Name()] || skip[name]) {
				return fs.SkipDir
			}
			return nil
		}
		switch path.Ext(name) {
		case ".yaml", ".yml", ".json":
		default:
			return nil
		}
		switch {
		case strings.HasPrefix(d.Name(), ".#"): // the mark Emacs leaves next to an edited file
		case d.Type()&^fs.ModeSymlink != 0:
			l.warn(&Problem{File: display(t, name), Message: "not a file; skipped"}) // opening a pipe would wait for ever
		default:
			names = append(names, name)
		}
		return nil
	})
	return names, found, err
}

// skips returns the directories to skip: fixed, given, and by environment.
func skips(given []string) map[string]bool {
	skip := map[string]bool{"node_modules": true}
	for _, d := range given {
		skip[path.Clean(filepath.ToSlash(d))] = true
	}
	for d := range strings.SplitSeq(os.Getenv("SKIP_TEST_DIRS"), ",") {
		if d = strings.TrimSpace(d); d != "" {
			skip[d] = true
		}
	}
	for env, dirs := range map[string][]string{
		"SKIP_TEMPORAL_TESTS":     {"_temporal", "temporal"},
		"SKIP_CLOUDSTORAGE_TESTS": {"cloudstorage"},
		"SKIP_SQS_TESTS":          {"sqs"},
		"SKIP_NETWORK_TESTS":      {"network"},
	} {
		if os.Getenv(env) != "" {
			for _, d := range dirs {
				skip[d] = true
			}
		}
	}
	return skip
}

// take adds the entries of a file and returns its problems.
func (l *loader) take(t Tree, f *file) Problems {
	for _, w := range f.warnings {
		l.warn(w)
	}
	found := f.problems
	if l.opts.Lenient && len(found) > 0 {
		found.sort()
		for _, p := range found {
			q := *p
			q.Message = "file skipped: " + q.Message
			l.warn(&q)
		}
		return nil
	}
	// The entries of a file with a problem are looked at as well, since they may be
	// defined elsewhere too: that is told at once.
	for _, e := range f.entries {
		if p := l.add(t, f, e); p != nil {
			found = append(found, p)
		}
	}
	return found
}

// add adds one entry; the problem is that there is one with this ID already.
func (l *loader) add(t Tree, f *file, e registry.Entry) *Problem {
	if e.ID.Name == "" {
		return nil // reported
	}
	if l.at == nil {
		l.at = map[registry.ID]place{}
	}
	if len(t.Meta) > 0 {
		m := maps.Clone(e.Meta)
		if m == nil {
			m = make(map[string]any, len(t.Meta))
		}
		maps.Copy(m, t.Meta)
		e.Meta = m
	}
	if t.Omit != nil && t.Omit(e) {
		return nil
	}
	first, seen := l.at[e.ID]
	if !seen {
		l.at[e.ID] = place{len(l.entries), l.trees}
		l.entries = append(l.entries, e)
		return nil
	}
	p := f.problem(e.Origin.Line, e.Origin.Column, "", fmt.Sprintf("duplicate entry %s, first defined at %s",
		e.ID, l.entries[first.index].Position("")))
	if first.tree == l.trees && !l.opts.Lenient {
		p.Hint = "rename or remove one of them"
		return p
	}
	p.Message = "duplicate entries detected (will use last definition): " + p.Message
	l.warn(p)
	l.entries[first.index] = e
	l.at[e.ID] = place{first.index, l.trees}
	return nil
}

// display joins the name of a tree and the name of a file in it the way a person would
// write it.
func display(t Tree, name string) string {
	if t.Dir == "" {
		return name
	}
	return filepath.Join(t.Dir, filepath.FromSlash(name))
}
