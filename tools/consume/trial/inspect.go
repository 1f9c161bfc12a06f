// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"cmp"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/wippyrun/kit/tools/check/rules"
	"github.com/wippyrun/kit/tools/pack"
)

// sums are the hashes of module zips.
type sums map[module.Version]string

// sorted returns the modules by path and version.
func (s sums) sorted() []module.Version {
	var out []module.Version
	for v := range s {
		out = append(out, v)
	}
	slices.SortFunc(out, compareVersions)
	return out
}

func compareVersions(a, b module.Version) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
}

// parseGraph reads what go mod graph prints, lines of "from to". All are the modules
// that somebody comes to have who has the main module, which is the only one without
// a version. Added are those that only the main module requires. Our modules stand
// there once each, or two of them ask for different versions.
func parseGraph(text string) (all, added []module.Version) {
	by := make(map[module.Version][]string)
	for line := range strings.Lines(text) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		path, version, _ := strings.Cut(to, "@")
		if path == "go" || path == "toolchain" {
			continue
		}
		v := module.Version{Path: path, Version: version}
		by[v] = append(by[v], from)
	}
	for v, froms := range by {
		all = append(all, v)
		if !slices.ContainsFunc(froms, func(from string) bool { return strings.Contains(from, "@") }) {
			added = append(added, v)
		}
	}
	slices.SortFunc(all, compareVersions)
	slices.SortFunc(added, compareVersions)
	return all, added
}

// readSums reads a go.sum, without the hashes of go.mod files. A file that is not
// there holds nothing: a module that requires nothing has none.
func readSums(name string) (sums, error) {
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	out := make(sums)
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && !strings.HasSuffix(f[1], "/go.mod") {
			out[module.Version{Path: f[0], Version: f[1]}] = f[2]
		}
	}
	return out, nil
}

// binaryParts returns the modules whose packages were linked into a program.
func binaryParts(name string) (sums, error) {
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		return nil, err
	}
	out := make(sums)
	for _, d := range info.Deps {
		if d.Replace != nil {
			return nil, fmt.Errorf("%s was replaced by %s", d.Path, d.Replace.Path)
		}
		out[module.Version{Path: d.Path, Version: d.Version}] = d.Sum
	}
	if info.Main.Sum != "" { // installed from a version; a scratch module has no sum
		out[module.Version{Path: info.Main.Path, Version: info.Main.Version}] = info.Main.Sum
	}
	return out, nil
}

// checkNoTestModules reports modules that are for tests only.
func checkNoTestModules(parts sums) error {
	var errs []error
	for _, v := range parts.sorted() {
		if rules.IsTestOnly(v.Path) {
			errs = append(errs, fmt.Errorf("the program contains %s, which is for tests only", v.Path))
		}
	}
	return errors.Join(errs...)
}

// checkModules compares all modules that somebody has who requires m alone with the
// import table: of ours m and the siblings of its row, and what each of those
// requires by a line that is not "indirect". Of those that only this somebody
// requires there must be none but m: the go command adds the latest version of a
// module that is needed and that no go.mod names.
func (s *Site) checkModules(m *pack.Module, all, added []module.Version) error {
	allowed := append(rules.Siblings(m.Dir), m.Dir)
	var errs []error
	for _, v := range added {
		if v != m.Version {
			errs = append(errs, fmt.Errorf("%s is needed, but no go.mod requires it", v))
		}
	}
	for _, v := range all {
		if !rules.IsOurs(v.Path) {
			continue
		}
		ours := s.modules[v.Path]
		switch {
		case ours == nil || ours.Version != v:
			errs = append(errs, fmt.Errorf("%s is not of this workspace", v))
			continue
		case !slices.Contains(allowed, ours.Dir):
			errs = append(errs, fmt.Errorf("%s came along, which the import table does not allow", v))
		}
		for _, r := range ours.GoMod.Require {
			if !r.Indirect && !rules.MayRequire(ours.Dir, r.Mod.Path) {
				errs = append(errs, fmt.Errorf("%s requires %s, which the import table does not allow", v.Path, r.Mod.Path))
			}
		}
	}
	return errors.Join(errs...)
}

// checkSums compares the hashes of modules with those of what was packed, for
// modules of the workspace, and with the go.sum of m, for others.
func (s *Site) checkSums(m *pack.Module, got sums) error {
	tested, err := readSums(filepath.Join(s.rp.Root, filepath.FromSlash(m.Dir), "go.sum"))
	if err != nil {
		return err
	}
	for _, p := range s.modules {
		tested[p.Version] = p.Sum
	}
	var errs []error
	for _, v := range got.sorted() {
		switch want := tested[v]; want {
		case got[v]:
		case "":
			errs = append(errs, fmt.Errorf("%s is neither in go.sum of %s nor of this workspace", v, m.Dir))
		default:
			errs = append(errs, fmt.Errorf("%s has the hash %s and not %s, with which it was tested", v, got[v], want))
		}
	}
	if _, ok := got[m.Version]; !ok {
		errs = append(errs, fmt.Errorf("%s is not part of it", m.Version))
	}
	return errors.Join(errs...)
}
