// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"fmt"
	"slices"

	"golang.org/x/mod/modfile"
)

// releasedGoMod returns the go.mod that a release of the module has. It is the very
// bytes of the repository unless the options ask for a change.
func releasedGoMod(name string, data []byte, opts Options) ([]byte, error) {
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, err
	}
	changed := false
	if slices.Contains(opts.Commands, f.Module.Mod.Path) {
		for _, r := range slices.Clone(f.Replace) {
			if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			changed = true
		}
	}
	for _, r := range slices.Clone(f.Require) {
		if version, ok := opts.Require[r.Mod.Path]; ok && version != r.Mod.Version {
			if err := f.AddRequire(r.Mod.Path, version); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			changed = true
		}
	}
	if !changed {
		return data, nil
	}
	f.Cleanup()
	return f.Format()
}
