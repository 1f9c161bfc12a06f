// SPDX-License-Identifier: Apache-2.0

package excel_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/excel"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// memory is a module whose values stand for files: reader(text), writer(), text(writer), broken().
var memory = engine.Module{Name: "memory", Build: func(b *engine.Builder) error {
	file := b.Type("File", nil, nil)
	b.Func("reader", func(L *lua.LState) int {
		L.Push(file.New(bytes.NewReader([]byte(L.CheckString(1)))))
		return 1
	})
	b.Func("writer", func(L *lua.LState) int {
		L.Push(file.New(new(bytes.Buffer)))
		return 1
	})
	b.Func("text", func(L *lua.LState) int {
		L.Push(lua.LString(engine.Check[*bytes.Buffer](L, 1, "writer").String()))
		return 1
	})
	b.Func("broken", func(L *lua.LState) int {
		L.Push(file.New(broken{}))
		return 1
	})
	b.Func("other", func(L *lua.LState) int {
		L.Push(file.New(12))
		return 1
	})
	return nil
}}

// broken is a file that cannot be used.
type broken struct{}

var errBroken = errors.New("the disk is broken")

func (broken) Read([]byte) (int, error)  { return 0, errBroken }
func (broken) Write([]byte) (int, error) { return 0, errBroken }

func newBench(tb testing.TB) *moduletest.Bench {
	return moduletest.New(tb, excel.Module(), memory)
}

// book makes the file of a workbook with one sheet. Other parts replace those of an empty workbook.
func book(tb testing.TB, parts map[string]string) string {
	tb.Helper()
	v, err := newBench(tb).Run(`local w = memory.writer() assert(not excel.new():write_to(w)) return memory.text(w)`)
	if err != nil {
		tb.Fatal(err)
	}
	return rewrite(tb, v.String(), parts)
}

// rewrite replaces or adds parts of a workbook.
func rewrite(tb testing.TB, file string, parts map[string]string) string {
	tb.Helper()
	in, err := zip.NewReader(bytes.NewReader([]byte(file)), int64(len(file)))
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	add := func(name string, content io.Reader) {
		part, err := w.Create(name)
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	for _, f := range in.File {
		if _, ok := parts[f.Name]; ok {
			continue
		}
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		add(f.Name, r)
		r.Close()
	}
	for name, content := range parts {
		add(name, bytes.NewReader([]byte(content)))
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// sheet is the part of the sheet of a workbook made by book.
const sheet = "xl/worksheets/sheet1.xml"

func sheetOf(rows string) string {
	return `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` +
		rows + `</sheetData></worksheet>`
}
