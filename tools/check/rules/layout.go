// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

var layout = Rule{
	Name:  "layout",
	About: "top-level folders and files are those of the import table, go.work lists every module",
	Check: checkLayout,
}

// rootFiles are the files the root must have, optionalFiles those it may have: the first
// comes and goes with the toolchain.
var (
	rootFiles     = []string{"README.md", "LICENSE", "CHANGELOG.md", "go.work"}
	optionalFiles = []string{"go.work.sum", "CONTRIBUTING.md"}
)

func checkLayout(_ context.Context, env Env) ([]Problem, error) {
	entries, err := os.ReadDir(env.Repo.Root)
	if err != nil {
		return nil, err
	}
	ignored, err := ignoredAtRoot(env.Repo.Root)
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, r := range table {
		if !strings.Contains(r.dir, "/") {
			folders = append(folders, r.dir)
		}
	}
	var out []Problem
	have := make(map[string]bool)
	for _, e := range entries {
		name := e.Name()
		have[name] = true
		switch {
		case strings.HasPrefix(name, ".") || slices.Contains(ignored, name):
		case e.IsDir() && !slices.Contains(folders, name):
			out = append(out, Problem{File: name, Message: "folder is not part of the layout",
				Fix: "move it into one of " + strings.Join(folders, ", ")})
		case !e.IsDir() && !slices.Contains(optionalFiles, name) && !slices.Contains(rootFiles, name):
			out = append(out, Problem{File: name, Message: "file does not belong at the top level",
				Fix: "move it into a module"})
		}
	}
	for _, name := range slices.Concat(folders, rootFiles) {
		if !have[name] {
			out = append(out, Problem{File: name, Message: "missing at the top level", Fix: "add it"})
		}
	}
	return append(out, checkWorkspace(env)...), nil
}

// checkWorkspace compares go.work with the modules on disk.
func checkWorkspace(env Env) []Problem {
	var out []Problem
	used := make(map[string]bool)
	for _, u := range env.Repo.Work.Use {
		dir := path.Clean(u.Path)
		used[dir] = true
		if env.Repo.Module(dir) == nil {
			out = append(out, Problem{File: "go.work", Line: u.Syntax.Start.Line,
				Message: "uses " + dir + ", which has no go.mod", Fix: "remove the line"})
		}
	}
	for _, m := range env.Repo.Modules {
		if !used[m.Dir] {
			out = append(out, Problem{File: "go.work", Message: "does not use " + m.Dir, Fix: "add use ./" + m.Dir})
		}
	}
	return out
}

// ignoredAtRoot returns the names that .gitignore ignores at the top level. Only
// plain names are understood, which is all that is needed here.
func ignoredAtRoot(root string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	var names []string
	for line := range bytes.Lines(data) {
		names = append(names, strings.Trim(strings.TrimSpace(string(line)), "/"))
	}
	return names, err
}
