// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"slices"
	"testing"

	"github.com/wippyrun/kit/tools/check/rules"
)

func TestSiblingsAreTransitive(t *testing.T) {
	for dir, want := range map[string][]string{
		"eventbus":     nil,
		"relay":        {"mailbox"},
		"luart":        {"mailbox", "relay", "scheduler"},
		"luart/engine": {"mailbox", "relay", "scheduler"},
		"nowhere":      nil,
	} {
		if got := rules.Siblings(dir); !slices.Equal(got, want) {
			t.Errorf("Siblings(%s) = %v, want %v", dir, got, want)
		}
	}
}

func TestMayRequireFollowsTheTable(t *testing.T) {
	tests := []struct {
		dir, path string
		want      bool
	}{
		{"relay", rules.ModulePath("mailbox"), true},
		{"relay", rules.ModulePath("scheduler"), false},
		{"luart", rules.ModulePath("mailbox"), false},
		{"wippy", rules.ModulePath("mailbox"), true},
		{"registry", "modernc.org/sqlite", true},
		{"registry", "modernc.org/sqlite/vfs", false},
		{"scheduler", "modernc.org/sqlite", false},
		{"scheduler", "pgregory.net/rapid", true},
		{"wippy", "example.com/anything", true},
		{"nowhere", "pgregory.net/rapid", false},
	}
	for _, tt := range tests {
		if got := rules.MayRequire(tt.dir, tt.path); got != tt.want {
			t.Errorf("MayRequire(%s, %s) = %t", tt.dir, tt.path, got)
		}
	}
}

func TestPrimitivesStandInTheTable(t *testing.T) {
	want := []string{"appctx", "eventbus", "loader", "luart", "mailbox", "registry", "relay", "scheduler"}
	if got := rules.Primitives(); !slices.Equal(got, want) {
		t.Errorf("Primitives() = %v", got)
	}
	if !rules.IsOurs(rules.ModulePath("relay")) || rules.IsOurs("example.com/relay") {
		t.Error("IsOurs does not tell our modules from others")
	}
	if !rules.IsTestOnly("go.uber.org/goleak") || rules.IsTestOnly("gopkg.in/yaml.v3") {
		t.Error("IsTestOnly does not tell the modules of tests from others")
	}
}
