// SPDX-License-Identifier: Apache-2.0

package surroundings_test

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/tools/check/rules"
	"github.com/wippyrun/kit/tools/consume/surroundings"
)

func TestEveryFileSurroundsAPrimitive(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		module, ok := strings.CutSuffix(e.Name(), ".go.txt")
		if !ok {
			continue
		}
		found++
		if !slices.Contains(rules.Primitives(), module) {
			t.Errorf("%s: no primitive is named %s", e.Name(), module)
		}
		src, err := surroundings.For(module)
		if err != nil {
			t.Errorf("%s: %v", module, err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), src, parser.SkipObjectResolution)
		if err != nil || f.Name.Name != "main" {
			t.Errorf("%s is not of package main: %v", e.Name(), err)
		}
	}
	if found == 0 {
		t.Error("there are none")
	}
}

func TestModulesMayNeedNone(t *testing.T) {
	if src, err := surroundings.For("nothing"); src != "" || err != nil {
		t.Errorf("%q, %v", src, err)
	}
}
