// SPDX-License-Identifier: Apache-2.0

package excel

import (
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// module holds the classes of the values the functions make.
type module struct {
	*limits
	workbooks *engine.Class
	cursors   *engine.Class
}

// Module returns the Lua module `excel`. No call yields; long ones hold up the process that makes them, not others.
func Module() engine.Module { return within(&standard) }

func within(l *limits) engine.Module {
	return engine.Module{
		Name:    "excel",
		Classes: []string{"io", "encoding"},
		Build: func(b *engine.Builder) error {
			m := &module{limits: l}
			m.workbooks = b.Type("Workbook", m.workbookMethods(), map[string]lua.LGFunction{"__tostring": workbookText})
			m.cursors = b.Type("Rows", map[string]lua.LGFunction{
				"read":  cursorRead,
				"close": cursorClose,
			}, map[string]lua.LGFunction{"__tostring": cursorText})
			b.Func("new", m.new)
			b.Func("open", m.open)
			return nil
		},
	}
}

// new implements excel.new().
func (m *module) new(L *lua.LState) int {
	L.Push(m.workbooks.New(m.newWorkbook(engine.From(L))))
	return 1
}

// open implements excel.open(reader).
func (m *module) open(L *lua.LState) int {
	r := engine.Check[io.Reader](L, 1, "reader")
	wb, err := m.openWorkbook(engine.From(L), r)
	if err != nil {
		return call.Failed(L, "open", err)
	}
	L.Push(m.workbooks.New(wb))
	return 1
}
