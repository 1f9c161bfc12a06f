// SPDX-License-Identifier: Apache-2.0

package excel

import (
	"bytes"
	"encoding/xml"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// sheetPlaces is what a sheet itself costs, in places.
const sheetPlaces = 16

// budget counts the places of a workbook.
type budget struct {
	*limits
	used   int64
	sheets map[string]*extent
}

// extent is what was set in a sheet.
type extent struct {
	rows map[int]int // row to its last column
	last int         // row
}

// take makes room for a cell.
func (b *budget) take(sheet string, column, row int) error {
	e := b.sheets[sheet]
	if e == nil {
		e = &extent{rows: map[int]int{}}
	}
	more := max(0, column-e.rows[row]) + max(0, row-e.last)
	if b.used+int64(more) > b.places {
		return b.errPlaces()
	}
	if b.sheets == nil {
		b.sheets = map[string]*extent{}
	}
	b.sheets[sheet] = e
	b.used += int64(more)
	e.rows[row] = max(column, e.rows[row])
	e.last = max(row, e.last)
	return nil
}

// takeSheet makes room for a new sheet.
func (b *budget) takeSheet() error {
	if b.used+sheetPlaces > b.places {
		return b.errPlaces()
	}
	b.used += sheetPlaces
	return nil
}

// count adds what the parts of an opened workbook will take when they are parsed. Any part may be a sheet.
func (b *budget) count(f *excelize.File) error {
	var err error
	f.Pkg.Range(func(_, part any) bool {
		content, ok := part.([]byte)
		if ok {
			err = b.part(f, content)
		}
		return err == nil
	})
	return err
}

func (b *budget) part(f *excelize.File, content []byte) error {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = f.CharsetReader
	lastRow, column, widest := 0, 0, 0
	for {
		token, err := d.RawToken()
		if err != nil {
			return nil // no XML, or not to its end: excelize reports that when the part is used
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "row":
			column, widest = 0, 0
			b.used++
			if row, err := strconv.Atoi(attribute(start, "r")); err == nil && row > lastRow && row <= excelize.TotalRows {
				b.used += int64(row - lastRow)
				lastRow = row
			}
		case "c":
			column++
			if c, _, err := excelize.CellNameToCoordinates(attribute(start, "r")); err == nil {
				column = c
			}
			b.used += int64(max(1, column-widest))
			widest = max(widest, column)
		}
		if b.used > b.places {
			return b.errPlaces()
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
