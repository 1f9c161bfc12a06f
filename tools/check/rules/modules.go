// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"fmt"
	"path"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/wippyrun/kit/tools/check/repo"
)

var modules = Rule{
	Name:  "modules",
	About: "go.mod files agree: paths, go version, a replace for each sibling required, one version of each requirement",
	Check: checkModules,
}

// required is a version and the go.mod that asks for it.
type required struct{ version, goMod string }

func checkModules(_ context.Context, env Env) ([]Problem, error) {
	var out []Problem
	versions := make(map[string]required)
	for _, m := range env.Repo.Modules {
		report := func(line *modfile.Line, message, fix string) {
			n := 1
			if line != nil {
				n = line.Start.Line
			}
			out = append(out, Problem{File: m.GoMod(), Line: n, Message: message, Fix: fix})
		}
		if want := prefix + m.Dir; m.Path() != want {
			report(m.Mod.Module.Syntax, "module path is "+m.Path(), "name it "+want)
		}
		if work := env.Repo.Work.Go; work != nil && (m.Mod.Go == nil || m.Mod.Go.Version != work.Version) {
			report(nil, "go version differs from go.work", "write go "+work.Version)
		}
		checkReplaces(env.Repo, m, report)
		for _, r := range m.Mod.Require {
			// Indirect ones count: whatever depends on another version is compiled, vetted and
			// analysed twice, and what is tested alone is not what is tested together.
			first, seen := versions[r.Mod.Path]
			if !seen {
				versions[r.Mod.Path] = required{r.Mod.Version, m.GoMod()}
			} else if first.version != r.Mod.Version {
				report(r.Syntax, fmt.Sprintf("requires %s %s, but %s requires %s", r.Mod.Path, r.Mod.Version, first.goMod, first.version),
					"require the same version in both")
			}
		}
	}
	return out, nil
}

// checkReplaces compares the siblings a module requires with those it replaces.
// Each one required must be replaced by its directory; each one replaced must be
// required, by the module or by a sibling that it requires.
func checkReplaces(rp *repo.Repo, m *repo.Module, report func(line *modfile.Line, message, fix string)) {
	replaced := make(map[string]bool)
	for _, r := range m.Mod.Replace {
		dir, ours := strings.CutPrefix(r.Old.Path, prefix)
		if !ours {
			report(r.Syntax, "replaces "+r.Old.Path+", which users of the module would not get", "require a version that works")
			continue
		}
		replaced[r.Old.Path] = true
		if path.Join(m.Dir, r.New.Path) != dir || r.Old.Version != "" || r.New.Version != "" {
			report(r.Syntax, "replaces "+r.Old.Path+" by "+r.New.Path, "write "+replaceLine(m, dir))
		}
	}
	for _, r := range m.Mod.Require {
		if dir, ours := strings.CutPrefix(r.Mod.Path, prefix); ours && !replaced[r.Mod.Path] {
			report(r.Syntax, "requires "+r.Mod.Path+" without replacing it", "add "+replaceLine(m, dir))
		}
	}
	needed := make(map[string]bool)
	need(rp, m, needed)
	for _, r := range m.Mod.Replace {
		if strings.HasPrefix(r.Old.Path, prefix) && !needed[r.Old.Path] {
			report(r.Syntax, "replaces "+r.Old.Path+" without requiring it", "remove the line")
		}
	}
}

// need adds the siblings that a module requires, directly or through others.
func need(rp *repo.Repo, m *repo.Module, needed map[string]bool) {
	for _, r := range m.Mod.Require {
		dir, ours := strings.CutPrefix(r.Mod.Path, prefix)
		if !ours || needed[r.Mod.Path] {
			continue
		}
		needed[r.Mod.Path] = true
		if sibling := rp.Module(dir); sibling != nil {
			need(rp, sibling, needed)
		}
	}
}

// replaceLine returns the line by which a module replaces the sibling in dir.
func replaceLine(m *repo.Module, dir string) string {
	up := strings.Repeat("../", 1+strings.Count(m.Dir, "/"))
	return "replace " + prefix + dir + " => " + up + dir
}
