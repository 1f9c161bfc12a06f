// SPDX-License-Identifier: Apache-2.0

package expr

import "context"

// Program is a compiled expression as the tests see it.
type Program struct{ p *program }

// Compile compiles an expression.
func Compile(source string, env map[string]any) (Program, error) {
	p, err := compile(source, env)
	return Program{p}, err
}

// Run evaluates it.
func (p Program) Run(ctx context.Context, env map[string]any) (any, error) { return p.p.run(ctx, env) }

// Run compiles an expression, with an example environment or without, and evaluates it.
func Run(ctx context.Context, source string, example, env map[string]any) (any, error) {
	p, err := Compile(source, example)
	if err != nil {
		return nil, err
	}
	return p.Run(ctx, env)
}
