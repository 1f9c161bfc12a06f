// SPDX-License-Identifier: Apache-2.0

package rules

import "context"

var vet = Rule{
	Name:  "vet",
	About: "go vet finds nothing",
	Check: func(ctx context.Context, env Env) ([]Problem, error) {
		return eachModule(ctx, env, "correct what go vet found", "go", "vet", "./...")
	},
}
