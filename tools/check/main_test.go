// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes a workspace with one module that has one problem.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.work":       "go 1.26.0\n\nuse ./appctx\n",
		"appctx/go.mod": "module github.com/wippyrun/kit/appctx\n\ngo 1.26.0\n",
		"appctx/x.go":   "package  appctx\n",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestRunPrintsProblemsAndTheExitCode(t *testing.T) {
	root := tree(t)
	tests := []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"problem", []string{"-C", filepath.Join(root, "appctx"), "-only", "gofmt"}, 1,
			"appctx/x.go:1: not formatted; run gofmt -w appctx/x.go [gofmt]\n", "check: 1 problem\n"},
		{"clean", []string{"-C", root, "-only", "modules,imports"}, 0, "", "imports"},
		{"several", []string{"-C", root, "-only", "doc,gofmt"}, 1, "[doc]\n", "check: 2 problems\n"},
		{"list", []string{"-list", "-only", "gofmt"}, 0, "gofmt        Go files are formatted by gofmt\n", ""},
		{"unknown rule", []string{"-only", "gofmt,nope"}, 2, "", "no rule named nope"},
		{"unknown flag", []string{"-nope"}, 2, "", "flag provided but not defined"},
		{"no workspace", []string{"-C", t.TempDir()}, 2, "", "no go.work at or above"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), tt.args, &stdout, &stderr)
			if code != tt.code || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, &stdout, &stderr)
			}
		})
	}
}

func TestRunReportsABrokenWorkspace(t *testing.T) {
	root := tree(t)
	for _, name := range []string{"appctx/go.mod", "go.work"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte("nonsense\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{"-C", root}, &stdout, &stderr); code != 2 || !strings.Contains(stderr.String(), name+":1") {
			t.Errorf("%s: exit %d, stderr: %s", name, code, &stderr)
		}
	}
}
