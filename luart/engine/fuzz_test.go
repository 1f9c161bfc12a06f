// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
)

// FuzzPatterns gives the string functions arbitrary patterns and formats: they
// may fail with a Lua error and must never panic or run on.
func FuzzPatterns(f *testing.F) {
	for _, seed := range [][3]string{
		{"hello world", "(%w+) (%w+)", "%2 %1"}, {"[[x]]", "%b[]", "%0"}, {"THE (quick) fox", "%f[%a]%a+", "%%"},
		{"abc", "[^%s-]*()", "%1"}, {"x", "%", "%9"}, {"aaa", "(a*)*$", "<i4z"}, {"", "", "%d%5.2f%q"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	e := newEngine(f)
	prog := link(f, e, `return function(s, p, r)
		local checked = 0
		for _, fn in ipairs{string.find, string.match, string.gsub, function(s, p) for a in s:gmatch(p) do checked = checked + 1 end end} do
			local ok, e = pcall(fn, s, p, r)
			assert(ok or type(e) == "string", e)
		end
		for _, fn in ipairs{string.find, string.match} do pcall(fn, s, p, 1) end
		for _, fn in ipairs{string.format, string.pack, string.unpack} do
			local ok, e = pcall(fn, r, s, 1, 2)
			assert(ok or type(e) == "string", e)
		end
	end`)
	f.Fuzz(func(t *testing.T, s, p, r string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		proc := e.NewProcess(engine.ProcessOptions{Program: prog})
		if err := proc.Init(ctx, "", []payload.Payload{payload.New(s), payload.New(p), payload.New(r)}); err != nil {
			if ctx.Err() != nil {
				return // the machine stood still
			}
			t.Fatal(err)
		}
		defer proc.Close()
		var out scheduler.Output
		if err := proc.Step(nil, &out); err != nil && ctx.Err() == nil {
			t.Fatalf("%q %q %q: %s", s, p, r, stackOf(err))
		}
	})
}

// FuzzCopy round-trips values made by programs through Copy and the Go forms.
func FuzzCopy(f *testing.F) {
	for _, seed := range []string{"{1, 2, {3}}", "{a = 1, b = {c = {}}}", "{[1.5] = 'x', [true] = 2}", "'s'", "{{}, {x = nil}}"} {
		f.Add(seed)
	}
	e := newEngine(f)
	f.Fuzz(func(t *testing.T, expr string) {
		prog, err := e.Link(engine.ProgramSpec{ID: "app:fuzz", Source: "return function() return " + expr + " end"})
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		proc := e.NewProcess(engine.ProcessOptions{Program: prog})
		if proc.Init(ctx, "", nil) != nil {
			return
		}
		defer proc.Close()
		var out scheduler.Output
		if proc.Step(nil, &out) != nil || out.Status() != scheduler.StatusDone {
			return
		}
		v, err := e.FromPayload(out.Result().(payload.Payload))
		if err != nil {
			t.Fatal(err)
		}
		engine.ToLua(engine.ToGo(engine.Copy(v)))
	})
}
