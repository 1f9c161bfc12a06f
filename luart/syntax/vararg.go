// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// dropArg takes the table `arg` away where nobody can see it. Lua 5.1 makes that
// table, 2.6 KB here, at every call of a vararg function that does not use `...`. The
// chunk itself is such a function but has no variable `arg`: without this the table
// is most of what starting a process allocates (BenchmarkSpawn of the engine). Inner
// functions lose it in a text that does not mention the word.
func dropArg(proto *lua.FunctionProto, text string) {
	proto.IsVarArg &^= lua.VarArgNeedsArg
	if len(proto.FunctionPrototypes) == 0 || mentions(text, "arg") {
		return
	}
	for _, inner := range proto.FunctionPrototypes {
		dropArgs(inner)
	}
}

func dropArgs(proto *lua.FunctionProto) {
	proto.IsVarArg &^= lua.VarArgNeedsArg
	for _, inner := range proto.FunctionPrototypes {
		dropArgs(inner)
	}
}

// mentions reports whether word stands in text on its own. A comment or a string
// counts: the answer errs towards yes.
func mentions(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		from = i + len(word)
		if (i == 0 || class[text[i-1]]&cIdent == 0) && (from == len(text) || class[text[from]]&cIdent == 0) {
			return true
		}
	}
}
