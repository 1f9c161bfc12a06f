// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// The use cases of commands that the runtime knows. A command of another use case is
// found by its name alone.
const (
	UseRun  = "run"
	UseTest = "test"
)

// Command is a process entry that can be started by name: one with meta.command.
type Command struct {
	Name, Short string
	// UseCase is UseRun unless the entry says otherwise.
	UseCase string
	// Main marks the one that is meant when nobody names one.
	Main  bool
	Entry registry.ID
}

// Commands lists the commands the application's entries declare, in load
// order, without starting anything.
func Commands(o Options) ([]Command, error) {
	p, err := Inspect(context.Background(), o)
	if err != nil {
		return nil, err
	}
	return commandsOf(slices.Values(p.Entries)), nil
}

func commandsOf(entries func(yield func(registry.Entry) bool)) []Command {
	var out []Command
	for e := range entries {
		if !strings.HasPrefix(e.Kind, "process.") {
			continue
		}
		meta, ok := e.Meta["command"].(map[string]any)
		if !ok {
			continue
		}
		c := Command{Entry: e.ID}
		c.Name, _ = meta["name"].(string)
		c.Short, _ = meta["short"].(string)
		c.UseCase, _ = meta["use_case"].(string)
		c.UseCase = cmp.Or(c.UseCase, UseRun)
		c.Main, _ = meta["main"].(bool)
		if c.Name != "" {
			out = append(out, c)
		}
	}
	return out
}

// Command finds the entry id of a command by name. Commands of the use case UseRun come
// before others of the same name; two of them are an error.
func (r *Runtime) Command(name string) (string, error) {
	commands := commandsOf(r.registry.Snapshot().All())
	named := having(commands, func(c Command) bool { return c.Name == name })
	if run := having(named, func(c Command) bool { return c.UseCase == UseRun }); len(run) > 0 {
		named = run
	}
	switch len(named) {
	case 1:
		return named[0].Entry.String(), nil
	case 0:
		var names []string
		for _, c := range commands {
			names = append(names, c.Name)
		}
		text := fmt.Sprintf("command %q not found. Use 'wippy run list' to see available commands", name)
		if h := suggest.Hint(name, names); h != "" {
			text += "\n  hint: " + h
		}
		return "", fault.New(fault.NotFound, text)
	}
	return "", fault.New(fault.Invalid, fmt.Sprintf("command %q is declared by several entries: %s\n  hint: run one of them by its id: wippy run -x %s",
		name, entriesOf(named), named[0].Entry))
}

// Test finds the entry that tests the application: of the commands whose use case is
// UseTest the one that has the given name, or, when none has, the one that is marked as
// main, or the only one. named tells that it was chosen by the name.
func (r *Runtime) Test(name string) (id string, named bool, err error) {
	tests := having(commandsOf(r.registry.Snapshot().All()), func(c Command) bool { return c.UseCase == UseTest })
	if len(tests) == 0 {
		return "", false, fault.New(fault.NotFound, `no test command found
  hint: mark a process entry with meta: {command: {name: test, use_case: test}}`)
	}
	chosen := having(tests, func(c Command) bool { return name != "" && c.Name == name })
	named = len(chosen) > 0
	if !named {
		chosen = having(tests, func(c Command) bool { return c.Main })
	}
	if len(chosen) == 0 && len(tests) == 1 {
		chosen = tests
	}
	switch len(chosen) {
	case 1:
		return chosen[0].Entry.String(), named, nil
	case 0:
		return "", false, fault.New(fault.Invalid, "several test commands: "+entriesOf(tests)+"\n  hint: name one: wippy test "+tests[0].Name+", or mark one with main: true")
	}
	return "", false, fault.New(fault.Invalid, "several test commands of that kind: "+entriesOf(chosen)+"\n  hint: give them different names, and main: true to one")
}

func having(commands []Command, f func(Command) bool) []Command {
	var out []Command
	for _, c := range commands {
		if f(c) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Command) int { return a.Entry.Compare(b.Entry) })
	return out
}

func entriesOf(commands []Command) string {
	ids := make([]string, len(commands))
	for i, c := range commands {
		ids[i] = c.Name + " (" + c.Entry.String() + ")"
	}
	return strings.Join(ids, ", ")
}
