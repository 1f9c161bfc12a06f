// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"path/filepath"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/check/used"
)

var usedRule = Rule{
	Name:  "used",
	About: "what a primitive exports is used by one of its examples or tests",
	Check: checkUsed,
}

// checkUsed looks at primitives and at what is nested in them, where tests of the nested module also
// count for the outer one. A module that does not compile is left to the rule build.
func checkUsed(ctx context.Context, env Env) ([]Problem, error) {
	var out []Problem
	var loader used.Loader
	for _, m := range env.Repo.Modules {
		if !hasGo(m) || !inPrimitive(m) {
			continue
		}
		dirs := []string{env.dir(m)}
		for _, nested := range env.Repo.Modules {
			if nested != m && within(nested.Dir, m.Dir) && hasGo(nested) {
				dirs = append(dirs, env.dir(nested))
			}
		}
		unused, err := loader.Unused(ctx, dirs[0], dirs[1:]...)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			out = append(out, Problem{File: m.GoMod(), Message: firstRemark(err.Error()), Fix: "see what the rule build says"})
			continue
		}
		for _, s := range unused {
			out = append(out, Problem{File: fromRoot(env, m, s.File), Line: s.Line, Message: "no test or example uses " + s.Kind + " " + s.Name,
				Fix: "show it in an example, test it, or do not export it"})
		}
	}
	return out, nil
}

// inPrimitive reports whether a module is a primitive or nested in one.
func inPrimitive(m *repo.Module) bool {
	for _, dir := range Primitives() {
		if within(m.Dir, dir) {
			return true
		}
	}
	return false
}

// dir returns the absolute path of a module.
func (env Env) dir(m *repo.Module) string {
	return filepath.Join(env.Repo.Root, filepath.FromSlash(m.Dir))
}
