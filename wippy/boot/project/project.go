// SPDX-License-Identifier: Apache-2.0

// Package project finds where an application's entries live: the lock file
// wippy.lock with its directories, replacements and vendored modules, or, when
// there is none, the source directory by convention.
package project

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// LockFile is the default name of the lock file in the project directory.
const LockFile = "wippy.lock"

// ErrNoLock is returned by commands that need a lock file and find none.
var ErrNoLock = errors.New("lock file not found")

// Lock is the content of a lock file.
type Lock struct {
	Directories  Directories   `yaml:"directories"`
	Modules      []Module      `yaml:"modules,omitempty"`
	Replacements []Replacement `yaml:"replacements,omitempty"`
	Options      Options       `yaml:"options,omitempty"`

	path string
}

// Directories names where modules are kept and where the source is, relative
// to the lock file.
type Directories struct {
	Modules string `yaml:"modules"`
	Src     string `yaml:"src"`
}

// Module is one pinned module.
type Module struct {
	Name      string `yaml:"name"`
	Version   string `yaml:"version"`
	Hash      string `yaml:"hash,omitempty"`
	LocalHash string `yaml:"local_hash,omitempty"`
}

// Replacement puts a directory in the place of a module.
type Replacement struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// Options are switches kept with the lock.
type Options struct {
	UnpackModules bool `yaml:"unpack_modules,omitempty"`
}

// Source is one directory entries are read from. The other fields are set when it
// belongs to a module; its entries then carry Module and Version in their metadata, and
// those its manifest excludes are left out.
type Source struct {
	Dir     string
	Module  string
	Version string
	Root    string // directory of the module's manifest
}

// Read loads and validates a lock file. A missing file gives an error that is
// ErrNoLock.
func Read(path string) (*Lock, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s\n  hint: run `wippy init` in the project directory", ErrNoLock, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read lock file: %w", err)
	}
	lock := Default()
	lock.path = path
	if err := yaml.Unmarshal(text, lock); err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := lock.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return lock, nil
}

// Default is the lock of a project that has none: sources in the directory
// itself, modules in .wippy.
func Default() *Lock {
	return &Lock{Directories: Directories{Modules: ".wippy", Src: "."}}
}

var moduleName = regexp.MustCompile(`^[^/\s]+/[^/\s]+$`)

func (l *Lock) validate() error {
	var problems []error
	if l.Directories.Modules == "" {
		problems = append(problems, errors.New("directories.modules cannot be empty"))
	}
	if l.Directories.Src == "" {
		problems = append(problems, errors.New("directories.src cannot be empty"))
	}
	for i, m := range l.Modules {
		if !moduleName.MatchString(m.Name) {
			problems = append(problems, fmt.Errorf("modules[%d].name: %q is not of the form org/module", i, m.Name))
		} else if m.Version == "" {
			problems = append(problems, fmt.Errorf("module %q has empty version", m.Name))
		}
	}
	for i, r := range l.Replacements {
		switch {
		case r.From == "" || r.To == "":
			problems = append(problems, fmt.Errorf("replacements[%d]: both from and to are required", i))
		case !isDir(l.resolve(r.To)):
			problems = append(problems, fmt.Errorf("replacements[%d].to: directory %s does not exist", i, l.resolve(r.To)))
		}
	}
	return errors.Join(problems...)
}

// resolve makes a path relative to the lock file absolute.
func (l *Lock) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(l.path), path)
}

// Sources lists where entries come from, in load order: the source directory,
// the replacements, then the vendored modules without replacement. The workspace holds
// further replacements, which win. A module that is pinned but not on disk is an error
// that names it.
func (l *Lock) Sources(workspace Workspace) ([]Source, error) {
	out := []Source{{Dir: l.resolve(l.Directories.Src)}}
	versions := map[string]string{}
	for _, m := range l.Modules {
		versions[m.Name] = m.Version
	}
	replaced := map[string]bool{}
	for _, module := range slices.Sorted(maps.Keys(workspace)) {
		replaced[module] = true
		out = append(out, Source{Dir: preferSrc(workspace[module]), Module: module, Version: versions[module], Root: workspace[module]})
	}
	for _, r := range l.Replacements {
		if replaced[r.From] {
			continue
		}
		replaced[r.From] = true
		out = append(out, Source{Dir: preferSrc(l.resolve(r.To)), Module: r.From, Version: versions[r.From], Root: l.resolve(r.To)})
	}
	vendor := l.resolve(l.Directories.Modules)
	if filepath.Base(vendor) != "vendor" {
		vendor = filepath.Join(vendor, "vendor")
	}
	var missing []string
	for _, m := range l.Modules {
		if replaced[m.Name] {
			continue
		}
		name := filepath.FromSlash(m.Name)
		if dir := filepath.Join(vendor, name); isDir(dir) {
			out = append(out, Source{Dir: preferSrc(dir), Module: m.Name, Version: m.Version, Root: dir})
		} else if dir := filepath.Join(vendor, name+"-"+m.Version); isDir(dir) {
			out = append(out, Source{Dir: preferSrc(dir), Module: m.Name, Version: m.Version, Root: dir})
		} else {
			missing = append(missing, m.Name+"@"+m.Version)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("modules are pinned in %s but not unpacked below %s: %s", l.path, vendor, strings.Join(missing, ", "))
	}
	return out, nil
}

// Write stores the lock with mode 0600, modules sorted by name and without
// duplicates, replacing the file in one step.
func (l *Lock) Write(path string) error {
	slices.SortFunc(l.Modules, func(a, b Module) int { return strings.Compare(a.Name+"@"+a.Version, b.Name+"@"+b.Version) })
	l.Modules = slices.CompactFunc(l.Modules, func(a, b Module) bool { return a.Name == b.Name && a.Version == b.Version })
	text, err := yaml.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode lock file: %w", err)
	}
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fmt.Errorf("write lock file: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(fmt.Errorf("write lock file: %w", err), os.Remove(temporary))
	}
	return nil
}

// Workspace says which modules are replaced by directories while they are worked on. It
// belongs to the configuration and never gets into a lock file.
type Workspace map[string]string

// NewWorkspace reads the replacements of a configuration: directories by the name of the
// module, relative to the directory of the configuration; nil cancels one.
func NewWorkspace(values map[string]any, base string) (Workspace, error) {
	w := Workspace{}
	var errs []error
	for _, module := range slices.Sorted(maps.Keys(values)) {
		dir, ok := values[module].(string)
		switch {
		case values[module] == nil:
			continue
		case !moduleName.MatchString(module):
			errs = append(errs, fmt.Errorf("workspace.replacements: %q is not of the form org/module", module))
			continue
		case !ok || dir == "":
			errs = append(errs, fmt.Errorf("workspace.replacements.%s: must be a directory, got %v", module, values[module]))
			continue
		}
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(base, dir)
		}
		if !isDir(dir) {
			errs = append(errs, fmt.Errorf("workspace.replacements.%s: directory %s does not exist", module, dir))
		}
		w[module] = dir
	}
	return w, errors.Join(errs...)
}

// Layout is where the entries of a project are.
type Layout struct {
	Sources []Source
	// Note says in one line for the log what was assumed, or is "".
	Note string
	// Deprecated names what the lock file should not have any more, or is "".
	Deprecated string
}

// Locate finds the entries of the project in dir. Without a lock file they are in dir/src
// when it exists, else in dir itself, and in the workspace.
func Locate(dir, lockFile string, workspace Workspace) (Layout, error) {
	path := lockFile
	if path == "" {
		path = LockFile
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	lock, err := Read(path)
	if errors.Is(err, ErrNoLock) && lockFile == "" {
		src := filepath.Join(dir, "src")
		if !isDir(src) {
			src = dir
		}
		lock = Default()
		lock.Directories.Src = src
		sources, err := lock.Sources(workspace)
		return Layout{Sources: sources, Note: "no lock file found, reading entries from " + src}, err
	}
	if err != nil {
		return Layout{}, err
	}
	l := Layout{}
	if len(lock.Replacements) > 0 {
		l.Deprecated = path + ": replacements are deprecated; move them to workspace.replacements of the configuration"
	}
	l.Sources, err = lock.Sources(workspace)
	return l, err
}

func preferSrc(dir string) string {
	if src := filepath.Join(dir, "src"); isDir(src) {
		return src
	}
	return dir
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
