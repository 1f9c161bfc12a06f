// SPDX-License-Identifier: Apache-2.0

package excel

import (
	"fmt"
	"path"
	"strings"
)

// limits bound the memory that one call can make a process take.
type limits struct {
	// file and unpacked are bytes: both are held while a workbook is open.
	file, unpacked int64
	// elements, texts and cells are XML elements: in a part such as the styles, in the shared texts, in a sheet. The
	// parts that are parsed at once become Go structures of up to 150 bytes per element.
	elements, texts, cells int64
	// places are what the sheets of a workbook take while they are changed: a cell that holds something, an empty
	// one before it in its row, or a row. excelize makes them all, at 200 bytes for a cell and 85 for a row (measured
	// with one cell at XFD1 and at A1048576).
	places int64
	// result is how many cells get_rows returns.
	result int64
}

// standard are the limits of the module. The elements leave room for a picture of the size of unpacked, of whose
// bytes 2^20 look like one; texts is about two million texts, cells four million cells.
var standard = limits{
	file:     64 << 20,
	unpacked: 256 << 20,
	elements: 1 << 21,
	texts:    1 << 23,
	cells:    1 << 24,
	places:   4 << 20,
	result:   8 << 20,
}

// of returns how many elements a part may have.
func (l *limits) of(name string) int64 {
	name = strings.ToLower(strings.ReplaceAll(name, "\\", "/"))
	switch {
	case path.Base(name) == "sharedstrings.xml":
		return l.texts
	case strings.Contains(name, "worksheets/"):
		return l.cells
	}
	return l.elements
}

func (l *limits) errFile() error {
	return fmt.Errorf("excel: the file is larger than %d bytes", l.file)
}

func (l *limits) errUnpacked() error {
	return fmt.Errorf("excel: the workbook is larger than %d bytes when unpacked", l.unpacked)
}

func (l *limits) errPlaces() error {
	return fmt.Errorf("excel: a workbook that is changed may take %d cells, with the empty ones before others", l.places)
}

func (l *limits) errResult() error {
	return fmt.Errorf("excel: the sheet has more than %d cells; use rows()", l.result)
}
