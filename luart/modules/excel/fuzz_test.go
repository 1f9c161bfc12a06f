// SPDX-License-Identifier: Apache-2.0

package excel_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// use opens a workbook and does with it what can be done. It fails only by error objects.
const use = `
	local wb, err = excel.open(memory.reader(...))
	if not wb then assert(err:kind() == "Internal") return end
	for _, name in ipairs(wb:get_sheet_list()) do
		local rows, err = wb:get_rows(name)
		assert(rows or err:kind() == "Internal")
		local c = wb:rows(name)
		if c then
			for _ = 1, 3 do c:read(100) end
			c:close()
		end
		wb:set_cell_value(name, "B2", "x")
	end
	wb:new_sheet("new")
	wb:write_to(memory.writer())
	wb:close()`

// FuzzOpen gives any bytes to excel.open.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(book(f, nil)))
	f.Add([]byte(book(f, map[string]string{sheet: sheetOf(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`), "xl/sharedStrings.xml": `<sst><si><t>x</t></si></sst>`})))
	f.Add([]byte("PK\x05\x06" + string(make([]byte, 18))))
	f.Add([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
	b := newBench(f)
	program := b.Link(use)
	f.Fuzz(func(t *testing.T, data []byte) { open(t, b, program, string(data)) })
}

// FuzzParts puts any text into the parts that are parsed.
func FuzzParts(f *testing.F) {
	f.Add(sheetOf(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="b"><v>1</v></c><c t="inlineStr"><is><t>x</t></is></c></row>`),
		`<sst><si><t>x</t></si><si><r><t>y</t></r></si></sst>`, `<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>`,
		`<workbook><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`)
	f.Add(sheetOf(`<row r="-1"><c r="A0" s="99999"><v>1e999</v></c></row><row r="9"/><row r="3"><c r="XFD3" t="s"><v>-1</v></c></row>`),
		`<sst count="x"><si/></sst>`, `<styleSheet><numFmts><numFmt numFmtId="200" formatCode="[h]:mm;@"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>`, ``)
	f.Add(sheetOf(`<row><c t="d"><v>2024-01-01T00:00:00Z</v></c><c><f t="shared" si="0" ref="A1:B2">A1</f><v/></c></row>`), ``, ``, `<workbook/>`)
	empty := book(f, nil)
	b := newBench(f)
	program := b.Link(use)
	f.Fuzz(func(t *testing.T, sheetText, texts, styles, workbook string) {
		parts := map[string]string{}
		for name, text := range map[string]string{sheet: sheetText, "xl/sharedStrings.xml": texts, "xl/styles.xml": styles, "xl/workbook.xml": workbook} {
			if text != "" {
				parts[name] = text
			}
		}
		open(t, b, program, rewrite(t, empty, parts))
	})
}

func open(t *testing.T, b *moduletest.Bench, program *engine.Program, file string) {
	t.Helper()
	if _, err := b.Exec(program, moduletest.Input(file)); err != nil {
		t.Fatalf("%v", err)
	}
}
