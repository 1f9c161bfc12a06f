// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/tools/check/repo"
)

// versionsFile holds the version of every module that is released.
const versionsFile = "tools/versions.yaml"

// unreleased are modules that nobody imports.
var unreleased = []string{"benchmarks", "tools"}

func readVersions(root string) (map[string]string, error) {
	data, err := os.ReadFile(filepath.Join(root, versionsFile))
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	if err := yaml.Unmarshal(data, &versions); err != nil {
		return nil, fmt.Errorf("%s: %w", versionsFile, err)
	}
	return versions, nil
}

// checkVersions compares the file with modules, requirements and changelogs. strict also asks
// for a section of the version in each changelog; without, one of what is unreleased will do.
func checkVersions(rp *repo.Repo, versions map[string]string, changelog func(dir string) (string, error), strict bool) error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	byPath := map[string]string{}
	for _, m := range rp.Modules {
		version, listed := versions[m.Dir]
		hidden := slices.Contains(unreleased, m.Dir)
		switch {
		case !listed && !hidden:
			complain("%s has no version: add a line to %s", m.Dir, versionsFile)
		case listed && hidden:
			complain("%s is not released: remove its line from %s", m.Dir, versionsFile)
		case listed && (!semver.IsValid(version) || semver.Canonical(version) != version):
			complain("%s: %q is no version such as v1.2.3", m.Dir, version)
		case listed && !fitsPath(m.Path(), version):
			complain("%s: the module path %s does not fit version %s", m.Dir, m.Path(), version)
		}
		byPath[m.Path()] = version
	}
	for _, dir := range slices.Sorted(maps.Keys(versions)) {
		if rp.Module(dir) == nil {
			complain("%s is in %s, but there is no such module", dir, versionsFile)
		}
	}
	for _, m := range rp.Modules {
		for _, r := range m.Mod.Require {
			if want, ours := byPath[r.Mod.Path]; ours && want != "" && want != r.Mod.Version {
				complain("%s requires %s %s, but its version is %s", m.GoMod(), r.Mod.Path, r.Mod.Version, want)
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(versions)) {
		if rp.Module(dir) == nil {
			continue
		}
		text, err := changelog(dir)
		if err != nil {
			complain("%s: %w", dir, err)
			continue
		}
		if section(text, strings.TrimPrefix(versions[dir], "v")) != "" {
			continue
		}
		if strict || section(text, "Unreleased") == "" {
			complain("%s/CHANGELOG.md tells nothing of %s: name its section [%s]", dir, versions[dir], strings.TrimPrefix(versions[dir], "v"))
		}
	}
	return errors.Join(errs...)
}

// fitsPath tells whether a path may have a version: from v2 on it ends in the major version.
func fitsPath(path, version string) bool {
	major := semver.Major(version)
	if major == "v0" || major == "v1" {
		return true
	}
	return strings.HasSuffix(path, "/"+major)
}

var heading = regexp.MustCompile(`(?m)^## \[([^\]]+)\].*$`)

// section returns what a changelog says of a version, "" when it says nothing.
func section(text, version string) string {
	all := heading.FindAllStringSubmatchIndex(text, -1)
	for i, at := range all {
		if text[at[2]:at[3]] != version {
			continue
		}
		end := len(text)
		if i+1 < len(all) {
			end = all[i+1][0]
		}
		return strings.TrimSpace(text[at[1]:end])
	}
	return ""
}

// tagName is the tag of a version of the module in dir.
func tagName(dir, version string) string { return dir + "/" + version }
