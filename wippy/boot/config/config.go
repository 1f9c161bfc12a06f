// SPDX-License-Identifier: Apache-2.0

// Package config reads `.wippy.yaml`: sections of dotted keys with typed
// getters that fall back to a default.
//
// Files are merged leaf by leaf, later files win; profiles named by the caller are
// laid over them in order; Set puts a value above all of that. References such as
// ${port} take values of the section vars, ${env:NAME} those of the environment of
// the program. Every value knows where it was written, for the errors of those who
// read it. A Config is written by one goroutine while the program starts and is
// read-only afterwards.
package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// DefaultFile is the name looked for in the project directory. It may be
// missing; a file named explicitly must exist.
const DefaultFile = ".wippy.yaml"

// Config holds the merged sections. Inside a section nested maps are flattened
// to dotted keys, so `supervisor: {host: {worker_count: 4}}` is key
// "host.worker_count" of section "supervisor".
type Config struct {
	sections map[string]map[string]any
	places   map[string]map[string]string // like sections: where a value was written
}

// New returns an empty configuration: every getter answers its default.
func New() *Config {
	return &Config{sections: map[string]map[string]any{}, places: map[string]map[string]string{}}
}

// Set stores value under section and key, replacing what files said. A map
// value is flattened.
func (c *Config) Set(section, key string, value any) { c.SetAt(section, key, value, "") }

// SetAt is Set for a value that was written at a place, such as the name of a flag.
func (c *Config) SetAt(section, key string, value any, place string) {
	if c.sections[section] == nil {
		c.sections[section], c.places[section] = map[string]any{}, map[string]string{}
	}
	if m, ok := value.(map[string]any); ok {
		for k, v := range m {
			c.SetAt(section, key+"."+k, v, place)
		}
		return
	}
	c.sections[section][key], c.places[section][key] = value, place
}

// Position returns "file:line:column" of the key, the flag that set it, or "" when
// neither is known. For a map it is the place of its first key in byte order.
func (c *Config) Position(section, key string) string {
	if place, ok := c.places[section][key]; ok {
		return place
	}
	for _, k := range slices.Sorted(maps.Keys(c.places[section])) {
		if strings.HasPrefix(k, key+".") {
			return c.places[section][k]
		}
	}
	return ""
}

// SetFlag applies one `section.path=value` argument of --set. The value becomes
// a bool, an integer or a float when its text is exactly one, else a string.
func (c *Config) SetFlag(arg string) error {
	path, text, ok := strings.Cut(arg, "=")
	if !ok {
		return fmt.Errorf("invalid --set %q: expected section.path=value", arg)
	}
	section, key, ok := strings.Cut(path, ".")
	if !ok || section == "" || key == "" {
		return fmt.Errorf("invalid --set %q: key must be section.path (e.g. cluster.enabled)", arg)
	}
	c.SetAt(section, key, ParseScalar(text), "--set")
	return nil
}

// Section returns a copy of one section's flattened keys, never nil.
func (c *Config) Section(name string) map[string]any {
	if s := c.sections[name]; s != nil {
		return maps.Clone(s)
	}
	return map[string]any{}
}

// Sections lists the names of all sections in byte order.
func (c *Config) Sections() []string { return slices.Sorted(maps.Keys(c.sections)) }

// Sub returns the keys of a section below prefix, without it: the nested map
// that was written there.
func (c *Config) Sub(section, prefix string) map[string]any {
	out := map[string]any{}
	for k, v := range c.sections[section] {
		if rest, ok := strings.CutPrefix(k, prefix+"."); ok {
			out[rest] = v
		}
	}
	return out
}

// Has tells whether the key is set at all.
func (c *Config) Has(section, key string) bool {
	_, ok := c.sections[section][key]
	return ok
}

// String returns a string value, or def when the key is missing or of another
// type.
func (c *Config) String(section, key, def string) string {
	if v, ok := c.sections[section][key].(string); ok {
		return v
	}
	return def
}

// Bool returns a boolean value, or def when the key is missing or of another
// type.
func (c *Config) Bool(section, key string, def bool) bool {
	if v, ok := c.sections[section][key].(bool); ok {
		return v
	}
	return def
}

// Int returns an integer value, given as an integer or a whole number, or def.
func (c *Config) Int(section, key string, def int) int {
	switch v := c.sections[section][key].(type) {
	case int:
		return v
	case int64:
		return int(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return int(v)
		}
	}
	return def
}

// Duration returns a duration written as a string such as "30s", or def.
func (c *Config) Duration(section, key string, def time.Duration) time.Duration {
	if v, ok := c.sections[section][key].(string); ok {
		if d, err := time.ParseDuration(v); err == nil {
			return d
		}
	}
	return def
}

// Strings returns a list of strings; a single string counts as a list of one.
func (c *Config) Strings(section, key string) []string {
	switch v := c.sections[section][key].(type) {
	case string:
		return []string{v}
	case []any:
		out := make([]string, 0, len(v))
		for _, item := range v {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
