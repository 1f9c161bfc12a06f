// SPDX-License-Identifier: Apache-2.0

package text_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/text"
)

var (
	page  = strings.Repeat("# Heading\n\nSome text of a page, with several words in it, and user@example.com.\n\n- one\n- two\n\n", 20)
	other = strings.Replace(strings.Replace(page, "several words", "many words", 5), "two", "2", 3)
)

func BenchmarkRegexpFindAll(b *testing.B) { benchmark(b, `re:find_all_string(page)`) }

func BenchmarkRegexpReplace(b *testing.B) { benchmark(b, `re:replace_all_string(page, "$2 at $1")`) }

func BenchmarkDiff(b *testing.B) { benchmark(b, `differ:compare(page, other)`) }

// BenchmarkCompare is the comparison alone.
func BenchmarkCompare(b *testing.B) {
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		text.Compare(context.Background(), page, other, time.Hour)
	}
}

// BenchmarkPeerDiff is what the library makes of the same texts.
func BenchmarkPeerDiff(b *testing.B) {
	lib := text.Library()
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		lib.DiffMain(page, other, false)
	}
}

func BenchmarkSplitRecursive(b *testing.B) { benchmark(b, `recursive:split_text(page)`) }

func BenchmarkSplitMarkdown(b *testing.B) { benchmark(b, `markdown:split_text(page)`) }

func benchmark(b *testing.B, expression string) {
	bench := moduletest.New(b, text.Module())
	program := bench.Link(`
		local n, page, other = ...
		local re, differ = text.regexp.compile("(\\w+)@(\\w+)"), text.diff.new()
		local recursive, markdown = text.splitter.recursive(), text.splitter.markdown()
		for _ = 1, n do assert(` + expression + `) end`)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := bench.Exec(program, moduletest.Input(b.N, page, other)); err != nil {
		b.Fatal(err)
	}
}
