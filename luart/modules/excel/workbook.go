// SPDX-License-Identifier: Apache-2.0

package excel

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/host"
	"github.com/wippyrun/kit/luart/modules/owned"
)

// maxText is how long the text of a cell may be, in UTF-16 units.
const maxText = excelize.TotalCellChars

var (
	errClosed = errors.New("workbook is closed")
	errText   = fmt.Errorf("excel: the text of a cell is longer than %d characters", maxText)
)

// workbook is the value behind Workbook objects.
type workbook struct {
	*limits
	file    *excelize.File // nil when closed
	opened  bool           // from a file, and not counted yet
	budget  budget
	cursors map[*cursor]bool
	release func() bool
}

func (l *limits) newWorkbook(p *engine.Process) *workbook {
	wb := &workbook{limits: l, file: excelize.NewFile(), budget: budget{limits: l}}
	wb.release = owned.Add(p, wb.shut)
	return wb
}

func (l *limits) openWorkbook(p *engine.Process, r io.Reader) (*workbook, error) {
	data, err := l.readFile(r)
	if err != nil {
		return nil, err
	}
	wb := &workbook{limits: l, opened: true, budget: budget{limits: l}}
	err = guard(func() (err error) {
		if err := l.inspect(data); err != nil {
			return err
		}
		// With both limits the same nothing is put into temporary files.
		wb.file, err = excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: l.unpacked, UnzipXMLSizeLimit: l.unpacked})
		return err
	})
	if err != nil {
		return nil, err
	}
	wb.release = owned.Add(p, wb.shut)
	return wb, nil
}

// guard runs f. A panic of the library, which files can cause that are no good, becomes an error.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("excel: the workbook is damaged: %v", v)
		}
	}()
	return f()
}

// close closes the workbook and its cursors.
func (wb *workbook) close() {
	if wb.release != nil && wb.release() {
		wb.shut()
	}
}

func (wb *workbook) shut() {
	for c := range wb.cursors {
		c.shut()
	}
	_ = wb.file.Close() // removes temporary files, of which there are none
	wb.file, wb.cursors, wb.budget = nil, nil, budget{}
}

// addSheet returns the index of the sheet, which it makes when there is none of that name.
func (wb *workbook) addSheet(name string) (index int, err error) {
	err = guard(func() error {
		if have, err := wb.file.GetSheetIndex(name); err != nil || have >= 0 {
			index = have
			return err
		}
		if err := wb.budget.takeSheet(); err != nil {
			return err
		}
		index, err = wb.file.NewSheet(name)
		return err
	})
	return index, err
}

// set sets a cell to a value that cellValue returned.
func (wb *workbook) set(sheet, cell string, v any) error {
	return guard(func() error {
		column, row, err := excelize.CellNameToCoordinates(cell)
		if err != nil {
			return err
		}
		if wb.opened {
			if err := wb.budget.count(wb.file); err != nil {
				return err
			}
			wb.opened = false
		}
		index, err := wb.file.GetSheetIndex(sheet)
		if err != nil {
			return err
		}
		if index < 0 {
			return excelize.ErrSheetNotExist{SheetName: sheet}
		}
		sheet = wb.file.GetSheetName(index) // as it is written, not as it was asked for
		if err := wb.budget.take(sheet, column, row); err != nil {
			return err
		}
		return wb.file.SetCellValue(sheet, cell, v)
	})
}

// cellValue is what goes into a cell for a Lua value: a number, a truth value or a text, nil for an empty cell.
func cellValue(L *lua.LState, v lua.LValue) (any, error) {
	h, err := host.Value(L, v)
	if err != nil {
		return nil, err
	}
	switch h := h.(type) {
	case nil, bool, int:
		return h, nil
	case float64:
		if math.IsNaN(h) || math.IsInf(h, 0) {
			return v.String(), nil // the file format has no such numbers
		}
		return h, nil
	case string:
		return h, fits(h)
	}
	text := fmt.Sprint(h)
	return text, fits(text)
}

func fits(s string) error {
	if len(s) > maxText && len(utf16.Encode([]rune(s))) > maxText {
		return errText
	}
	return nil
}
