// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestEmbed runs the Go program that extends a Lua application.
func TestEmbed(t *testing.T) {
	program := filepath.Join(t.TempDir(), "embed")
	if out, err := exec.Command("go", "build", "-o", program, "./embed").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program)
	cmd.Dir = "embed"
	out, err := cmd.CombinedOutput()
	if want := "9 <nil>\nno price for plums\n"; err != nil || string(out) != want {
		t.Errorf("%v %q", err, out)
	}
}
