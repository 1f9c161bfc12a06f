// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	peer "github.com/expr-lang/expr"

	"github.com/wippyrun/kit/luart/modules/expr"
)

// impatient is a context that ends when it has been asked some times.
type impatient struct {
	context.Context
	left int
}

func (c *impatient) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// bubble runs a test whose clock stands still while anything runs: how much time a run takes is another matter than
// how much of anything else.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// twice is an expression for a value in which another one is twice, in which another one is twice, and so on.
func twice(body string) string {
	return "reduce(1..60, " + body + ", [1])"
}

// TestExpressionsAreBounded has expressions that take hours or all of the memory elsewhere.
func TestExpressionsAreBounded(t *testing.T) {
	big := make([]any, 100_000)
	for i := range big {
		big[i] = i
	}
	list := make([]any, 1000)
	for i := range list {
		list[i] = i
	}
	env := map[string]any{"big": big, "list": list, "s": strings.Repeat("ab", 1<<20)}
	nested := func(level int, loop string) string {
		body := "# >= 0"
		for range level {
			body = strings.Replace(loop, "BODY", body, 1)
		}
		return body
	}
	for name, c := range map[string]struct{ source, problem string }{
		"text doubles":           {`reduce(1..60, #acc + #acc, "x")`, "memory budget exceeded"},
		"text doubles, by let":   {`let a = s + s; ` + strings.Repeat(`let b = a + a; let a2 = b + b; `, 1) + `let c = a2 + a2; let d = c + c; let e = d + d; e + e`, "memory budget exceeded"},
		"text of a list":         {`len(map(big, string(#) + s))`, "memory budget exceeded"},
		"repeat":                 {`repeat(s, 1000000)`, "memory budget exceeded"},
		"repeat nothing":         {`repeat("", 100000000)`, "memory budget exceeded"},
		"replace":                {`replace(s, "", s)`, "memory budget exceeded"},
		"join":                   {`join(map(big, s))`, "memory budget exceeded"},
		"join by glue":           {`join(map(big, ""), s)`, "memory budget exceeded"},
		"split":                  {`split(s, "")`, "memory budget exceeded"},
		"split after":            {`splitAfter(s, "a")`, "memory budget exceeded"},
		"split many":             {`map(1..1000, split(s[0:10000], ""))`, "memory budget exceeded"},
		"upper":                  {`map(1..1000, upper(s))`, "memory budget exceeded"},
		"concat":                 {`concat(` + strings.TrimSuffix(strings.Repeat("big,", 20), ",") + `)`, "memory budget exceeded"},
		"ranges":                 {`1..10000000`, "memory budget exceeded"},
		"many ranges":            {`map(1..1000, 1..1000)`, "memory budget exceeded"},
		"groups":                 {`map(1..1000, groupBy(list, #))`, "memory budget exceeded"},
		"keys":                   {`map(1..100, keys(fromPairs(map(big, [string(#), 1]))))`, "memory budget exceeded"},
		"JSON":                   {`fromJSON("[" + repeat("[],", 1000000) + "1]")`, "memory budget exceeded"},
		"JSON with indentation":  {`toJSON(reduce(1..5000, [#acc], map(1..400000, 1)))`, "memory budget exceeded"},
		"nested lists as JSON":   {`toJSON(` + twice("[#acc, #acc]") + `)`, "memory budget exceeded"},
		"nested lists as text":   {`string(` + twice("[#acc, #acc]") + `)`, "memory budget exceeded"},
		"nested maps as text":    {`string(` + twice("({'a': #acc, 'b': #acc})") + `)`, "memory budget exceeded"},
		"nested lists made flat": {`flatten(` + twice("[#acc, #acc]") + `)`, "memory budget exceeded"},
		"the maximum of them":    {`max(` + twice("[#acc, #acc]") + `)`, "memory budget exceeded"},
		"the mean of them":       {`mean(` + twice("[#acc, #acc]") + `)`, "memory budget exceeded"},
		"two of them":            {twice("[#acc, #acc]") + " == " + twice("[#acc, #acc]"), "memory budget exceeded"},
		"not two of them":        {"not (" + twice("[#acc, #acc]") + " != " + twice("[#acc, #acc]") + ")", "memory budget exceeded"},
		"one of them in a list":  {twice("[#acc, #acc]") + " in [" + twice("[#acc, #acc]") + "]", "memory budget exceeded"},
		"them by map":            {`max(reduce(1..60, (let a = #acc; map(1..2, a)), [1]))`, "memory budget exceeded"},
		"uniq":                   {`uniq(big)`, "list of 100000 elements is too long for uniq"},
		"matches":                {`s matches "(a|b)*c"`, "text of 2097152 bytes is too long for matches"},
		"parts":                  {`[` + strings.Repeat("1,", 20000) + `1]`, "exceeds maximum allowed nodes"},
		"nested parentheses":     {strings.Repeat("(", 1<<16), "unexpected token"},
	} {
		bubble(t, name, func(t *testing.T) {
			out, err := expr.Run(context.Background(), c.source, nil, env)
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%T, %v; want %q", out, err, c.problem)
			}
		})
	}
	for name, source := range map[string]string{
		"count":   nested(4, "count(list, BODY) != 5"),
		"filter":  nested(4, "len(filter(list, BODY)) != 5"),
		"reduce":  "reduce(list, " + nested(3, "count(list, BODY) != 5") + " ? 1 : 2, 0)",
		"ranges":  "let r = 1..100000; count(r, count(r, # > 0) > 0)",
		"sortBy":  "sortBy(list, count(list, count(list, count(list, # > 0) > 0) > 0))",
		"groupBy": "groupBy(list, count(list, count(list, # > 0) > 0))",
		"in":      "count(big, ({'a': #}) in list)",
	} {
		t.Run("time of "+name, func(t *testing.T) {
			ctx := &impatient{context.Background(), 3}
			if out, err := expr.Run(ctx, source, nil, env); !errors.Is(err, context.Canceled) {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
}

// TestExpressionsHaveRoom has expressions that are large and allowed.
func TestExpressionsHaveRoom(t *testing.T) {
	rows := make([]any, 10_000)
	for i := range rows {
		rows[i] = map[string]any{"id": i, "name": "row", "tags": []any{"a", "b"}}
	}
	env := map[string]any{"rows": rows, "s": strings.Repeat("ab", 1<<20)}
	for source, want := range map[string]any{
		`len(filter(rows, .id % 2 == 0 and "a" in .tags))`: 5000,
		`len(join(map(rows, .name), ", "))`:                49998,
		`len(groupBy(rows, .id % 10))`:                     10,
		`len(toJSON(rows)) > 100000`:                       true,
		`len(s + s + upper(s))`:                            6 << 20,
		`count(rows, .tags == ["a", "b"])`:                 10_000,
		`sum(map(1..900000, 1))`:                           900_000,
		`reduce(1..100000, #acc + #)`:                      5000050000,
		`len(split(s[0:100000], "b"))`:                     50001,
		`len(uniq(map(rows, .name)))`:                      1,
	} {
		bubble(t, source, func(t *testing.T) {
			out, err := expr.Run(context.Background(), source, nil, env)
			if err != nil || out != want {
				t.Errorf("%v, %v; want %v", out, err, want)
			}
		})
	}
}

// TestGuardChangesNothing compares with the library alone: the same result, or a failure of both.
func TestGuardChangesNothing(t *testing.T) {
	env := map[string]any{"x": 2, "f": 1.5, "list": []any{1, 2, 3}, "m": map[string]any{"a": nil, "b": []any{"x"}}, "s": "text", "yes": true}
	for _, source := range []string{
		"x + 1", "x + f", "s + s", "s + x", "missing + 1", "x == 2", "x == 2.0", "list == [1, 2, 3]", "m == {'a': nil, 'b': ['x']}", "x in list",
		"[1] in [[1], [2]]", "'a' in m", "x not in list", "s != 'other'", "s matches '^t'", "x matches '^t'", "s matches m.b[0]", "list[0] + list[1]",
		"map(list, # + x)", "filter(list, # > 1 and # in list)", "map(list, {'v': #}.v)", "map(list, (let y = #; y * y))", "all(list, # > 0)",
		"none(list, # > 5)", "one(list, # == 1)", "any(list, # == 9)", "find(list, # > 1)", "findIndex(list, # > 1)", "findLast(list, # < 3)",
		"findLastIndex(list, # < 3)", "count(list, # > 1)", "count(list)", "sum(list)", "sum(list, # * 2)", "groupBy(list, # % 2)", "sortBy(list, -#)",
		"sortBy(list, #, 'desc')", "reduce(list, #acc + #)", "reduce(list, #acc + #index, 10)", "len(s)", "type(x)", "abs(-x)", "upper(s)", "upper(x)",
		"lower('A')", "trim(' a ')", "split(s, 'x')", "split(s, 'x', 1)", "split(x, 'x')", "splitAfter(s, 'e')", "replace(s, 't', 'T')",
		"replace(s, 't', 'T', 1)", "replace(s)", "repeat(s, x)", "repeat(s, -1)", "repeat(s)", "join(m.b)", "join(list, '-')", "join(['a', 'b'], '-')",
		"join(x)", "max(1, 2, 3)", "max(list)", "min(list, 0)", "max('a')", "mean(list)", "median(list, 5)", "mean()", "toJSON(m)", "fromJSON('[1')",
		"fromJSON('[1, {\"a\": null}]')", "toBase64(s)", "fromBase64('%')", "first(list)", "last(list)", "get(m, 'b')", "take(list, 2)", "keys({'a': 1})",
		"values({'a': 1})", "toPairs({'a': 1})", "fromPairs([['a', 1]])", "fromPairs([1])", "reverse(list)", "uniq([1, 1, 2])", "uniq(x)", "concat(list, [4])",
		"concat(x)", "flatten([1, [2, [3]]])", "sort([3, 1, 2])", "sort([3, 1, 2], 'desc')", "sort(['a', 1])", "string(m.b)", "string(f)", "int('3')",
		"yes ? s : x", "m.a?.b", "m.b[5]", "m['b'] | first()", "list[1:]", "list[-1]", "1..3", "3..1", "not yes", "let y = x; y ** 2", "s contains 'ex'",
		"s startsWith 't' and s endsWith 't'", "indexOf(s, 'x')", "1 / 0", "1 % 0", "x?.y", "nope()", "len(1, 2)", "$env.x", "bitand(6, 3)",
	} {
		var want any
		program, wantErr := peer.Compile(source)
		if wantErr == nil {
			want, wantErr = peer.Run(program, env)
		}
		got, err := expr.Run(context.Background(), source, nil, env)
		if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v, %v", source, got, err, want, wantErr)
		}
		typed, wantErr := peer.Compile(source, peer.Env(env))
		if wantErr == nil {
			want, wantErr = peer.Run(typed, env)
		}
		got, err = expr.Run(context.Background(), source, env, env)
		if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%s with types: %#v, %v; want %#v, %v", source, got, err, want, wantErr)
		}
	}
}

func TestConcurrentRunsDoNotMix(t *testing.T) {
	p, err := expr.Compile(`len(filter(1..n, # > 0)) + len(repeat("x", n))`, nil)
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 8)
	for i := range cap(errs) {
		go func() {
			for range 50 {
				n := 1000 * (i + 1)
				if out, err := p.Run(context.Background(), map[string]any{"n": n}); err != nil || out != 2*n {
					errs <- errors.Join(errors.New("wrong result"), err)
					return
				}
			}
			errs <- nil
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"x + 1", "filter(list, # > x)", `upper("a") matches "^A"`, "let a = 1; a ?? 2", "m.a?.b", "list[0:1]", "1..3 | map(# * 2)", "{'a': [1, 2]}",
		"reduce(list, #acc + #, 0)", "groupBy(list, # % 2)", `date("2024-01-01").Year()`, "if x > 1 { 2 } else { 3 }", "a; b", "not x in list", "toJSON($env)",
		"(((", "#", "\x00step()", "'\\u", "1e999", "-9223372036854775808 % -1",
	} {
		f.Add(seed)
	}
	env := map[string]any{"x": 2, "list": []any{1, 2, 3}, "m": map[string]any{"a": nil}, "s": "text"}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 2000 {
			return
		}
		for _, example := range []map[string]any{nil, env} {
			if _, err := expr.Run(&impatient{context.Background(), 100}, source, example, env); err != nil && err.Error() == "" {
				t.Error("an error without a text")
			}
		}
	})
}
