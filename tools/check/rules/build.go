// SPDX-License-Identifier: Apache-2.0

package rules

import "context"

var build = Rule{
	Name:  "build",
	About: "every module builds alone",
	Check: func(ctx context.Context, env Env) ([]Problem, error) {
		return eachModule(ctx, env, "correct what the compiler found", "go", "build", "./...")
	},
}
