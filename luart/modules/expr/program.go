// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/vm"
)

// maxSource is the longest expression, in bytes. The parser goes one call deeper for each parenthesis.
const maxSource = 64 << 10

// program is a compiled expression. It may be used by several goroutines.
type program struct {
	source string
	env    map[string]any // the example it was checked with, nil for none
	names  []string       // what it uses of its environment, nil for all of it
	free   sync.Pool      // of *instance
}

// instance is a compiled expression for one run at a time: its functions count what the run uses.
type instance struct {
	code  *vm.Program
	meter *meter
}

// compile compiles an expression. With an example environment, which must not change any more, it knows only the
// names in there, with the types of their values.
func compile(source string, env map[string]any) (*program, error) {
	p := &program{source: source, env: env}
	i, err := p.instance()
	if err != nil {
		return nil, err
	}
	p.names = names(i.code.Node())
	p.free.Put(i)
	return p, nil
}

// names returns the names that an expression uses, nil when it uses the environment as a whole.
func names(root ast.Node) []string {
	seen := collector{}
	ast.Walk(&root, seen)
	if seen[wholeEnv] {
		return nil
	}
	return slices.AppendSeq(make([]string, 0, len(seen)), maps.Keys(seen))
}

// wholeEnv is the name of the environment itself.
const wholeEnv = "$env"

// collector collects names.
type collector map[string]bool

// Visit implements ast.Visitor.
func (c collector) Visit(node *ast.Node) {
	if id, ok := (*node).(*ast.IdentifierNode); ok {
		c[id.Value] = true
	}
}

// instance returns an instance that is not in use.
func (p *program) instance() (*instance, error) {
	if i, ok := p.free.Get().(*instance); ok {
		return i, nil
	}
	m := &meter{}
	options := []expr.Option{func(c *conf.Config) { guard(c, m) }}
	if p.env != nil {
		options = append(options, expr.Env(p.env))
	}
	code, err := expr.Compile(p.source, options...)
	if err != nil {
		return nil, err
	}
	return &instance{code, m}, nil
}

// run evaluates the expression. Without an environment every name is an error, unless the expression was compiled with
// one; a name that the environment does not have is nil.
func (p *program) run(ctx context.Context, env map[string]any) (any, error) {
	i, err := p.instance()
	if err != nil {
		return nil, err
	}
	i.meter.start(ctx)
	defer func() {
		i.meter.stop()
		p.free.Put(i)
	}()
	if env == nil && p.env == nil {
		return vm.Run(i.code, nil)
	}
	if env == nil {
		env = map[string]any{}
	}
	return vm.Run(i.code, env)
}
