// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler"
)

// FuzzErrors runs arbitrary programs: looking for the name behind an error must not
// fail, and leaves nothing of gopher-lua's texts.
func FuzzErrors(f *testing.F) {
	for _, seed := range []string{
		"local t = {a = {}} return t.a.b.c", "for k, v in pairs({{}}) do return v.x.y end", "local a return 'x' .. a .. 'y'",
		"local u return (function(...) u = u + select('#', ...) end)(1, 2)", "goto x do local a = 1 end ::x:: return (b and a or c)[1]",
		"local t = setmetatable({}, {__index = function(t, k) return k.x.y end}) return t.z", "return -{} < #nil",
		"type T = {x: number} T.x.y.z = 1", "local function f(n) local v = f(n + 1) return v.x end f(1)", "return nil .. 1, 2 < {}, {} .. {}",
	} {
		f.Add(seed)
	}
	e := newEngine(f)
	f.Fuzz(func(t *testing.T, source string) {
		prog, err := e.Link(engine.ProgramSpec{ID: "app:fuzz", Source: source})
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := e.NewProcess(engine.ProcessOptions{Program: prog})
		defer p.Close()
		err = p.Init(ctx, "", nil)
		if err == nil {
			var out scheduler.Output
			err = p.Step(nil, &out)
		}
		if err == nil || strings.Contains(source, "error") {
			return
		}
		for _, bad := range []string{"non-table object", "non-function object", "runtime error", "index out of range", "nil pointer"} {
			if strings.Contains(err.Error(), bad) && !strings.Contains(source, bad) {
				t.Errorf("%q: %s", source, stackOf(err))
			}
		}
	})
}
