// SPDX-License-Identifier: Apache-2.0

package evalrunner_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/evalrunner"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// FuzzCompile compiles any source as a program, as a module, and as a privileged library. What is source in one place
// is source in the others: nothing can be said in it that changes what is put around it.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"", "return 1", "return return", "return function(...) return ... end", "-- comment", "--[[", "local x <const> = 1", "goto a ::a::", "end", "end do", "#!/bin/lua\nreturn 1",
		"type P = {x: number} return P", "local type = 1 type = 2", "return ...", "x = [[\n]] return x", "return 'a\\\nb'", "local function f(x: number): string return '' end", "export type A = string",
		"break", "for i = 1, 2 do break end", "local require = 1", "return 5 // 2, !true, a as number",
	} {
		f.Add(s)
	}
	library := ""
	b := moduletest.New(f, evalrunner.New(evalrunner.Config{CacheSize: -1, Library: func(_ *engine.Process, id string) (evalrunner.Library, error) {
		return evalrunner.Library{ID: id, Source: library}, nil
	}}).Module())
	program := b.Link(`
		local source = ...
		local ok, err = eval_runner.compile(source)
		local method, err2 = eval_runner.compile(source, "m")
		local lib, err3 = eval_runner.compile("", "", {imports = {l = {id = "app:lib", modules = {"eval_runner"}}}})
		for _, e in ipairs({err, err2, err3}) do assert(e:kind() == "Internal", tostring(e)) end
		assert((ok == nil) == (method == nil), "as a program: " .. tostring(err) .. ", as a module: " .. tostring(err2))
		assert((ok == nil) == (lib == nil), "as a program: " .. tostring(err) .. ", as a library: " .. tostring(err3))`)
	f.Fuzz(func(t *testing.T, source string) {
		library = source
		if _, err := b.Exec(program, moduletest.Input(source)); err != nil {
			t.Fatalf("%q: %v", source, err)
		}
	})
}
