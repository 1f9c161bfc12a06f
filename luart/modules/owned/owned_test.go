// SPDX-License-Identifier: Apache-2.0

package owned_test

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"go.uber.org/goleak"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/owned"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestWhatIsOpenIsClosedWithTheProcess opens values by name. Closing "both" also closes the one opened before.
func TestWhatIsOpenIsClosedWithTheProcess(t *testing.T) {
	var closed []string
	releases := map[string]func() bool{}
	m := engine.Module{Name: "test", Build: func(b *engine.Builder) error {
		b.Func("open", func(L *lua.LState) int {
			name := L.CheckString(1)
			releases[name] = owned.Add(engine.From(L), func() {
				closed = append(closed, name)
				if name == "both" && releases["other"]() {
					closed = append(closed, "other")
				}
			})
			return 0
		})
		b.Func("close", func(L *lua.LState) int {
			L.Push(lua.LBool(releases[L.CheckString(1)]()))
			return 1
		})
		return nil
	}}
	b := moduletest.New(t, m)
	b.Check(t, `
		for _, name in ipairs({"a", "b", "c", "other", "both"}) do test.open(name) end
		assert(test.close("b") == true and test.close("b") == false)`)
	if got := strings.Join(closed, " "); got != "both other c a" {
		t.Error(got)
	}
	closed = nil
	if _, err := b.Run(`test.open("a") error("end")`); err == nil || len(closed) != 1 {
		t.Errorf("%v, closed %v", err, closed)
	}
	if releases["a"]() {
		t.Error("released after its end")
	}
}
