// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/luart/engine"
)

// blocked are the classes of modules that source does not get unless its caller allows them.
var blocked = []string{"process", "storage", "network"}

// builtin are the libraries that every program has, with their classes. They can be listed like modules.
var builtin = map[string][]string{
	"channel": {"process"}, "payload": {"encoding", "deterministic"}, "os": {"time", "workflow"},
	"coroutine": nil, "errors": nil, "math": nil, "package": nil, "string": nil, "table": nil,
}

// guarded are the globals of every program that source has only with the module channel.
var guarded = []string{"channel", "subscribe", "unsubscribe"}

// catalog is what source may be given: names with their classes.
type catalog map[string][]string

func newCatalog(e *engine.Engine) catalog {
	c := catalog(maps.Clone(builtin))
	for _, name := range e.Modules() {
		m, _ := e.Module(name)
		c[name] = m.Classes
	}
	return c
}

// forbidden returns the first class of a module that is blocked, "" for none.
func (c catalog) forbidden(name string, allowed []string) string {
	for _, class := range c[name] {
		if slices.Contains(blocked, class) && !slices.Contains(allowed, class) {
			return class
		}
	}
	return ""
}

// select returns the names of the modules that source gets: those listed, or all that are not blocked.
func (c catalog) choose(listed, allowed []string) ([]string, error) {
	if len(listed) == 0 {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(c)) {
			if c.forbidden(name, allowed) == "" {
				all = append(all, name)
			}
		}
		return all, nil
	}
	for _, name := range listed {
		if err := c.known(name); err != nil {
			return nil, err
		}
		if class := c.forbidden(name, allowed); class != "" {
			return nil, fmt.Errorf("module %q has forbidden class %q", name, class)
		}
	}
	return listed, nil
}

// known fails for a module that does not exist.
func (c catalog) known(name string) error {
	if _, ok := c[name]; ok {
		return nil
	}
	return fmt.Errorf("module %q is not available (have %d modules: %s)", name, len(c), strings.Join(slices.Sorted(maps.Keys(c)), ", "))
}
