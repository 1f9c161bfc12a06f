// SPDX-License-Identifier: Apache-2.0

package excel

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
)

var errOLE = errors.New("excel: encrypted workbooks and the format .xls are not supported")

// oleMark is how files begin that are no zip archives: encrypted workbooks and .xls files.
var oleMark = []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}

// readFile reads a file that is not larger than allowed.
func (l *limits) readFile(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, l.file+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > l.file:
		return nil, l.errFile()
	case bytes.HasPrefix(data, oleMark):
		return nil, errOLE
	}
	return data, nil
}

// inspect unpacks every part of the workbook once, keeping nothing, and refuses it when it is too much. What the
// archive says about the size of its parts is not relied on.
func (l *limits) inspect(data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	c := counter{left: l.unpacked, full: l.errUnpacked()}
	for _, f := range z.File {
		c.elements = 0
		if err := c.part(f); err != nil {
			return err
		}
		if limit := l.of(f.Name); c.elements > limit {
			return fmt.Errorf("excel: %s has more than %d elements", f.Name, limit)
		}
	}
	return nil
}

// counter counts what is written to it.
type counter struct {
	left     int64 // bytes that may still come
	full     error // for when more come
	elements int64 // "<" in the current part
}

// Write implements io.Writer. It fails when there is too much.
func (c *counter) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		return 0, c.full
	}
	c.elements += int64(bytes.Count(p, []byte{'<'}))
	return len(p), nil
}

func (c *counter) part(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	defer r.Close()
	if _, err := io.Copy(c, r); err != nil {
		if err == c.full {
			return err
		}
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return nil
}
