// SPDX-License-Identifier: Apache-2.0

package excel

import (
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// answer pushes what a method returns when it fails.
type answer func(L *lua.LState, err error) int

// pair answers nil and the error; alone answers the error only.
func pair(L *lua.LState, err error) int { return engine.PushError(L, err) }

func alone(L *lua.LState, err error) int {
	L.Push(engine.ErrorValue(err))
	return 1
}

// method makes a method of a workbook that is open.
func method(fail answer, fn func(L *lua.LState, wb *workbook) error) lua.LGFunction {
	return func(L *lua.LState) int {
		wb, err := self(L)
		if err == nil && wb.file == nil {
			err = engine.NewError(engine.KindInternal, errClosed.Error())
		}
		if err != nil {
			return fail(L, err)
		}
		top := L.GetTop()
		if err := fn(L, wb); err != nil {
			return fail(L, call.Fault(engine.KindInternal, "workbook", err))
		}
		return L.GetTop() - top
	}
}

func self(L *lua.LState) (*workbook, error) {
	if ud, ok := L.Get(1).(*lua.LUserData); ok {
		if wb, ok := ud.Value.(*workbook); ok {
			return wb, nil
		}
	}
	return nil, engine.NewError(engine.KindInvalid, "workbook expected")
}

func (m *module) workbookMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"new_sheet": method(pair, func(L *lua.LState, wb *workbook) error {
			index, err := wb.addSheet(L.CheckString(2))
			if err == nil {
				L.Push(lua.LNumber(index))
			}
			return err
		}),
		"get_sheet_list": method(pair, func(L *lua.LState, wb *workbook) error {
			L.Push(call.Array(wb.file.GetSheetList()))
			return nil
		}),
		"set_cell_value": method(alone, setCellValue),
		"get_rows":       method(pair, getRows),
		"rows": method(pair, func(L *lua.LState, wb *workbook) error {
			c, err := wb.rows(L.CheckString(2))
			if err == nil {
				L.Push(m.cursors.New(c))
			}
			return err
		}),
		"write_to": method(alone, writeTo),
		"close": func(L *lua.LState) int {
			wb, err := self(L)
			if err != nil {
				return pair(L, err)
			}
			wb.close()
			L.Push(lua.LNil)
			return 1
		},
	}
}

// setCellValue implements wb:set_cell_value(sheet, cell, value).
func setCellValue(L *lua.LState, wb *workbook) error {
	sheet, cell := L.CheckString(2), L.CheckString(3)
	if L.GetTop() < 4 {
		L.ArgError(4, "value expected")
	}
	v, err := cellValue(L, L.Get(4))
	if err == nil {
		err = wb.set(sheet, cell, v)
	}
	if err == nil {
		L.Push(lua.LNil)
	}
	return err
}

// writeTo implements wb:write_to(writer).
func writeTo(L *lua.LState, wb *workbook) error {
	ud := L.CheckUserData(2)
	w, ok := ud.Value.(io.Writer)
	if !ok {
		return engine.NewError(engine.KindInternal, "value does not implement io.Writer")
	}
	err := guard(func() error { return wb.file.Write(w) })
	if err == nil {
		L.Push(lua.LNil)
	}
	return err
}

func workbookText(L *lua.LState) int {
	text := "excel.Workbook{}"
	if wb, err := self(L); err == nil && wb.file == nil {
		text = "excel.Workbook{closed}"
	}
	L.Push(lua.LString(text))
	return 1
}
