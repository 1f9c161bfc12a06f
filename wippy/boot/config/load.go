// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/wippy/system/suggest"
)

// Known lists the sections the runtime reads. Others are kept, because an
// application may read its own, but Load reports the ones that look mistyped.
var Known = []string{
	"logger", "logmanager", "profiler", "control", "security", "registry", "relay", "supervisor", "lua", "finder", "shutdown",
	"metrics", "prometheus", "dispatcher", "override", "disable", "network_service", "modules", "extensions", "lsp",
	"otel", "cluster", "control", "boot", "vars", "profiles", "workspace",
}

// Load merges the given files, left to right, over an empty configuration, and the
// named profiles over the result, in this order. With no files it reads DefaultFile in
// dir when that exists. Relative names are taken from dir. The returned warnings name
// sections that look mistyped.
//
// The sections vars and profiles are not part of the result. The error names every
// place where a reference cannot be resolved.
func Load(dir string, files, profiles []string) (c *Config, warnings []string, err error) {
	var l layers
	explicit := len(files) > 0
	if !explicit {
		files = []string{DefaultFile}
	}
	for _, name := range files {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, name)
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && !explicit {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read configuration: %w", err)
		}
		if err := l.read(path, text); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range profiles {
		if err := l.use(name); err != nil {
			return nil, nil, err
		}
	}
	c, err = l.config()
	if err != nil {
		return nil, nil, err
	}
	if len(l.files) > 0 {
		if abs, err := filepath.Abs(l.files[0]); err == nil {
			c.Set("boot", "config_path", abs)
			c.Set("boot", "config_dir", filepath.Dir(abs))
		}
	}
	return c, l.warnings, nil
}

// leaf is one value of a file with its place.
type leaf struct {
	value any
	place *Error // without message
}

// sheet is sections of flattened keys.
type sheet map[string]map[string]leaf

func (s sheet) set(section, key string, l leaf) {
	if s[section] == nil {
		s[section] = map[string]leaf{}
	}
	s[section][key] = l
}

// layers is what the files say: the base and the profiles.
type layers struct {
	files    []string
	base     sheet
	profiles map[string]sheet
	warnings []string
}

// profileEdits are the keys of a profile that change a list instead of replacing it.
var profileEdits = map[string]string{
	"namespaces.add": "namespaces", "namespaces.remove": "namespaces", "entries.add": "entries", "entries.remove": "entries",
}

// use lays a profile over the base.
func (l *layers) use(name string) error {
	profile, ok := l.profiles[name]
	if !ok {
		names := slices.Sorted(maps.Keys(l.profiles))
		hint := suggest.Hint(name, names)
		switch {
		case hint != "":
		case len(names) == 0:
			hint = "no configuration file has a section profiles"
		default:
			hint = "profiles: " + strings.Join(names, ", ")
		}
		return fmt.Errorf("unknown profile %q\n  hint: %s", name, hint)
	}
	for _, section := range slices.Sorted(maps.Keys(profile)) {
		keys := profile[section]
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			next := keys[key]
			if text, _ := next.value.(string); section == "vars" && strings.Contains(text, "${env:") {
				return next.place.saying(fmt.Sprintf("vars.%s of profile %q: ${env:…} is not allowed in the vars of a profile", key, name), "move it to the section vars of the file")
			}
			list := profileEdits[key]
			if section != "disable" || list == "" {
				l.base.set(section, key, next)
				continue
			}
			edited, err := edit(l.base[section][list].value, next, strings.HasSuffix(key, ".add"))
			if err != nil {
				return err
			}
			l.base.set(section, list, leaf{value: edited, place: next.place})
		}
	}
	return nil
}

// edit adds items to a list or removes them from it.
func edit(list any, change leaf, add bool) ([]any, error) {
	items, err := itemsOf(change.value)
	if err != nil {
		return nil, change.place.saying(err.Error(), "")
	}
	out, _ := itemsOf(list) // what is wrong with the base is told by those who read it
	out = slices.Clone(out)
	for _, item := range items {
		has := slices.Contains(out, item)
		if add && !has {
			out = append(out, item)
		} else if !add && has {
			out = slices.DeleteFunc(out, func(v any) bool { return v == item })
		}
	}
	return out, nil
}

func itemsOf(v any) ([]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []any{v}, nil
	case []any:
		for _, item := range v {
			if _, ok := item.(string); !ok {
				return nil, fmt.Errorf("must be a list of strings, has a %T", item)
			}
		}
		return v, nil
	}
	return nil, fmt.Errorf("must be a list of strings, got %T", v)
}

// ParseScalar gives text its natural type: true and false, canonical integers,
// floats (with a dot or an exponent), else the string itself.
func ParseScalar(text string) any {
	switch text {
	case "true":
		return true
	case "false":
		return false
	}
	if n, err := strconv.Atoi(text); err == nil && strconv.Itoa(n) == text {
		return n
	}
	if strings.ContainsAny(text, ".eE") {
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}
