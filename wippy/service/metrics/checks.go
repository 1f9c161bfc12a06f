// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Checks are health checks by name. All methods may be called concurrently. The zero value has none.
type Checks struct {
	mu     sync.Mutex // guards checks
	checks map[string]func() error
}

// Add adds a check, or replaces the one of that name. It is called whenever somebody asks, possibly
// concurrently, and must return soon; nil means that all is well.
func (c *Checks) Add(name string, check func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.checks == nil {
		c.checks = map[string]func() error{}
	}
	c.checks[name] = check
}

// Remove takes a check out.
func (c *Checks) Remove(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.checks, name)
}

// Report has a line for each check, by name: "name<TAB>ok" or "name<TAB>fail: reason". ok tells whether
// all is well. A check that panics fails.
func (c *Checks) Report() (text string, ok bool) {
	if c == nil {
		return "", true
	}
	c.mu.Lock()
	checks := maps.Clone(c.checks)
	c.mu.Unlock()
	var b strings.Builder
	ok = true
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if err := run(checks[name]); err != nil {
			ok = false
			fmt.Fprintf(&b, "%s\tfail: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Fprintf(&b, "%s\tok\n", name)
		}
	}
	return b.String(), ok
}

func run(check func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return check()
}
