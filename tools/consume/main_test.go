// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// workspace is a small one of the right shape: two primitives, one of which needs
// the other, and the program.
const workspace = `
-- go.work --
go 1.26.0

use (
	./mailbox
	./relay
	./wippy
)
-- LICENSE --
a licence
-- mailbox/go.mod --
module github.com/wippyrun/kit/mailbox

go 1.26.0
-- mailbox/README.md --
# mailbox

~~~go
fmt.Println(mailbox.Word)
// Output: mail
~~~
-- mailbox/mailbox.go --
// Package mailbox is a package.
package mailbox

// Word is a word.
const Word = "mail"
-- mailbox/example_test.go --
package mailbox_test

import "github.com/wippyrun/kit/mailbox"

var _ = mailbox.Word
-- relay/go.mod --
module github.com/wippyrun/kit/relay

go 1.26.0

require github.com/wippyrun/kit/mailbox v0.1.0

replace github.com/wippyrun/kit/mailbox => ../mailbox
-- relay/README.md --
# relay

~~~go
package main

import (
	"fmt"

	"github.com/wippyrun/kit/relay"
)

func main() {
	fmt.Println(relay.Word())
	// Output: relay mail
}
~~~
-- relay/relay.go --
// Package relay is a package.
package relay

import "github.com/wippyrun/kit/mailbox"

// Word returns words.
func Word() string { return "relay " + mailbox.Word }
-- relay/sub/sub.go --
// Package sub is not used by the README.
package sub

import _ "embed"

// Text is embedded.
//
//go:embed text.txt
var Text string
-- relay/sub/text.txt --
text
-- wippy/go.mod --
module github.com/wippyrun/kit/wippy

go 1.26.0

require github.com/wippyrun/kit/relay v0.1.0

require github.com/wippyrun/kit/mailbox v0.1.0 // indirect

replace github.com/wippyrun/kit/relay => ../relay

replace github.com/wippyrun/kit/mailbox => ../mailbox
-- wippy/cmd/wippy/main.go --
// Command wippy prints its version.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/wippyrun/kit/relay"
)

func main() {
	info, _ := debug.ReadBuildInfo()
	fmt.Println(os.Args[1], info.Main.Version, relay.Word())
}
`

// extract writes the workspace after the given replacements of text, old and new in
// turn, and returns its root.
func extract(t *testing.T, replace ...string) string {
	t.Helper()
	root := t.TempDir()
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(workspace, replace[i]) {
			t.Fatalf("the workspace has no %q", replace[i])
		}
	}
	for _, f := range txtar.Parse([]byte(strings.NewReplacer(replace...).Replace(workspace))).Files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// runOn runs the program on a workspace.
func runOn(t *testing.T, root string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), append([]string{"-C", root, "-only", "mailbox,relay,wippy"}, args...), &out, &log)
	return code, out.String(), log.String()
}

var (
	passed  = regexp.MustCompile(`consume: (\w+) +\d+ms  ok\n`)
	problem = regexp.MustCompile(`^(mailbox|relay|wippy): \w+: `)
)

func TestAWorkspaceThatIsWholeIsConsumed(t *testing.T) {
	code, stdout, stderr := runOn(t, extract(t))
	if n := len(passed.FindAllString(stderr, -1)); code != 0 || stdout != "" || n != 3 || !strings.Contains(stderr, "ms  3 modules\n") {
		t.Errorf("exit %d, %d passed\nstdout: %s\nstderr: %s", code, n, stdout, stderr)
	}
}

// TestTheWorkspaceIsLeftAsItIs has a go.mod that the go command would correct.
func TestTheWorkspaceIsLeftAsItIs(t *testing.T) {
	root := extract(t, "kit/wippy\n\ngo 1.26.0\n", "kit/wippy\n\ngo 1.25.0\n") // older than that of relay
	before := snapshot(t, root)
	code, stdout, stderr := runOn(t, root)
	for name, content := range snapshot(t, root) {
		if before[name] != content {
			t.Errorf("%s was\n%s\nand is\n%s", name, before[name], content)
		}
	}
	if code != 0 {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
	}
}

// snapshot reads all files below a directory.
func snapshot(t *testing.T, root string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWhatAUserWouldMeetIsFound breaks one thing at a time that the workspace
// itself does not notice.
func TestWhatAUserWouldMeetIsFound(t *testing.T) {
	tests := []struct {
		name    string
		replace []string
		args    []string
		only    string
		failed  string
		stdout  []string
	}{
		{
			name: "wrong version of a sibling",
			args: []string{"-wrong", "mailbox=v0.9.9"},
			only: "mailbox,relay,wippy", failed: "2 of 3",
			stdout: []string{
				"relay: get: go get github.com/wippyrun/kit/relay@v0.1.0: exit status 1\n\t",
				"wippy: install: go install github.com/wippyrun/kit/wippy/cmd/wippy@v0.1.0: exit status 1\n\t",
				"github.com/wippyrun/kit/mailbox@v0.9.9: reading file:",
			},
		},
		{
			name: "wrong version of what only the program needs",
			args: []string{"-wrong", "relay=v0.9.9"},
			only: "mailbox,relay,wippy", failed: "1 of 3",
			stdout: []string{"wippy: install: ", "relay@v0.9.9"},
		},
		{
			name: "requirement missing",
			replace: []string{
				"require github.com/wippyrun/kit/mailbox v0.1.0\n\nreplace github.com/wippyrun/kit/mailbox => ../mailbox\n-- relay/R",
				"-- relay/R",
			},
			only: "relay", failed: "1 of 1",
			stdout: []string{"relay: modules: github.com/wippyrun/kit/mailbox@v0.1.0 is needed, but no go.mod requires it"},
		},
		{
			name: "sibling that the table does not allow",
			replace: []string{
				"module github.com/wippyrun/kit/mailbox\n",
				"module github.com/wippyrun/kit/mailbox\n\nrequire github.com/wippyrun/kit/wippy v0.1.0\n\n" +
					"replace github.com/wippyrun/kit/wippy => ../wippy\n\nreplace github.com/wippyrun/kit/relay => ../relay\n",
			},
			only: "mailbox,relay,wippy", failed: "2 of 3",
			stdout: []string{
				"mailbox: modules: github.com/wippyrun/kit/mailbox requires github.com/wippyrun/kit/wippy, which",
				"kit/wippy@v0.1.0 came along, which the import table does not allow",
			},
		},
		{
			name:    "README does not compile",
			replace: []string{"mailbox.Word)", "mailbox.Gone)"},
			only:    "mailbox", failed: "1 of 1",
			stdout: []string{"mailbox: build: ", "README.md:4:", "undefined: mailbox.Gone", "surroundings/mailbox.go.txt"},
		},
		{
			name:    "README is not Go",
			replace: []string{"fmt.Println(mailbox.Word)", "fmt.Println(mailbox.Word"},
			only:    "mailbox", failed: "1 of 1",
			stdout: []string{"mailbox: readme: README.md:"},
		},
		{
			name:    "README has no example",
			replace: []string{"~~~go\nfmt", "~~~sh\nfmt"},
			only:    "mailbox", failed: "1 of 1",
			stdout: []string{"mailbox: readme: mailbox/README.md has no ```go block"},
		},
		{
			name:    "example prints something else",
			replace: []string{"Output: relay mail", "Output: relay"},
			only:    "relay", failed: "1 of 1",
			stdout: []string{"relay: output: printed\n\t\trelay mail\n\tand not\n\t\trelay\n"},
		},
		{
			name:    "example prints nothing",
			replace: []string{"fmt.Println(relay.Word())\n\t// Output: relay mail", "_ = relay.Word()\n\t_ = fmt.Sprint()"},
			only:    "relay", failed: "1 of 1",
			stdout: []string{"relay: output: printed nothing"},
		},
		{
			name:    "example fails",
			replace: []string{"fmt.Println(relay.Word())", "fmt.Println(relay.Word())\n\tpanic(\"no\")"},
			only:    "relay", failed: "1 of 1",
			stdout: []string{"relay: run: ", "exit status 2\n\trelay mail\n\tpanic: no"},
		},
		{
			name:    "program does not know its version",
			replace: []string{"info.Main.Version", "len(info.Main.Version)"},
			only:    "wippy", failed: "1 of 1",
			stdout: []string{"wippy: output: wippy version does not name v0.1.0"},
		},
		{
			name:    "program fails",
			replace: []string{"os.Args[1], ", "os.Args[2], "},
			only:    "wippy", failed: "1 of 1",
			stdout: []string{"wippy: run: ", "index out of range"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := runOn(t, extract(t, tt.replace...), append(tt.args, "-only", tt.only)...)
			if code != 1 || !strings.Contains(stderr, "consume: "+tt.failed+" failed\n") {
				t.Errorf("exit %d, stderr: %s", code, stderr)
			}
			for _, part := range tt.stdout {
				if !strings.Contains(stdout, part) {
					t.Errorf("no %q in stdout: %s", part, stdout)
				}
			}
			for line := range strings.Lines(stdout) {
				if strings.Contains(line, "go: downloading") || !strings.HasPrefix(line, "\t") && !problem.MatchString(line) {
					t.Errorf("stdout has the line %q", line)
				}
			}
		})
	}
}

// TestFilesThatGitIgnoresAreMissed has a package that builds on one machine only.
func TestFilesThatGitIgnoresAreMissed(t *testing.T) {
	root := extract(t, "-- LICENSE --", "-- .gitignore --\n*.txt\n-- LICENSE --")
	if out, err := exec.Command("git", "-C", root, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	code, stdout, stderr := runOn(t, root)
	if code != 1 || !strings.Contains(stderr, "consume: 1 of 3 failed\n") ||
		!strings.Contains(stdout, "relay: packages: go build github.com/wippyrun/kit/relay/...: ") ||
		!strings.Contains(stdout, "pattern text.txt: no matching files found") {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	root := extract(t)
	tests := []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"help", []string{"-h"}, 0, "-wrong module=version"},
		{"unknown flag", []string{"-nope"}, 2, "flag provided but not defined"},
		{"unknown name", []string{"-only", "mailbox,nope"}, 2, "nothing to try is named nope"},
		{"nothing left", []string{"-only", "wippy", "-wippy=false"}, 2, "nothing to try"},
		{"no version", []string{"-wrong", "mailbox"}, 2, "-wrong mailbox: want module=vX.Y.Z"},
		{"not required", []string{"-C", root, "-wrong", "eventbus=v0.9.9"}, 2, "no module requires github.com/wippyrun/kit/eventbus"},
		{"impossible version", []string{"-C", root, "-wrong", "mailbox=v9.0.0"}, 2, "should be v0 or v1, not v9"},
		{"no workspace", []string{"-C", t.TempDir()}, 2, "no go.work at or above"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), tt.args, &stdout, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.stderr) || stdout.Len() > 0 {
				t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, &stdout, &stderr)
			}
		})
	}
}

func TestWhatWasMadeIsKeptOnDemand(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp) // of Windows
	root := extract(t)
	if code, stdout, stderr := runOn(t, root, "-only", "mailbox"); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	_, _, stderr := runOn(t, root, "-only", "mailbox", "-keep")
	_, at, ok := strings.Cut(strings.TrimSpace(stderr), "consume: kept ")
	for _, name := range []string{"proxy/github.com/wippyrun/kit/mailbox/@v/v0.1.0.zip", "site/library/mailbox/main.go"} {
		if _, err := os.Stat(filepath.Join(at, filepath.FromSlash(name))); !ok || err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
