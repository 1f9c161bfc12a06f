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

var position = regexp.MustCompile(`^(?:vet: )?(\S+\.(?:go|mod)):(\d+)(?::\d+)?: (.*)$`)

// positions turns the lines "file:line:column: message" of a command's output into
// problems. When there are none, the first line stands for all, and the
// output goes to the log.
func positions(env Env, m *repo.Module, output, fix string) []Problem {
	var out []Problem
	for line := range strings.Lines(output) {
		match := position.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if match == nil {
			continue
		}
		n, err := strconv.Atoi(match[2])
		if err != nil {
			continue
		}
		out = append(out, Problem{File: fromRoot(env, m, match[1]), Line: n, Message: match[3], Fix: fix})
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

// firstRemark returns the first line of output that says something.
func firstRemark(output string) string {
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "go: downloading ") && !strings.HasPrefix(line, "# ") {
			return line
		}
	}
	return "failed without a word"
}
