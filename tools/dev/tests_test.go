// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/tools/check/repo"
)

// suite is a module with packages whose tests do all that tests can do.
var suite = map[string]string{
	"go.mod":  "module example.com/m\n\ngo 1.26\n",
	"go.work": "go 1.26\n\nuse .\n",
	"fine/fine_test.go": `package fine

import (
	"fmt"
	"testing"
)

func TestQuiet(t *testing.T) { t.Log("not shown"); fmt.Println("not shown either") }
func TestNoServer(t *testing.T) {
	t.Run("a", func(t *testing.T) { t.Attr("left-out", "Acme Server is not installed") })
	t.Run("b", func(t *testing.T) { t.Attr("left-out", "Acme Server is not installed"); t.Attr("other", "not shown") })
}
`,
	"more/more_test.go": `package more

import "testing"

func TestNoServer(t *testing.T) { t.Attr("left-out", "Acme Server is not installed") }
func TestNoShell(t *testing.T)  { t.Attr("left-out", "acmesh is not installed") }
`,
	"none/none.go": "package none\n",
	"bad/bad_test.go": `package bad

import (
	"fmt"
	"testing"
)

func TestFine(t *testing.T) { fmt.Println("not shown") }
func TestBad(t *testing.T) {
	t.Run("fine", func(t *testing.T) { t.Log("not shown") })
	t.Run("wrong", func(t *testing.T) { fmt.Print("a", "b\n"); t.Error("this is wrong") })
}
`,
	"dies/dies_test.go": `package dies

import "testing"

func TestFine(t *testing.T) { t.Log("not shown") }
func TestDies(t *testing.T) { panic("out of luck") }
`,
	"broken/broken_test.go": "package broken\n\nfunc f() { return 1 }\n",
}

// runTests runs the verb on the packages of the suite.
func runTests(t *testing.T, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range suite {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "")
	t.Setenv("CI", "")
	var out, errs bytes.Buffer
	err := test(t.Context(), environment{&repo.Repo{Root: dir}, &out, &errs}, args)
	return regexp.MustCompile(`\t(\(cached\)|[0-9.]+s)`).ReplaceAllString(out.String(), "\ttime"), err
}

func TestTestsSayWhatTheyLeaveOut(t *testing.T) {
	got, err := runTests(t, "./fine", "./more", "./none")
	packages, rest, _ := strings.Cut(got, "\n\n") // packages are listed as they end
	lines := strings.Split(packages, "\n")
	slices.Sort(lines)
	got = strings.Join(lines, "\n") + "\n\n" + rest
	const want = `?   	example.com/m/none	[no test files]
ok  	example.com/m/fine	time
ok  	example.com/m/more	time

left out on this machine:
  Acme Server is not installed: 3 tests of example.com/m/fine, example.com/m/more
  acmesh is not installed: 1 test of example.com/m/more
With CI=true tests fail when something is not installed; .ci/run installs all of it on Debian.
`
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
	if got, err = runTests(t, "./none", "-count=1"); err != nil || got != "?   \texample.com/m/none\t[no test files]\n" {
		t.Errorf("nothing left out: %v\n%s", err, got)
	}
	if got, err = runTests(t, "-run", "NoShell"); err != nil && !strings.Contains(got, "acmesh is not installed: 1 test") || strings.Contains(got, "Acme Server") {
		t.Errorf("some tests: %v\n%s", err, got)
	}
}

func TestFailuresAreShownInFull(t *testing.T) {
	got, err := runTests(t, "./bad", "./fine")
	if err == nil || strings.Contains(got, "not shown") || strings.Contains(got, "=== ") {
		t.Errorf("%v\n%s", err, got)
	}
	for _, want := range []string{"--- FAIL: TestBad (", "--- FAIL: TestBad/wrong (", "ab\n", "this is wrong", "FAIL\texample.com/m/bad\ttime\n",
		"ok  \texample.com/m/fine\ttime\n", "Acme Server is not installed: 2 tests"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	got, err = runTests(t, "./dies", "./broken")
	if err == nil || strings.Contains(got, "not shown") {
		t.Errorf("%v\n%s", err, got)
	}
	for _, want := range []string{"panic: out of luck", "dies_test.go:6", "FAIL\texample.com/m/dies\ttime\n", "too many return values", "FAIL\texample.com/m/broken [build failed]"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestVerboseTestsShowAll(t *testing.T) {
	got, err := runTests(t, "./fine", "-v")
	if err != nil || !strings.Contains(got, "=== RUN   TestQuiet") || !strings.Contains(got, "not shown either") || !strings.Contains(got, "Acme Server is not installed: 2 tests") {
		t.Errorf("%v\n%s", err, got)
	}
	if got, err = runTests(t, "./fine", "-json"); err != nil || !strings.HasPrefix(got, "{") || strings.Contains(got, "left out on") {
		t.Errorf("%v\n%s", err, got)
	}
}
