// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/treesitter"
)

// slow takes the parser long: brackets that nobody closes.
var slow = strings.Repeat("f(", 4<<20)

// TestParseEndsWithItsContext ends the context while C parses. Ending it before must not let it begin.
func TestParseEndsWithItsContext(t *testing.T) {
	for _, during := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		b := moduletest.New(t, append(treesitter.Modules(), engine.Module{Name: "test", Build: func(b *engine.Builder) error {
			b.Func("cancel", func(*lua.LState) int {
				if during {
					time.AfterFunc(20*time.Millisecond, cancel)
				} else {
					cancel()
				}
				return 0
			})
			return nil
		}})...)
		_, err := b.ExecIn(ctx, b.Link(`
			local code = ...
			test.cancel()
			return treesitter.parse("python", code)`), moduletest.Input(slow))
		if err == nil || ctx.Err() == nil {
			t.Errorf("during %v: %v", during, err)
		}
		if n := treesitter.Live(); n != 0 {
			t.Errorf("%d objects are left", n)
		}
	}
}

// TestParserTimeout: a parse that runs out of time goes on when it is asked for the same again.
func TestParserTimeout(t *testing.T) {
	b := moduletest.New(t, treesitter.Modules()...)
	b.Check(t, tools+`
		local long, short = ..., "x = 1"
		local p = treesitter.parser()
		p:set_language("python")
		p:set_timeout(1)
		fails("Internal", "timeout", nil, p:parse(long))
		p:set_timeout("0s")
		same(p:parse(short):root_node():end_byte(), #short)
		p:set_timeout("1us")
		local t, err, tries = nil, nil, 0
		while not t do
			t, err = p:parse(long)
			tries = tries + 1
		end
		assert(tries > 1)
		same(t:root_node():end_byte(), #long)`, strings.Repeat("a = b(1)\n", 2000))
}

// TestMemoryIsReleasedWithTheProcess: nothing of it is closed by the program.
func TestMemoryIsReleasedWithTheProcess(t *testing.T) {
	b := moduletest.New(t, treesitter.Modules()...)
	for _, end := range []string{"", `error("end")`} {
		_, err := b.Run(`
			for i = 1, 20 do
				local code = "f(" .. i .. ")"
				local p = treesitter.parser() p:set_language("python")
				local t = p:parse(code)
				local q = treesitter.query("python", "(call) @c")
				kept = {p, t, q, t:walk(), t:copy(), q:captures(t:root_node(), code)}
				t:edit({start_byte = 0, old_end_byte = 0, new_end_byte = 1, start_row = 0, start_column = 0,
					old_end_row = 0, old_end_column = 0, new_end_row = 0, new_end_column = 1})
			end ` + end)
		if (err != nil) != (end != "") {
			t.Error(err)
		}
		if n := treesitter.Live(); n != 0 {
			t.Errorf("%d objects are left", n)
		}
	}
}

// TestMemoryIsReleasedWhenUnreachable: a process that runs for long need not close what it drops.
func TestMemoryIsReleasedWhenUnreachable(t *testing.T) {
	collect := func(*lua.LState) int {
		for deadline := time.Now().Add(time.Minute); treesitter.Live() > 4 && time.Now().Before(deadline); {
			runtime.GC()
			runtime.Gosched()
		}
		if n := treesitter.Live(); n > 4 {
			t.Errorf("%d objects are left", n)
		}
		return 0
	}
	b := moduletest.New(t, append(treesitter.Modules(), engine.Module{Name: "test", Build: func(b *engine.Builder) error {
		b.Func("collect", collect)
		return nil
	}})...)
	b.Check(t, `
		local function drop(i)
			local t = treesitter.parse("python", "f(" .. i .. ")")
			t:walk() t:copy() treesitter.query("python", "(call) @c")
			return t:root_node()
		end
		local kept
		for i = 1, 50 do kept = drop(i) end
		test.collect()
		assert(kept:child(0):text() == "f(50)") -- its tree is there as long as it is`)
}

// TestOpenSourcesAreLimited: a process cannot fill the memory that the engine does not see.
func TestOpenSourcesAreLimited(t *testing.T) {
	b := moduletest.New(t, treesitter.Modules()...)
	b.Check(t, tools+`
		local blank = ...
		fails("Internal", "failed to parse code", nil, treesitter.parse("python", blank .. " "))
		local kept = {}
		for i = 1, 4 do kept[i] = assert(treesitter.parse("python", blank)) end
		fails("Internal", "failed to parse code", nil, treesitter.parse("python", "x"))
		kept[1]:close()
		assert(treesitter.parse("python", "x"))`, strings.Repeat(" ", treesitter.MaxSource))
}

// TestDeepTreesHaveNoText: C would make it with a recursive function.
func TestDeepTreesHaveNoText(t *testing.T) {
	b := moduletest.New(t, treesitter.Modules()...)
	b.Check(t, tools+`
		for _, code in ipairs({string.rep("(", 10000), "x = " .. string.rep("(", 10000) .. string.rep(")", 10000), string.rep("1+", 10000) .. "1", string.rep("a.", 10000) .. "b"}) do
			local t = treesitter.parse("python", code)
			local root = t:root_node()
			local sexp, err = root:to_sexp()
			assert(sexp and #sexp > 0 or err:message():find("levels deep"))
			local graph, err = t:dot_graph()
			assert(graph and #graph > 0 or err:message():find("levels deep"))
			treesitter.query("python", "(parenthesized_expression) @p"):captures(root, code)
			t:copy():close()
			t:close()
		end
		fails("Internal", "more than 1000 levels deep", nil, treesitter.parse("python", string.rep("(", 2000) .. "1" .. string.rep(")", 2000)):root_node():to_sexp())
		local flat = treesitter.parse("python", string.rep("a = 1\n", 5000))
		assert(#flat:root_node():to_sexp() > 100000)`)
}

// TestHostilePatternsAreErrors: too long, too deep, and what the library would not come to an end with.
func TestHostilePatternsAreErrors(t *testing.T) {
	b := moduletest.New(t, treesitter.Modules()...)
	invalid := func(call, text string) moduletest.Failure {
		return moduletest.Failure{Call: call, Kind: "Invalid", Text: text}
	}
	b.CheckFailures(t, []moduletest.Failure{
		invalid(`treesitter.query("python", string.rep("(", 100000))`, "longer than 32768 bytes"),
		invalid(`treesitter.query("python", string.rep("(", 1000))`, "200 levels deep"),
		invalid(`treesitter.query("python", string.rep("(_", 180) .. string.rep(")", 181))`, "Query error at 1:"),
		invalid(`treesitter.query("python", "(module\0)")`, "zero byte"),
		invalid(`treesitter.query("python", '"if\\0"')`, "zero byte"),
		invalid(`treesitter.query("python", "\255")`, "not valid UTF-8"),
		invalid(`treesitter.query("python", "(call)?+")`, "Query error at 1:8. Quantifier +"),
		invalid(`treesitter.query("python", "(call)\n((call)? [(module) (call)*])+")`, "Query error at 2:29. Quantifier +"),
		invalid(`treesitter.query("python", '((call) @a (#match? @a "("))')`, "Invalid regex: '('"),
		invalid(`treesitter.query("python", "(nonsense)")`, "Query error at 1:2. Invalid node type nonsense"),
		invalid(`treesitter.query("python", "(call nonsense: (_))")`, "Query error at 1:7. Invalid field name nonsense"),
		invalid(`treesitter.query("python", "(#eq? @a)")`, "Query error at 1:"),
	})
	b.Check(t, `
		local sources = {"((call) @a)+", "(call)+ @a", "[(call) (module)]+ @b", "((call)+ (module)?)+", "(_)*", "; (call)?+\n(call)", '("+" @a)'}
		for _, pattern in ipairs(sources) do assert(treesitter.query("python", pattern)) end`)
}
