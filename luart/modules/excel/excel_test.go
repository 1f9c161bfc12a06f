// SPDX-License-Identifier: Apache-2.0

package excel_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// Acceptance fact 22.
func TestFact22NewWorkbooks(t *testing.T) {
	newBench(t).Check(t, `
		local wb = excel.new()
		local list = wb:get_sheet_list()
		assert(#list == 1 and list[1] == "Sheet1")
		assert(wb:new_sheet("Data") == 1 and wb:new_sheet("Data") == 1)
		for i, v in ipairs({123, 45.67, true}) do assert(wb:set_cell_value("Data", "A" .. i, v) == nil) end
		local rows = wb:get_rows("Data")
		assert(rows[1][1] == "123" and rows[2][1] == "45.67" and rows[3][1] == "TRUE")
		wb:close()
		for _, call in ipairs({
			function() return wb:new_sheet("X") end, function() return wb:get_sheet_list() end,
			function() return wb:get_rows("Data") end, function() return wb:rows("Data") end,
			function() return nil, wb:set_cell_value("Data", "A1", 1) end, function() return nil, wb:write_to(memory.writer()) end,
		}) do
			local v, err = call()
			assert(v == nil and err:kind() == "Internal" and err:message() == "workbook is closed")
		end`)
}

func TestWorkbooks(t *testing.T) {
	b := newBench(t)
	for name, body := range map[string]string{
		"sheets in order": `local wb = excel.new() wb:new_sheet("B") wb:new_sheet("A")
			assert(table.concat(wb:get_sheet_list(), ",") == "Sheet1,B,A")`,
		"sheet names do not depend on case": `local wb = excel.new() assert(wb:new_sheet("sheet1") == 0)
			assert(wb:set_cell_value("SHEET1", "A1", 1) == nil) assert(wb:get_rows("Sheet1")[1][1] == "1")`,
		"an empty sheet": `local rows, err = excel.new():get_rows("Sheet1") assert(#rows == 0 and err == nil)`,
		"values": `local wb = excel.new()
			local values = {"x", "1", 2^53 - 1, -7, 0.1, false, 1e15, 1e20, 0/0, "<a&b>", "ä€", ""}
			for i, v in ipairs(values) do assert(wb:set_cell_value("Sheet1", "A" .. i, v) == nil) end
			local got = {}
			for i, row in ipairs(wb:get_rows("Sheet1")) do got[i] = row[1] end
			assert(table.concat(got, "|") == "x|1|9.00719925474099E+15|-7|0.1|FALSE|1E+15|1E+20|" .. tostring(0/0) .. "|<a&b>|ä€", table.concat(got, "|"))`,
		"other values are text": `local wb = excel.new()
			assert(wb:set_cell_value("Sheet1", "A1", {a = 1}) == nil and wb:set_cell_value("Sheet1", "A2", print) == nil)
			local rows = wb:get_rows("Sheet1")
			assert(rows[1][1] == "map[a:1]" and string.find(rows[2][1], "function", 1, true))`,
		"nil clears": `local wb = excel.new() wb:set_cell_value("Sheet1", "A1", 1)
			assert(wb:set_cell_value("Sheet1", "A1", nil) == nil) assert(#wb:get_rows("Sheet1") == 0)`,
		"gaps": `local wb = excel.new() wb:set_cell_value("Sheet1", "C2", "x") wb:set_cell_value("Sheet1", "A4", "y")
			local rows = wb:get_rows("Sheet1")
			assert(#rows == 4 and #rows[1] == 0 and #rows[3] == 0 and rows[2][1] == "" and rows[2][2] == "" and rows[2][3] == "x" and rows[4][1] == "y")`,
		"trailing cells and rows are cut": `local wb = excel.new() wb:set_cell_value("Sheet1", "A1", "x")
			wb:set_cell_value("Sheet1", "D1", "") wb:set_cell_value("Sheet1", "A9", "")
			local rows = wb:get_rows("Sheet1") assert(#rows == 1 and #rows[1] == 1)`,
		"a cell by number": `local wb = excel.new() local err = wb:set_cell_value("Sheet1", 1, "x") assert(err:kind() == "Internal")`,
		"written and opened": `local wb, w = excel.new(), memory.writer()
			wb:new_sheet("Data") wb:set_cell_value("Data", "B2", "hello")
			assert(wb:write_to(w) == nil)
			local again = excel.open(memory.reader(memory.text(w)))
			assert(table.concat(again:get_sheet_list(), ",") == "Sheet1,Data")
			assert(again:get_rows("Data")[2][2] == "hello")
			assert(again:set_cell_value("Data", "B3", 5) == nil)
			assert(again:get_rows("Data")[3][2] == "5" and again:get_rows("Data")[2][2] == "hello")`,
		"closing twice":        `local wb = excel.new() assert(wb:close() == nil and wb:close() == nil)`,
		"text of a workbook":   `local wb = excel.new() assert(tostring(wb) == "excel.Workbook{}") wb:close() assert(tostring(wb) == "excel.Workbook{closed}")`,
		"the module is frozen": `assert(not pcall(function() excel.new = nil end))`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body) })
	}
}

func TestRowsCursor(t *testing.T) {
	b := newBench(t)
	for name, body := range map[string]string{
		"one row each": `local c = filled(3):rows("Sheet1")
			for i = 1, 3 do local rows, err = c:read() assert(#rows == 1 and rows[1][1] == tostring(i) and err == nil) end
			for _ = 1, 2 do local rows, err = c:read() assert(rows == nil and err == nil) end`,
		"batches":             `local c = filled(5):rows("Sheet1") assert(#c:read(2) == 2 and #c:read(2) == 2 and #c:read(2) == 1 and c:read(2) == nil)`,
		"a batch has a limit": `local c = filled(10002):rows("Sheet1") assert(#c:read(1e9) == 10000 and #c:read(1e9) == 2)`,
		"rows and cells are not cut": `local wb = filled(1) wb:set_cell_value("Sheet1", "A4", "") wb:set_cell_value("Sheet1", "C2", "x")
			local rows = wb:rows("Sheet1"):read(10) assert(#rows == 4, #rows) assert(rows[2][1] == "" and rows[2][3] == "x")`,
		"a size that is none": `local c = filled(1):rows("Sheet1")
			for _, n in ipairs({0, -1, 0.5, 0/0}) do
				local rows, err = c:read(n) assert(rows == nil and err:kind() == "Invalid" and err:message() == "batch size must be positive")
			end`,
		"closed": `local c = filled(1):rows("Sheet1") assert(tostring(c) == "excel.Rows{}") assert(c:close() == nil and c:close() == nil)
			assert(tostring(c) == "excel.Rows{closed}")
			local rows, err = c:read() assert(rows == nil and err:kind() == "Invalid" and err:message() == "rows cursor is closed")`,
		"closed with the workbook": `local wb = filled(1) local c = wb:rows("Sheet1") wb:close()
			local rows, err = c:read() assert(rows == nil and err:message() == "rows cursor is closed") c:close()`,
		"two cursors": `local wb = filled(2) local a, b = wb:rows("Sheet1"), wb:rows("Sheet1")
			assert(a:read()[1][1] == "1" and b:read()[1][1] == "1" and a:read()[1][1] == "2") a:close() assert(b:read()[1][1] == "2")`,
	} {
		t.Run(name, func(t *testing.T) {
			b.Check(t, `local function filled(n)
				local wb = excel.new()
				for i = 1, n do wb:set_cell_value("Sheet1", "A" .. i, i) end
				return wb
			end `+body)
		})
	}
}

func TestFailures(t *testing.T) {
	newBench(t).CheckFailures(t, []moduletest.Failure{
		{Call: `excel.open(memory.reader("no workbook"))`, Kind: "Internal", Text: "not a valid zip file"},
		{Call: `excel.open(memory.reader(""))`, Kind: "Internal", Text: "not a valid zip file"},
		{Call: `excel.open(memory.broken())`, Kind: "Internal", Text: "the disk is broken"},
		{Name: "an encrypted workbook", Call: `excel.open(memory.reader("\208\207\017\224\161\177\026\225" .. string.rep("x", 1000)))`, Kind: "Internal", Text: "encrypted"},
		{Call: `excel.new():new_sheet("")`, Kind: "Internal", Text: "blank"},
		{Call: `excel.new():new_sheet(string.rep("x", 32))`, Kind: "Internal", Text: "31"},
		{Call: `excel.new():new_sheet("a:b")`, Kind: "Internal", Text: "characters"},
		{Call: `excel.new():get_rows("none")`, Kind: "Internal", Text: "sheet none does not exist"},
		{Call: `excel.new():rows("none")`, Kind: "Internal", Text: "sheet none does not exist"},
		{Call: `nil, excel.new():set_cell_value("none", "A1", 1)`, Kind: "Internal", Text: "sheet none does not exist"},
		{Call: `nil, excel.new():set_cell_value("Sheet1", "A0", 1)`, Kind: "Internal", Text: `invalid cell name "A0"`},
		{Call: `nil, excel.new():set_cell_value("Sheet1", "A1", string.rep("x", 32768))`, Kind: "Internal", Text: "longer than 32767 characters"},
		{Call: `nil, excel.new():write_to(memory.other())`, Kind: "Internal", Text: "value does not implement io.Writer"},
		{Call: `nil, excel.new():write_to(memory.broken())`, Kind: "Internal", Text: "the disk is broken"},
		{Call: `excel.new().new_sheet(1, "x")`, Kind: "Invalid", Text: "workbook expected"},
		{Call: `nil, excel.new().set_cell_value({}, "x")`, Kind: "Invalid", Text: "workbook expected"},
	})
}

func TestWrongArgumentsRaise(t *testing.T) {
	b := newBench(t)
	for _, call := range []string{
		`excel.open()`, `excel.open("text")`, `excel.open(memory.other())`, `excel.new():set_cell_value("Sheet1", "A1")`,
		`excel.new():new_sheet({})`, `excel.new():write_to("x")`, `excel.new():rows("Sheet1"):read("x")`,
	} {
		t.Run(call, func(t *testing.T) {
			b.Check(t, `local ok, err = pcall(function() `+call+` end)
				assert(not ok and string.find(tostring(err), "bad argument", 1, true), tostring(err))`)
		})
	}
}

func TestAnEndedProcessClosesItsWorkbooks(t *testing.T) {
	b := newBench(t)
	if _, err := b.Run(`for i = 1, 3 do local wb = excel.new() wb:rows("Sheet1") if i == 2 then wb:close() end end error("end")`); err == nil || !strings.Contains(err.Error(), "end") {
		t.Error(err)
	}
}
