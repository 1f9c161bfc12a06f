// SPDX-License-Identifier: Apache-2.0

package trial_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/check/rules"
	"github.com/wippyrun/kit/tools/consume/trial"
	"github.com/wippyrun/kit/tools/pack"
)

// packed makes modules as pack.Proxy returns them, of version v0.1.0 and sum
// "h1:<dir>", with requirements after the directory.
func packed(t *testing.T, lines ...string) map[string]*pack.Module {
	t.Helper()
	out := make(map[string]*pack.Module)
	for _, line := range lines {
		dir, requires, _ := strings.Cut(line, " ")
		path := rules.ModulePath(dir)
		text := "module " + path + "\n"
		for r := range strings.SplitSeq(requires, "; ") {
			if r != "" {
				text += "require " + r + "\n"
			}
		}
		f, err := modfile.Parse(dir, []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		out[path] = &pack.Module{Version: module.Version{Path: path, Version: "v0.1.0"}, Dir: dir, GoMod: f, Sum: "h1:" + dir}
	}
	return out
}

// check fails unless the error has exactly the wanted lines.
func check(t *testing.T, err error, want ...string) {
	t.Helper()
	var got []string
	if err != nil {
		got = strings.Split(err.Error(), "\n")
	}
	if !slices.EqualFunc(got, want, strings.Contains) {
		t.Errorf("problems %q, want %q", got, want)
	}
}

func TestModulesThatComeAlongAreThoseOfTheTable(t *testing.T) {
	modules := packed(t,
		"mailbox pgregory.net/rapid v1.3.0",
		"relay github.com/wippyrun/kit/mailbox v0.1.0; gopkg.in/yaml.v3 v3.0.1; example.com/any v1.0.0 // indirect",
		"scheduler example.com/heavy v1.0.0",
		"registry")
	s := trial.SiteOf(nil, modules)
	relay := modules[rules.ModulePath("relay")]
	v := func(path, version string) module.Version { return module.Version{Path: path, Version: version} }
	ours := func(dir string) module.Version { return v(rules.ModulePath(dir), "v0.1.0") }

	check(t, s.CheckModules(relay, []module.Version{ours("relay"), ours("mailbox"), v("gopkg.in/yaml.v3", "v3.0.1"), v("example.com/any", "v1.0.0")}, []module.Version{ours("relay")}))
	check(t, s.CheckModules(relay, []module.Version{ours("relay"), ours("registry")}, nil),
		"kit/registry@v0.1.0 came along")
	check(t, s.CheckModules(relay, []module.Version{ours("relay"), ours("scheduler")}, nil),
		"kit/scheduler@v0.1.0 came along", "kit/scheduler requires example.com/heavy")
	check(t, s.CheckModules(relay, []module.Version{v(rules.ModulePath("mailbox"), "v0.2.0"), ours("nothing")}, nil),
		"kit/mailbox@v0.2.0 is not of this workspace", "kit/nothing@v0.1.0 is not of this workspace")
	check(t, s.CheckModules(modules[rules.ModulePath("scheduler")], []module.Version{ours("scheduler")}, nil),
		"kit/scheduler requires example.com/heavy, which the import table does not allow")
	check(t, s.CheckModules(relay, []module.Version{ours("relay"), ours("mailbox")}, []module.Version{ours("relay"), ours("mailbox")}),
		"kit/mailbox@v0.1.0 is needed, but no go.mod requires it")
}

func TestContentIsThatOfTheWorkspace(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "relay"), 0o777); err != nil {
		t.Fatal(err)
	}
	const goSum = "gopkg.in/yaml.v3 v3.0.1 h1:yaml\ngopkg.in/yaml.v3 v3.0.1/go.mod h1:mod\n"
	if err := os.WriteFile(filepath.Join(root, "relay", "go.sum"), []byte(goSum), 0o666); err != nil {
		t.Fatal(err)
	}
	modules := packed(t, "relay", "mailbox")
	s := trial.SiteOf(&repo.Repo{Root: root}, modules)
	relay := modules[rules.ModulePath("relay")]
	v := func(path, version string) module.Version { return module.Version{Path: path, Version: version} }
	mailbox := modules[rules.ModulePath("mailbox")].Version
	yaml := v("gopkg.in/yaml.v3", "v3.0.1")

	check(t, s.CheckSums(relay, trial.Sums{relay.Version: "h1:relay", mailbox: "h1:mailbox", yaml: "h1:yaml"}))
	check(t, s.CheckSums(relay, trial.Sums{relay.Version: "h1:other", yaml: "h1:mod"}),
		"kit/relay@v0.1.0 has the hash h1:other and not h1:relay", "yaml.v3@v3.0.1 has the hash h1:mod and not h1:yaml")
	check(t, s.CheckSums(relay, trial.Sums{relay.Version: "h1:relay", v("gopkg.in/yaml.v3", "v3.0.2"): "h1:yaml", v(mailbox.Path, "v0.2.0"): "h1:mailbox"}),
		"kit/mailbox@v0.2.0 is neither in go.sum of relay nor of this workspace", "yaml.v3@v3.0.2 is neither in go.sum of relay")
	check(t, s.CheckSums(relay, trial.Sums{yaml: "h1:yaml"}), "kit/relay@v0.1.0 is not part of it")
	check(t, s.CheckSums(modules[mailbox.Path], trial.Sums{mailbox: "h1:mailbox", yaml: "h1:yaml"}), "neither in go.sum of mailbox")
}

func TestModulesForTestsAreNotPartOfAProgram(t *testing.T) {
	rapid := module.Version{Path: "pgregory.net/rapid", Version: "v1.3.0"}
	check(t, trial.CheckNoTestModules(trial.Sums{{Path: "gopkg.in/yaml.v3"}: ""}))
	check(t, trial.CheckNoTestModules(trial.Sums{{Path: "gopkg.in/yaml.v3"}: "", rapid: ""}), "contains pgregory.net/rapid")
}

func TestGraphTellsWhatOnlyTheMainModuleRequires(t *testing.T) {
	all, added := trial.ParseGraph("main go@1.26.0\nmain a@v1.2.0\nmain c@v1.0.0\nmain b@v1.0.0\nb@v1.0.0 a@v1.0.0\nb@v1.0.0 a@v1.2.0\nb@v1.0.0 toolchain@go1.26.0\n")
	a, newer := module.Version{Path: "a", Version: "v1.0.0"}, module.Version{Path: "a", Version: "v1.2.0"}
	b, c := module.Version{Path: "b", Version: "v1.0.0"}, module.Version{Path: "c", Version: "v1.0.0"}
	if !slices.Equal(all, []module.Version{a, newer, b, c}) || !slices.Equal(added, []module.Version{b, c}) {
		t.Errorf("all %v, added %v", all, added)
	}
}

func TestSumsOfGoModFilesAreLeftOut(t *testing.T) {
	name := filepath.Join(t.TempDir(), "go.sum")
	if got, err := trial.ReadSums(name); err != nil || len(got) != 0 {
		t.Errorf("without a file: %v, %v", got, err)
	}
	if err := os.WriteFile(name, []byte("a v1.0.0 h1:zip\na v1.0.0/go.mod h1:mod\nb v1.0.0/go.mod h1:mod\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := trial.ReadSums(name)
	if want := (trial.Sums{{Path: "a", Version: "v1.0.0"}: "h1:zip"}); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestProgramsWithoutEndAreKilled(t *testing.T) {
	if os.Getenv("TRIAL_WAIT_FOR_EVER") != "" { // this is the program
		<-time.After(time.Hour)
	}
	t.Setenv("TRIAL_WAIT_FOR_EVER", "1")
	err := trial.RunWithPatience(t.Context(), time.Millisecond, os.Args[0], "-test.run=^TestProgramsWithoutEndAreKilled$")
	f, ok := errors.AsType[*trial.Failure](err)
	if !ok || f.Step != "run" || !strings.Contains(err.Error(), "still running after 1ms") {
		t.Errorf("error %v", err)
	}
}
