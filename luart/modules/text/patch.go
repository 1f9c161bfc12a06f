// SPDX-License-Identifier: Apache-2.0

package text

import (
	"slices"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

const (
	// maxPolished is the longest text, in bytes, whose comparison is made readable before it becomes patches: there are
	// texts for which that takes time in the square of their length, a minute for those at the limit.
	maxPolished = 1 << 20
	// maxPatches is how long the patches of one call may be together, in bytes: the library takes time in the square
	// of the length of a patch to cut it into pieces it can look for.
	maxPatches = 1 << 20
	// maxCopied is how much text is copied in one call, about 10 seconds worth of it. Both making and applying patches
	// copy all of the text for each change.
	maxCopied = 1 << 34
	// maxMargin is the largest number of characters around a change. There are no patches with so much context, and
	// the library makes up one character for each of them.
	maxMargin = 1000
)

func (d differ) library() *diffmatchpatch.DiffMatchPatch {
	return &diffmatchpatch.DiffMatchPatch{
		DiffTimeout:          d.timeout,
		DiffEditCost:         d.editCost,
		MatchThreshold:       d.matchThreshold,
		MatchDistance:        d.matchDistance,
		MatchMaxBits:         32,
		PatchDeleteThreshold: d.deleteThreshold,
		PatchMargin:          d.margin,
	}
}

var kinds = map[operation]diffmatchpatch.Operation{
	equal: diffmatchpatch.DiffEqual, deletion: diffmatchpatch.DiffDelete, insertion: diffmatchpatch.DiffInsert,
}

// patchMake implements differ:patch_make(a, b).
func patchMake(L *lua.LState) int {
	d := engine.Check[differ](L, 1, "Differ")
	a, b := L.CheckString(2), L.CheckString(3)
	switch {
	case len(a) > maxCompared || len(b) > maxCompared:
		return call.Invalid(L, comparedTooLong)
	case !utf8.ValidString(a) || !utf8.ValidString(b):
		return call.Invalid(L, "texts to patch must be valid UTF-8")
	}
	edits := compareTexts(engine.From(L).Context(), []rune(a), []rune(b), d.deadline())
	if len(edits) > maxCopied/(len(a)+len(b)+1) {
		edits = outer([]rune(a), []rune(b))
	}
	diffs := make([]diffmatchpatch.Diff, len(edits))
	for i, e := range edits {
		diffs[i] = diffmatchpatch.Diff{Type: kinds[e.op], Text: string(e.text)}
	}
	lib := d.library()
	if len(diffs) > 2 && max(len(a), len(b)) <= maxPolished {
		diffs = lib.DiffCleanupEfficiency(lib.DiffCleanupSemantic(diffs))
	}
	patches := lib.PatchMake(a, diffs)
	t := engine.NewArray(len(patches))
	for i, p := range patches {
		item := engine.NewObject(1)
		item.RawSetString("text", lua.LString(lib.PatchToText([]diffmatchpatch.Patch{p})))
		t.RawSetInt(i+1, item)
	}
	return call.Value(L, t)
}

// outer is the comparison that has one deletion and one insertion.
func outer(a, b []rune) []edit {
	p := commonPrefix(a, b)
	s := commonSuffix(a[p:], b[p:])
	return merge([]edit{
		{equal, a[:p]}, {deletion, a[p : len(a)-s]}, {insertion, b[p : len(b)-s]}, {equal, a[len(a)-s:]},
	})
}

// patchApply implements differ:patch_apply(patches, text). What is no patch does not count.
func patchApply(L *lua.LState) int {
	d := engine.Check[differ](L, 1, "Differ")
	t, s := engine.Unwrap(L.CheckTable(2)), L.CheckString(3)
	lib := d.library()
	var patches []diffmatchpatch.Patch
	total := 0
	for i := 1; i <= t.Len(); i++ {
		item, ok := t.RawGetInt(i).(*lua.LTable)
		if !ok {
			continue
		}
		source := lua.LVAsString(engine.Unwrap(item).RawGetString("text"))
		if total += len(source); total > maxPatches {
			L.RaiseError("patches are longer than %d bytes", maxPatches)
		}
		if parsed, err := lib.PatchFromText(source); err == nil {
			patches = append(patches, parsed...)
		}
	}
	if len(patches) > maxCopied/(len(s)+1) {
		L.RaiseError("text of %d bytes is too long for %d changes", len(s), len(patches))
	}
	out, ok := apply(lib, patches, s)
	L.Push(lua.LString(out))
	L.Push(lua.LBool(ok))
	return 2
}

// apply is the library's PatchApply. Patches that contradict themselves, in their lengths or in their order, make it
// panic: they are not applied.
func apply(lib *diffmatchpatch.DiffMatchPatch, patches []diffmatchpatch.Patch, s string) (out string, ok bool) {
	defer func() {
		if recover() != nil {
			out, ok = s, false
		}
	}()
	out, applied := lib.PatchApply(patches, s)
	return out, !slices.Contains(applied, false)
}
