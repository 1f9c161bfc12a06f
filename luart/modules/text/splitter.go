// SPDX-License-Identifier: Apache-2.0

package text

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

const (
	// maxSize is the largest size of chunks and overlaps, in characters: larger than any text.
	maxSize = 1 << 30
	// maxSeparators is how many separators there may be. For each of them a text may be cut one level deeper.
	maxSeparators = 1000
)

// splitter is what is behind a Splitter object. It is immutable.
type splitter interface {
	split(text string) ([]string, error)
}

func buildSplitter(b *engine.Builder) {
	class := b.Type("Splitter", map[string]lua.LGFunction{
		"split_text":  splitText,
		"split_batch": splitBatch,
	}, nil)
	t := b.Table("splitter")
	define := func(name string, build func(options *lua.LTable) splitter) {
		t.Func(name, func(L *lua.LState) int {
			options := call.Table(L, 1)
			if options == nil {
				options = engine.NewObject(0)
			}
			if list, ok := options.RawGetString("separators").(*lua.LTable); ok && engine.Unwrap(list).Len() > maxSeparators {
				return call.Invalid(L, "more than 1000 separators")
			}
			return call.Value(L, class.New(build(options)))
		})
	}
	define("recursive", func(o *lua.LTable) splitter { return newRecursive(o, []string{"\n\n", "\n", " ", ""}) })
	define("markdown", func(o *lua.LTable) splitter { return newMarkdown(o) })
}

// newRecursive reads the options. Those of a wrong type or out of range do not count.
func newRecursive(o *lua.LTable, separators []string) recursive {
	r := recursive{sizes: sizes{chunk: 512, overlap: 100}, separators: separators}
	if n, ok := number(o, "chunk_size"); ok && n >= 1 {
		r.chunk = whole(n, maxSize)
	}
	if n, ok := number(o, "chunk_overlap"); ok && n >= 0 {
		r.overlap = whole(n, maxSize)
	}
	if t, ok := o.RawGetString("separators").(*lua.LTable); ok {
		if list, ok := call.Strings(t); ok && len(list) > 0 {
			r.separators = list
		}
	}
	r.keep = o.RawGetString("keep_separator") == lua.LTrue
	return r
}

func newMarkdown(o *lua.LTable) markdownSplitter {
	second := newRecursive(o, []string{"\n\n", "\n", " "})
	second.keep = false
	is := func(name string) bool { return o.RawGetString(name) == lua.LTrue }
	return markdownSplitter{
		sizes:     second.sizes,
		second:    second,
		code:      is("code_blocks"),
		links:     is("reference_links"),
		hierarchy: is("heading_hierarchy"),
		joinRows:  is("join_table_rows"),
	}
}

// splitText implements splitter:split_text(text).
func splitText(L *lua.LState) int {
	s, text := engine.Check[splitter](L, 1, "Splitter"), L.CheckString(2)
	chunks, err := s.split(text)
	if err != nil {
		return call.Failed(L, "split_text", err)
	}
	return call.Value(L, call.Array(chunks))
}

// splitBatch implements splitter:split_batch(pages). What is no page, and what cannot be cut, does not count.
func splitBatch(L *lua.LState) int {
	s := engine.Check[splitter](L, 1, "Splitter")
	pages := engine.Unwrap(L.CheckTable(2))
	out := engine.NewArray(pages.Len())
	count := 0
	for i := 1; i <= pages.Len(); i++ {
		page, ok := pages.RawGetInt(i).(*lua.LTable)
		if !ok {
			continue
		}
		page = engine.Unwrap(page)
		content, _ := page.RawGetString("content").(lua.LString)
		chunks, err := s.split(string(content))
		if err != nil {
			continue
		}
		metadata, ok := page.RawGetString("metadata").(*lua.LTable)
		if !ok {
			metadata = engine.NewObject(0)
		}
		for _, chunk := range chunks {
			if count++; count > maxChunks {
				L.RaiseError("pages have more than %d chunks", maxChunks)
			}
			item := engine.NewObject(2)
			item.RawSetString("content", lua.LString(chunk))
			item.RawSetString("metadata", metadata)
			out.RawSetInt(count, item)
		}
	}
	return call.Value(L, out)
}
