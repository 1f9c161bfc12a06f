// SPDX-License-Identifier: Apache-2.0

// Package excel is the Lua module excel: reading and writing spreadsheets (.xlsx).
//
// A workbook is made empty or opened from anything that can be read from: a userdata whose Go value is an
// io.Reader. It is written to a userdata whose Go value is an io.Writer. All work is done in memory, in the
// calling step; nothing is put into files on the way.
//
// # Limits
//
// A spreadsheet is a zip archive of XML, and a small one can claim to be huge. What is opened may have 64 MiB, and
// 256 MiB unpacked, and its shared texts and styles a bounded number of XML elements. A cell takes about 200 bytes in
// memory, and so does every empty one before it in its row: a workbook takes up to four million of them before
// set_cell_value fails, and get_rows returns eight million at most; the cursor of rows has no such limit. Texts are at
// most 32 767 characters long, as in the file format. Encrypted workbooks and the older .xls format are refused.
//
// A workbook belongs to the process that made it, and is closed with it.
package excel
