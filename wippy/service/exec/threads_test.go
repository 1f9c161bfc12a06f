// SPDX-License-Identifier: Apache-2.0

//go:build linux

package exec_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/service/exec"
)

// threads counts those of this program.
func threads(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nThreads:\t")
	n, err := strconv.Atoi(strings.SplitN(rest, "\n", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCommandsTakeNoThreads: a thread for each command would end the program at ten thousand of them.
func TestCommandsTakeNoThreads(t *testing.T) {
	e := executor(t, exec.Config{})
	before := threads(t)
	const many = 150
	var all []*exec.Process
	for range many {
		p := command(t, e, "sleep 60", exec.Options{})
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if now := threads(t); now > before+many/3 {
		t.Errorf("%d threads before, %d with %d commands", before, now, many)
	}
	for _, p := range all {
		p.Kill(true)
	}
	for _, p := range all {
		if code, err := p.Wait(); code != -1 || err != nil {
			t.Errorf("%d, %v", code, err)
		}
	}
}
