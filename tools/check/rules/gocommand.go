// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/tools/check/repo"
)

// alone runs a command in a module's directory as if the module were not part of a
// workspace. It returns the output of both streams and whether the command
// succeeded; the error is for a command that could not be run.
func alone(ctx context.Context, env Env, m *repo.Module, name string, args ...string) (output string, ok bool, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = filepath.Join(env.Repo.Root, filepath.FromSlash(m.Dir))
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	err = cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		if ctx.Err() != nil {
			return "", false, ctx.Err()
		}
		return buf.String(), false, nil
	}
	return buf.String(), err == nil, err
}

// eachModule runs one command in every module that has Go files and turns the output of those
// that fail into problems.
func eachModule(ctx context.Context, env Env, fix, name string, args ...string) ([]Problem, error) {
	var out []Problem
	for _, m := range env.Repo.Modules {
		if !hasGo(m) {
			continue
		}
		output, ok, err := alone(ctx, env, m, name, args...)
		if err != nil {
			return nil, err
		}
		if !ok {
			out = append(out, positions(env, m, output, fix)...)
		}
	}
	return out, nil
}

// hasGo reports whether a module has Go files; go commands fail on one without.
func hasGo(m *repo.Module) bool {
	for _, f := range m.Files {
		if f.IsGo() {
			return true
		}
	}
	return false
}

var (
	position = regexp.MustCompile(`^(?:vet: )?(\S+\.(?:go|mod)):(\d+)(?::\d+)?: (.*)$`)
	lacking  = regexp.MustCompile(`(?:missing go\.sum entry for module providing package|no required module provides package) ([^\s;]+)`)
)

// positions turns the lines "file:line:column: message" of a command's output into
// problems. When there are none, the first line stands for all, and the output
// goes to the log. Packages that no requirement provides are one problem together:
// the go command repeats them for each importer.
func positions(env Env, m *repo.Module, output, fix string) []Problem {
	var out []Problem
	var packages []string
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		if match := lacking.FindStringSubmatch(line); match != nil {
			packages = append(packages, match[1])
			continue
		}
		match := position.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		n, err := strconv.Atoi(match[2])
		if err != nil {
			continue
		}
		p := Problem{File: fromRoot(env, m, match[1]), Line: n, Message: match[3], Fix: fix}
		if !within(p.File, m.Dir) {
			p.Message += " (seen from " + m.Dir + ")"
		}
		out = append(out, p)
	}
	if len(packages) > 0 {
		slices.Sort(packages)
		out = append(out, Problem{File: m.GoMod(), Message: "no requirement provides " + strings.Join(slices.Compact(packages), ", "),
			Fix: "run GOWORK=off go mod tidy in " + m.Dir})
	}
	if len(out) == 0 {
		fmt.Fprint(env.Log, output)
		out = append(out, Problem{File: m.GoMod(), Message: firstRemark(output), Fix: fix})
	}
	return out
}

// fromRoot makes a path that a command printed, absolute or relative to the
// module, relative to the root.
func fromRoot(env Env, m *repo.Module, file string) string {
	if filepath.IsAbs(file) {
		if rel, err := filepath.Rel(env.Repo.Root, file); err == nil {
			return filepath.ToSlash(rel)
		}
		return file
	}
	return path.Join(m.Dir, filepath.ToSlash(file))
}

// progress are the beginnings of lines by which go commands tell what they do.
var progress = []string{"# ", "go: downloading ", "go: finding ", "go: found "}

// firstRemark returns the first line of output that says what is wrong.
func firstRemark(output string) string {
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" && !slices.ContainsFunc(progress, func(p string) bool { return strings.HasPrefix(line, p) }) {
			return line
		}
	}
	return "failed without a word"
}
