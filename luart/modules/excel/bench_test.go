// SPDX-License-Identifier: Apache-2.0

package excel_test

import (
	"bytes"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// fill makes a file of a thousand rows of ten cells.
func fill(b *testing.B) []byte {
	f := excelize.NewFile()
	for row := 1; row <= 1000; row++ {
		for column := 1; column <= 10; column++ {
			cell, err := excelize.CoordinatesToCellName(column, row)
			if err == nil {
				err = f.SetCellValue("Sheet1", cell, row*column)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkReadRows opens a workbook and reads all rows, next to the library's own.
func BenchmarkReadRows(b *testing.B) {
	bench := newBench(b)
	program := bench.Link(`local wb = excel.open(memory.reader(...)) assert(#wb:get_rows("Sheet1") == 1000)`)
	input := moduletest.Input(string(fill(b)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.Exec(program, input); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPeerReadRows(b *testing.B) {
	file := fill(b)
	b.ReportAllocs()
	for b.Loop() {
		f, err := excelize.OpenReader(bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		if rows, err := f.GetRows("Sheet1"); err != nil || len(rows) != 1000 {
			b.Fatal(err)
		}
	}
}
