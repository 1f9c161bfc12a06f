// SPDX-License-Identifier: Apache-2.0

package text

import (
	"context"
	"time"

	"github.com/sergi/go-diff/diffmatchpatch"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// Part is one edit as the tests see it.
type Part struct{ Operation, Text string }

// Compare compares two texts within a time.
func Compare(ctx context.Context, a, b string, timeout time.Duration) []Part {
	var parts []Part
	for _, e := range compareTexts(ctx, characters(a), characters(b), time.Now().Add(timeout)) {
		parts = append(parts, Part{e.op.String(), text(e.text)})
	}
	return parts
}

// Index is index for strings.
func Index(long, short string) int { return new(comparison).index([]rune(long), []rune(short)) }

// Apply parses patches and applies them with the usual settings. ok is false when they do not parse.
func Apply(patches, s string) (out string, applied, ok bool) {
	lib := newDiffer(nil).library()
	parsed, err := lib.PatchFromText(patches)
	if err != nil {
		return "", false, false
	}
	out, applied = apply(lib, parsed, s)
	return out, applied, true
}

// Library is a differ of the library, without a time limit.
func Library() *diffmatchpatch.DiffMatchPatch {
	lib := newDiffer(nil).library()
	lib.DiffTimeout = 0
	return lib
}

// Recursive and Markdown cut texts with options that are fields of a Lua table.
func Recursive(options map[string]lua.LValue, text string) ([]string, error) {
	return newRecursive(table(options), []string{"\n\n", "\n", " ", ""}).split(text)
}

// Markdown is Recursive for the other splitter.
func Markdown(options map[string]lua.LValue, text string) ([]string, error) {
	return newMarkdown(table(options)).split(text)
}

func table(options map[string]lua.LValue) *lua.LTable {
	t := engine.NewObject(len(options))
	for k, v := range options {
		t.RawSetString(k, v)
	}
	return t
}
