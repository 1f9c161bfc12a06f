// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/wippyrun/kit/tools/check/repo"
)

// Versions returns the version of each module: the one that the modules beside it
// require. A module that nobody requires gets the greatest version of all, which is
// that of the release. It fails when two modules require different versions of a
// third, and when nothing requires anything.
func Versions(mods []*repo.Module) (map[string]string, error) {
	ours := make(map[string]bool)
	for _, m := range mods {
		ours[m.Path()] = true
	}
	versions := make(map[string]string)
	by := make(map[string]string)
	greatest := ""
	var conflicts []string
	for _, m := range mods {
		for _, r := range m.Mod.Require {
			path, version := r.Mod.Path, r.Mod.Version
			if !ours[path] {
				continue
			}
			if have := versions[path]; have != "" && have != version {
				conflicts = append(conflicts, fmt.Sprintf("%s requires %s %s, but %s requires %s", m.GoMod(), path, version, by[path], have))
				continue
			}
			versions[path], by[path] = version, m.GoMod()
			if greatest == "" || semver.Compare(version, greatest) > 0 {
				greatest = version
			}
		}
	}
	if len(conflicts) > 0 {
		slices.Sort(conflicts)
		return nil, errors.New(strings.Join(conflicts, "\n"))
	}
	if greatest == "" {
		return nil, errors.New("no module requires another, so no version is known")
	}
	for path := range ours {
		if versions[path] == "" {
			versions[path] = greatest
		}
	}
	return versions, nil
}
