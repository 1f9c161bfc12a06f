// SPDX-License-Identifier: Apache-2.0

package exec

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Errors of [Executor.Command].
var (
	// ErrNotAllowed means that the executor has a whitelist without that command.
	ErrNotAllowed = fault.New(fault.PermissionDenied, "command not allowed").Final()
	// ErrNoCommand means that the command line names no program.
	ErrNoCommand = fault.New(fault.Invalid, "command is required").Final()
)

// Config is what an executor gives to its commands.
type Config struct {
	Dir       string            // where they run, "" for this program's own directory
	Env       map[string]string // their variables
	Whitelist []string          // whole command lines; empty allows all
}

// Executor makes processes. It is immutable and may be used concurrently.
type Executor struct {
	config Config
	group  *running
}

// Options are those of one command.
type Options struct {
	Dir string            // instead of the executor's; relative to its
	Env map[string]string // over the executor's
}

// Command makes a process of a command line; it does not start it.
func (e *Executor) Command(line string, o Options) (*Process, error) {
	if len(e.config.Whitelist) > 0 && !slices.Contains(e.config.Whitelist, line) {
		return nil, ErrNotAllowed.With("command", line)
	}
	args := Split(line)
	if len(args) == 0 {
		return nil, ErrNoCommand
	}
	env, err := environment(e.config.Env, o.Env)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = e.directory(o.Dir), env
	ownGroup(cmd)
	return &Process{cmd: cmd, group: e.group, ended: make(chan struct{})}, nil
}

func (e *Executor) directory(own string) string {
	if own == "" || filepath.IsAbs(own) {
		return cmpDir(own, e.config.Dir)
	}
	return filepath.Join(e.config.Dir, own)
}

func cmpDir(own, standard string) string {
	if own == "" {
		return standard
	}
	return filepath.Clean(own)
}

// environment is the environment of a command, sorted. It is never nil, which would mean that
// of this program.
func environment(standard, own map[string]string) ([]string, error) {
	all := maps.Clone(standard)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, own)
	env := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(all[name], "\x00") {
			return nil, fault.New(fault.Invalid, "invalid environment variable: "+strings.ReplaceAll(name, "\x00", `\0`)).Final()
		}
		env = append(env, name+"="+all[name])
	}
	return env, nil
}
