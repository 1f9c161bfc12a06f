// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"testing"

	peer "github.com/expr-lang/expr"

	"github.com/wippyrun/kit/luart/modules/expr"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

const (
	rule   = `user.age >= 18 and user.country in ["DE", "FR"] and total * 1.19 > 100`
	filter = `filter(items, .price > 10)`
)

func BenchmarkEval(b *testing.B) { benchmark(b, `expr.eval(source, env) ~= nil`, rule) }

func BenchmarkRun(b *testing.B) { benchmark(b, `program:run(env) ~= nil`, rule) }

func BenchmarkFilter(b *testing.B) { benchmark(b, `program:run(env)`, filter) }

func BenchmarkCompile(b *testing.B) { benchmark(b, `expr.compile(source)`, rule) }

func benchmark(b *testing.B, expression, source string) {
	bench := moduletest.New(b, expr.Module())
	program := bench.Link(`
		local n, source = ...
		local env = {user = {age = 20, country = "DE"}, total = 100, items = {}}
		for i = 1, 10 do env.items[i] = {price = i * 2} end
		local program = expr.compile(source)
		for _ = 1, n do assert(` + expression + `) end`)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := bench.Exec(program, moduletest.Input(b.N, source)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkPeer is the library alone, with an environment that is there already.
func BenchmarkPeer(b *testing.B) {
	items := make([]any, 10)
	for i := range items {
		items[i] = map[string]any{"price": 2 * (i + 1)}
	}
	env := map[string]any{"user": map[string]any{"age": 20, "country": "DE"}, "total": 100, "items": items}
	for name, source := range map[string]string{"Run": rule, "Filter": filter} {
		b.Run(name, func(b *testing.B) {
			program, err := peer.Compile(source)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := peer.Run(program, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
