// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"fmt"
	"strings"
)

var tidy = Rule{
	Name:  "tidy",
	About: "go.mod and go.sum are what go mod tidy would write",
	Check: checkTidy,
}

func checkTidy(ctx context.Context, env Env) ([]Problem, error) {
	var out []Problem
	for _, m := range env.Repo.Modules {
		output, ok, err := alone(ctx, env, m, "go", "mod", "tidy", "-diff")
		if err != nil {
			return nil, err
		}
		if ok {
			continue
		}
		message := firstRemark(output)
		if strings.Contains(output, "\n--- ") || strings.HasPrefix(output, "diff ") {
			message = "not tidy"
		}
		fmt.Fprint(env.Log, output)
		out = append(out, Problem{File: m.GoMod(), Message: message, Fix: "run GOWORK=off go mod tidy in " + m.Dir})
	}
	return out, nil
}
