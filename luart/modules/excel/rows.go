// SPDX-License-Identifier: Apache-2.0

package excel

import (
	"errors"
	"math"

	"github.com/xuri/excelize/v2"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

const (
	// maxBatch is how many rows one read of a cursor returns at most.
	maxBatch = 10000
	// maxBatchCells ends a batch early: it is full with the row that reaches it.
	maxBatchCells = 1 << 20
	// rowCells is what a row counts, for its table, next to its cells.
	rowCells = 8
)

var (
	errCursorClosed = errors.New("rows cursor is closed")
	errBatch        = errors.New("batch size must be positive")
)

// cursor is the value behind Rows objects: a place in a sheet.
type cursor struct {
	wb     *workbook
	rows   *excelize.Rows
	closed bool
	done   bool
	number int   // of the last row
	err    error // what every further read returns
}

func (wb *workbook) rows(sheet string) (*cursor, error) {
	c := &cursor{wb: wb}
	err := guard(func() (err error) {
		c.rows, err = wb.file.Rows(sheet)
		return err
	})
	if err != nil {
		return nil, err
	}
	if wb.cursors == nil {
		wb.cursors = map[*cursor]bool{}
	}
	wb.cursors[c] = true
	return c, nil
}

// close ends the use of the cursor.
func (c *cursor) close() {
	if !c.closed {
		delete(c.wb.cursors, c)
		c.shut()
	}
}

func (c *cursor) shut() {
	_ = c.rows.Close() // closes a temporary file, of which there is none, and repeats the error of reading
	c.rows, c.closed = nil, true
}

// next returns the next row. ok is false at the end and after an error, which is kept.
func (c *cursor) next() (row []string, ok bool) {
	if c.done || c.err != nil {
		return nil, false
	}
	c.err = guard(func() (err error) {
		if !c.rows.Next() {
			c.done = true
			return c.rows.Error()
		}
		if c.number++; c.number > excelize.TotalRows {
			return excelize.ErrMaxRows // a file can say that its next row is the billionth
		}
		row, err = c.rows.Columns()
		return err
	})
	return row, c.err == nil && !c.done
}

// rowTable makes the table of a row.
func rowTable(row []string) *lua.LTable {
	t := engine.NewArray(len(row))
	for i, text := range row {
		t.RawSetInt(i+1, lua.LString(text))
	}
	return t
}

// getRows implements wb:get_rows(sheet): all rows up to the last that holds something.
func getRows(L *lua.LState, wb *workbook) error {
	c, err := wb.rows(L.CheckString(2))
	if err != nil {
		return err
	}
	defer c.close()
	all, last, cells := engine.NewArray(0), 0, 0
	for {
		row, ok := c.next()
		if !ok {
			break
		}
		for len(row) > 0 && row[len(row)-1] == "" {
			row = row[:len(row)-1]
		}
		if cells += len(row) + rowCells; int64(cells) > wb.result {
			return wb.errResult()
		}
		if len(row) == 0 {
			continue
		}
		for last++; last < c.number; last++ {
			all.RawSetInt(last, engine.NewArray(0))
		}
		all.RawSetInt(c.number, rowTable(row))
	}
	if c.err != nil {
		return c.err
	}
	L.Push(all)
	return nil
}

func checkCursor(L *lua.LState) *cursor { return engine.Check[*cursor](L, 1, "excel.Rows") }

// cursorRead implements cursor:read(n?).
func cursorRead(L *lua.LState) int {
	c := checkCursor(L)
	n := 1.0
	if L.Get(2) != lua.LNil {
		n = float64(L.CheckNumber(2))
	}
	switch {
	case c.closed:
		return call.Invalid(L, errCursorClosed.Error())
	case math.IsNaN(n) || n < 1:
		return call.Invalid(L, errBatch.Error())
	}
	want := int(min(n, maxBatch))
	batch, cells := engine.NewArray(0), 0
	got := 0
	for got < want && cells < maxBatchCells {
		row, ok := c.next()
		if !ok {
			break
		}
		got++
		cells += len(row)
		batch.RawSetInt(got, rowTable(row))
	}
	switch {
	case got > 0:
		return call.Value(L, batch)
	case c.err != nil:
		return call.Failed(L, "rows", c.err)
	}
	return call.Value(L, lua.LNil)
}

// cursorClose implements cursor:close().
func cursorClose(L *lua.LState) int {
	checkCursor(L).close()
	L.Push(lua.LNil)
	return 1
}

func cursorText(L *lua.LState) int {
	text := "excel.Rows{}"
	if checkCursor(L).closed {
		text = "excel.Rows{closed}"
	}
	L.Push(lua.LString(text))
	return 1
}
