// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
)

// newState returns a state with the intrinsics and a print that writes to out.
func newState(t testing.TB, out *strings.Builder) *lua.LState {
	L := lua.NewState()
	t.Cleanup(L.Close)
	for name, fn := range syntax.Intrinsics() {
		L.SetGlobal(name, L.NewFunction(fn))
	}
	L.SetGlobal("print", L.NewFunction(func(L *lua.LState) int {
		for i := 1; i <= L.GetTop(); i++ {
			if i > 1 {
				out.WriteByte(' ')
			}
			out.WriteString(L.ToStringMeta(L.Get(i)).String())
		}
		out.WriteByte('\n')
		return 0
	}))
	return L
}

// run executes a program and returns what it printed and the error it ended with, without its stack trace.
func run(t testing.TB, src string) (string, string) {
	t.Helper()
	chunk, err := syntax.Parse("t", src)
	if err != nil {
		return "", err.Error()
	}
	proto, err := syntax.Compile(chunk, "")
	if err != nil {
		return "", err.Error()
	}
	var out strings.Builder
	L := newState(t, &out)
	L.Push(L.NewFunctionFromProto(proto))
	if err := L.PCall(0, 0, nil); err != nil {
		message, _, _ := strings.Cut(err.Error(), "\nstack traceback")
		return out.String(), message
	}
	return out.String(), ""
}

// wantOutput runs a program that must end well and compares what it prints.
func wantOutput(t *testing.T, src, want string) {
	t.Helper()
	got, err := run(t, src)
	if err != "" {
		t.Errorf("%s\nfailed: %s", src, err)
	} else if strings.TrimSpace(got) != want {
		t.Errorf("%s\nprinted %q, want %q", src, strings.TrimSpace(got), want)
	}
}

// corpus returns the programs of a directory below testdata.
func corpus(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.lua"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs in testdata/%s: %v", dir, err)
	}
	out := make([]string, 0, len(files))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return out
}
