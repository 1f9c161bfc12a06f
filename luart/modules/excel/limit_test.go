// SPDX-License-Identifier: Apache-2.0

package excel_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/excel"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

func TestAWorkbookCannotGrowWithoutEnd(t *testing.T) {
	moduletest.New(t, excel.Small(), memory).Check(t, `
		local wb, err = excel.new()
		for i = 1, 1000 do
			err = wb:set_cell_value("Sheet1", "XFD" .. i, 1)
			if err then assert(i > 10 and i < 20, i) break end
		end
		assert(err and err:kind() == "Internal" and string.find(err:message(), "262144 cells", 1, true), tostring(err))
		assert(wb:set_cell_value("Sheet1", "A1", 1) == nil)
		local failed
		for i = 1, 2000 do
			local _, err = wb:new_sheet("s" .. i)
			if err then failed = err break end
		end
		assert(failed and string.find(failed:message(), "262144 cells", 1, true))`)
}

func TestASmallFileCannotBecomeAHugeWorkbook(t *testing.T) {
	b := moduletest.New(t, excel.Small(), memory)
	open := `local wb, err = excel.open(memory.reader(...)) `
	fails := func(text string) string {
		return open + `assert(wb == nil and err:kind() == "Internal" and string.find(err:message(), "` + text + `", 1, true), tostring(err))`
	}
	t.Run("zeros", func(t *testing.T) {
		var file bytes.Buffer
		w := zip.NewWriter(&file)
		part, err := w.Create("xl/media/zeros")
		if err != nil {
			t.Fatal(err)
		}
		zeros := make([]byte, 1<<20)
		for range 5 {
			if _, err := part.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		b.Check(t, fails("larger than 4194304 bytes when unpacked"), file.String())
	})
	t.Run("a file that is too large", func(t *testing.T) {
		b.Check(t, fails("larger than 1048576 bytes"), strings.Repeat("x", 1<<20+1))
	})
	t.Run("styles", func(t *testing.T) {
		file := book(t, map[string]string{"xl/styles.xml": "<styleSheet><cellXfs>" + strings.Repeat("<xf/>", 1<<10) + "</cellXfs></styleSheet>"})
		b.Check(t, fails("xl/styles.xml has more than 1024 elements"), file)
	})
	t.Run("texts", func(t *testing.T) {
		file := book(t, map[string]string{"xl/sharedStrings.xml": "<sst>" + strings.Repeat("<si/>", 1<<12) + "</sst>"})
		b.Check(t, fails("xl/sharedStrings.xml has more than 4096 elements"), file)
	})
	t.Run("empty cells before others", func(t *testing.T) {
		rows := strings.Repeat(`<row><c r="XFD1"><v>1</v></c></row>`, 100)
		file := book(t, map[string]string{sheet: sheetOf(rows)})
		b.Check(t, open+`
			local failed = wb:set_cell_value("Sheet1", "A1", 1)
			assert(failed and string.find(failed:message(), "262144 cells", 1, true), tostring(failed))
			local rows, err = wb:get_rows("Sheet1")
			assert(rows == nil and string.find(err:message(), "use rows()", 1, true))
			local c, n = wb:rows("Sheet1"), 0
			while true do
				local batch = c:read(10000)
				if not batch then break end
				assert(#batch <= 64 and #batch[1] == 16384)
				n = n + #batch
			end
			assert(n == 100, n)`, file)
	})
	t.Run("a row far away", func(t *testing.T) {
		file := book(t, map[string]string{sheet: sheetOf(`<row r="2000000"><c><v>1</v></c></row>`)})
		b.Check(t, open+`
			local rows, err = wb:get_rows("Sheet1")
			assert(rows == nil and string.find(err:message(), "use rows()", 1, true), tostring(err))
			local c, n, batch = wb:rows("Sheet1"), 0
			repeat
				batch, err = c:read(10000)
				n = n + (batch and #batch or 0)
			until not batch
			assert(n == 1048576 and err:kind() == "Internal" and string.find(err:message(), "row number", 1, true), n .. " " .. tostring(err))
			local again, same = c:read()
			assert(again == nil and same:message() == err:message())`, file)
	})
}
