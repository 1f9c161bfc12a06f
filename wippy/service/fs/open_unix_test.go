// SPDX-License-Identifier: Apache-2.0

//go:build unix

package fs_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNamedPipesAreNotOpened would hang if they were.
func TestNamedPipesAreNotOpened(t *testing.T) {
	d, path := place(t, 0o755)
	if err := syscall.Mkfifo(filepath.Join(path, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []int{os.O_RDONLY, os.O_RDWR} {
		if f, err := d.OpenFile("pipe", flag, 0); err == nil || !strings.Contains(err.Error(), "neither a regular file nor a directory") {
			t.Errorf("open: %v, %v", f, err)
		}
	}
	if _, err := d.OpenFile("pipe", os.O_WRONLY, 0); err == nil {
		t.Error("opened for writing")
	}
	if info, err := d.Stat("pipe"); err != nil || info.Mode().IsRegular() {
		t.Errorf("stat: %v", err)
	}
}
