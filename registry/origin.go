// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"slices"
	"strconv"
	"strings"
)

// Origin remembers where an entry and each of its fields were written. It is built
// by an OriginBuilder and immutable afterwards.
type Origin struct {
	// File is the path of the declaring file, Line and Column (from 1) the place of
	// the entry in it.
	File         string
	Line, Column int

	// fields is the tree of fields in pre-order; 32 bytes per field, one allocation
	// per entry, keys shared with the decoded maps.
	fields []originField
	texts  []originText
}

type originField struct {
	name      string
	line, col int32
	end       int32 // index behind the last descendant
	item      bool  // element of a list: addressed by position
}

// originText tells where the text of a string field really is.
type originText struct {
	field int32
	file  string // "" for the declaring file
	// The first character of the text is at line+1, and every line of the text is
	// indented by col columns there.
	line, col int32
}

// OriginBuilder builds the Origin of one entry. Fields are added in pre-order: Open
// a field, add what is below it, Close it.
type OriginBuilder struct {
	o Origin
}

// NewOriginBuilder starts the origin of an entry written at the given place.
func NewOriginBuilder(file string, line, column int) *OriginBuilder {
	return &OriginBuilder{o: Origin{File: file, Line: line, Column: column}}
}

// Grow makes room for n fields, which saves memory when the number is known.
func (b *OriginBuilder) Grow(n int) { b.o.fields = slices.Grow(b.o.fields, n) }

// Open adds a field below the fields that are open and returns its handle.
func (b *OriginBuilder) Open(name string, line, column int) int {
	b.o.fields = append(b.o.fields, originField{name: name, line: int32(line), col: int32(column)})
	return len(b.o.fields) - 1
}

// OpenItem adds a list element below the list that is open.
func (b *OriginBuilder) OpenItem(line, column int) int {
	b.o.fields = append(b.o.fields, originField{line: int32(line), col: int32(column), item: true})
	return len(b.o.fields) - 1
}

// Last returns the handle of the field added last.
func (b *OriginBuilder) Last() int { return len(b.o.fields) - 1 }

// Close ends the field and everything below it.
func (b *OriginBuilder) Close(field int) { b.o.fields[field].end = int32(len(b.o.fields)) }

// Text records that the text of the field starts in another place than the field:
// in another file, or (file "") below it as a block. line is the number of lines
// above the text, indent the number of columns before each of its lines.
func (b *OriginBuilder) Text(field int, file string, line, indent int) {
	b.o.texts = append(b.o.texts, originText{field: int32(field), file: file, line: int32(line), col: int32(indent)})
}

// Origin returns the finished origin; the builder must not be used afterwards.
func (b *OriginBuilder) Origin() *Origin { return &b.o }

// find returns the index of the field at path, or of the nearest field above it
// (exact false), or -1.
func (o *Origin) find(path string) (index int, exact bool) {
	return o.findIn(0, int32(len(o.fields)), -1, path)
}

func (o *Origin) findIn(from, to int32, above int, path string) (int, bool) {
	best, bestLen := above, -1
	pos := 0
	for i := from; i < to; i = o.fields[i].end {
		f := &o.fields[i]
		name := f.name
		if f.item {
			name = strconv.Itoa(pos)
			pos++
		}
		if path == name {
			return int(i), true
		}
		if len(path) > len(name) && path[len(name)] == '.' && strings.HasPrefix(path, name) {
			at, exact := o.findIn(i+1, f.end, int(i), path[len(name)+1:])
			if exact {
				return at, true
			}
			if len(name) > bestLen {
				best, bestLen = at, len(name)
			}
		}
	}
	return best, false
}

func (o *Origin) place(line, col int) string {
	var b strings.Builder
	b.Grow(len(o.File) + 12)
	b.WriteString(o.File)
	if line > 0 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(line))
		if col > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(col))
		}
	}
	return b.String()
}

func (o *Origin) textOf(path string) *originText {
	i, exact := o.find(path)
	if !exact {
		return nil
	}
	for t := range o.texts {
		if int(o.texts[t].field) == i {
			return &o.texts[t]
		}
	}
	return nil
}

// Position returns "file:line:column" of the field at a dotted path such as
// "kind", "meta.type" or "data.pool.size". When that field is not in the file, the
// place of the nearest field above it is returned, at last that of the entry. The
// empty path means the entry. The result is "" when nothing is known.
func (e Entry) Position(path string) string {
	o := e.Origin
	if o == nil {
		return ""
	}
	if path != "" {
		if i, _ := o.find(path); i >= 0 {
			return o.place(int(o.fields[i].line), int(o.fields[i].col))
		}
	}
	return o.place(o.Line, o.Column)
}

// SourceFile returns the path of the file whose content became the value of the
// field through a file:// reference, or "" when the value is written inline.
func (e Entry) SourceFile(path string) string {
	if e.Origin == nil {
		return ""
	}
	if t := e.Origin.textOf(path); t != nil {
		return t.file
	}
	return ""
}

// SourceOffset tells where the text of a field is: in which file, below how many
// lines and behind how many columns. It reports false when that is unknown.
func (e Entry) SourceOffset(path string) (file string, lines, columns int, ok bool) {
	if e.Origin == nil {
		return "", 0, 0, false
	}
	if t := e.Origin.textOf(path); t != nil {
		file = t.file
		if file == "" {
			file = e.Origin.File
		}
		return file, int(t.line), int(t.col), true
	}
	if i, exact := e.Origin.find(path); exact {
		f := e.Origin.fields[i]
		return e.Origin.File, int(f.line) - 1, int(f.col) - 1, true
	}
	return "", 0, 0, false
}

// Locate turns a place inside the text of a field, counted from line 1 and column
// 1, into "file:line:column" of the file a person would open: a syntax error on
// line 3 of `data.source` is on line 3 of the Lua file named by file://, or some
// lines further down in the YAML file that holds the source inline. column 0 means
// unknown. When the field is unknown Locate returns Position(path).
func (e Entry) Locate(path string, line, column int) string {
	file, lines, columns, ok := e.SourceOffset(path)
	if !ok {
		return e.Position(path)
	}
	if column > 0 {
		column += columns
	}
	o := Origin{File: file}
	return o.place(line+lines, column)
}
