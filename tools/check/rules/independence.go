// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"
)

// ModulePath returns the path of the module in a directory.
func ModulePath(dir string) string { return prefix + dir }

// IsOurs reports whether a module path is one of the repository.
func IsOurs(modulePath string) bool { return strings.HasPrefix(modulePath, prefix) }

// Primitives returns the directories of the modules that people import alone,
// sorted.
func Primitives() []string {
	var out []string
	for _, r := range table {
		if r.primitive {
			out = append(out, r.dir)
		}
	}
	slices.Sort(out)
	return out
}

// Siblings returns the directories of the modules that come with the one in dir:
// those that the import table lets it import, and what those import in turn.
func Siblings(dir string) []string {
	var out []string
	r := rowFor(dir)
	if r == nil {
		return nil
	}
	for _, direct := range r.ours {
		out = append(out, direct)
		out = append(out, Siblings(direct)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// MayRequire reports whether the import table lets the go.mod of the module in dir
// name a module for its own use or that of its tests.
func MayRequire(dir, modulePath string) bool {
	r := rowFor(dir)
	if r == nil {
		return false
	}
	if sibling, ours := strings.CutPrefix(modulePath, prefix); ours {
		return r.anyOurs || slices.Contains(r.ours, sibling)
	}
	return r.anyOthers || slices.Contains(r.others, modulePath) || IsTestOnly(modulePath)
}

// IsTestOnly reports whether only tests may use a module.
func IsTestOnly(modulePath string) bool { return slices.Contains(testOnly, modulePath) }
