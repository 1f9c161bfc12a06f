// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

var static = Rule{
	Name:  "staticcheck",
	About: "staticcheck, in the version that tools/go.mod names, finds nothing",
	Check: checkStatic,
}

const staticPath = "honnef.co/go/tools/cmd/staticcheck"

func checkStatic(ctx context.Context, env Env) ([]Problem, error) {
	tools := env.Repo.Module("tools")
	if tools == nil {
		return []Problem{{File: "tools", Message: "missing, so no version of staticcheck is known", Fix: "add the module"}}, nil
	}
	temp, err := os.MkdirTemp("", "check-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	binary := filepath.Join(temp, "staticcheck")
	output, ok, err := alone(ctx, env, tools, "go", "build", "-o", binary, staticPath)
	if err != nil {
		return nil, err
	}
	if !ok {
		fmt.Fprint(env.Log, output)
		return []Problem{{File: tools.GoMod(), Message: "staticcheck does not build: " + firstRemark(output),
			Fix: "run go get -tool " + staticPath + " in tools"}}, nil
	}
	return eachModule(ctx, env, "correct what staticcheck found, or see its -explain", binary, "./...")
}
