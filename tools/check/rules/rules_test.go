// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/check/rules"
)

var update = flag.Bool("update", false, "rewrite the want file of each archive")

// TestRulesOnFixtures runs each rule on the trees testdata/<rule>/*.txtar and
// compares what it reports with the file want of the archive. Every rule needs a
// tree that violates it and one that does not.
func TestRulesOnFixtures(t *testing.T) {
	for _, rule := range rules.All() {
		t.Run(rule.Name, func(t *testing.T) {
			archives, err := filepath.Glob(filepath.Join("testdata", rule.Name, "*.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			var clean, violated int
			for _, name := range archives {
				ar, err := txtar.ParseFile(name)
				if err != nil {
					t.Fatal(err)
				}
				got := check(t, rule, ar)
				if got == "" {
					clean++
				} else {
					violated++
				}
				want := wantOf(ar)
				if *update {
					want.Data = []byte(got)
					if err := os.WriteFile(name, txtar.Format(ar), 0o666); err != nil {
						t.Fatal(err)
					}
				} else if got != string(want.Data) {
					t.Errorf("%s: got\n%s\nwant\n%s", name, got, want.Data)
				}
			}
			if clean == 0 || violated == 0 {
				t.Errorf("%d clean and %d violating trees; each rule needs both", clean, violated)
			}
		})
	}
}

func wantOf(ar *txtar.Archive) *txtar.File {
	for i := range ar.Files {
		if ar.Files[i].Name == "want" {
			return &ar.Files[i]
		}
	}
	ar.Files = append(ar.Files, txtar.File{Name: "want"})
	return &ar.Files[len(ar.Files)-1]
}

// check extracts the tree and returns the sorted problems. "fast" and "real tools"
// in the archive's comment ask for Env.Fast and for this module's own go.mod as
// tools/go.mod.
func check(t *testing.T, rule rules.Rule, ar *txtar.Archive) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range ar.Files {
		if f.Name != "want" {
			write(t, filepath.Join(root, f.Name), f.Data)
		}
	}
	comment := string(ar.Comment)
	if strings.Contains(comment, "real tools") {
		for _, name := range []string{"go.mod", "go.sum"} {
			data, err := os.ReadFile(filepath.Join("..", "..", name))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(root, "tools", name), data)
		}
	}
	r, err := repo.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	problems, err := rule.Check(context.Background(), rules.Env{Repo: r, Fast: strings.Contains(comment, "fast"), Log: &log})
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	rules.Sort(problems)
	var out strings.Builder
	for _, p := range problems {
		out.WriteString(p.String() + "\n")
	}
	return out.String()
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
