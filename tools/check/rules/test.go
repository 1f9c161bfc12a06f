// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/wippyrun/kit/tools/check/repo"
)

var test = Rule{
	Name:  "test",
	About: "every module passes its tests alone (left out by -fast)",
	Check: checkTests,
}

func checkTests(ctx context.Context, env Env) ([]Problem, error) {
	if env.Fast {
		return nil, nil
	}
	var out []Problem
	for _, m := range env.Repo.Modules {
		if !hasGo(m) {
			continue
		}
		// The rule vet has looked at everything: go test would do it again, dependencies included.
		output, ok, err := alone(ctx, env, m, "go", "test", "-vet=off", "./...")
		if err != nil {
			return nil, err
		}
		if !ok {
			fmt.Fprint(env.Log, output)
			out = append(out, failures(m, output)...)
		}
	}
	return out, nil
}

var (
	failedTest    = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	failedPackage = regexp.MustCompile(`^FAIL\t(\S+)`)
)

// failures makes one problem of each package that failed, naming its tests.
func failures(m *repo.Module, output string) []Problem {
	var out []Problem
	var names []string
	for line := range strings.Lines(output) {
		if match := failedTest.FindStringSubmatch(line); match != nil {
			names = append(names, match[1])
			continue
		}
		match := failedPackage.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		message := "package does not pass its tests"
		if len(names) > 0 {
			message = "fails " + strings.Join(names, ", ")
		}
		dir := path.Join(m.Dir, strings.TrimPrefix(match[1], m.Path()))
		out = append(out, Problem{File: dir, Message: message, Fix: "run GOWORK=off go test in " + dir})
		names = nil
	}
	if len(out) == 0 {
		out = append(out, Problem{File: m.GoMod(), Message: firstRemark(output), Fix: "run GOWORK=off go test ./... in " + m.Dir})
	}
	return out
}
