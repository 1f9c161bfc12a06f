// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"maps"
	"slices"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

func TestMembersAreWhatAProgramSees(t *testing.T) {
	e := engine.New()
	noop := func(*lua.LState) int { return 0 }
	if err := e.Register(engine.Module{Name: "tools", Build: func(b *engine.Builder) error {
		b.Func("run", noop)
		b.Table("sub").Func("deep", noop)
		b.Value("list", &lua.LTable{})
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	if err := e.Register(engine.Module{Name: "value", Build: func(b *engine.Builder) error { b.Replace(lua.LNumber(1)); return nil }}); err != nil {
		t.Fatal(err)
	}
	got := e.Members("tools")
	if !slices.Equal(got["tools"], []string{"list", "run", "sub"}) || !slices.Equal(got["tools.sub"], []string{"deep"}) ||
		!slices.Equal(slices.Sorted(maps.Keys(got)), []string{"tools", "tools.list", "tools.sub"}) {
		t.Errorf("tools: %q", got)
	}
	if s := e.Members("string")["string"]; !slices.Contains(s, "format") || !slices.Contains(s, "is") || slices.Contains(s, "nope") {
		t.Errorf("string: %q", s)
	}
	for _, name := range []string{"value", "none", ""} {
		if got := e.Members(name); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
