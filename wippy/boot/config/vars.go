// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/wippyrun/kit/wippy/system/suggest"
)

// reference is ${name}, ${env:NAME} or ${env:NAME|default}, and the escaped $${.
// Names of environment variables have no dots and colons: those are names of
// env.variable entries, which placeholders of entries may have and which mean nothing
// here.
var reference = regexp.MustCompile(`\$\$\{|\$\{(env:)?([A-Za-z_][A-Za-z0-9_]*|[A-Za-z_][A-Za-z0-9_.-]*)(\|[^}]*)?\}`)

// config resolves all references and returns the result.
func (l *layers) config() (*Config, error) {
	c := New()
	r := resolver{vars: l.base["vars"], open: map[string]bool{}, known: map[string]any{}}
	var errs []error
	for _, section := range slices.Sorted(maps.Keys(l.base)) {
		if section == "vars" {
			continue
		}
		keys := l.base[section]
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			at := keys[key]
			r.entries = section == "override"
			v, err := r.value(at.value, at.place)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			c.SetAt(section, key, v, at.place.position())
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return c, nil
}

// maxText bounds what the references in one text may grow to: far more than any
// configuration needs, far less than variables that double each other can make.
const maxText = 1 << 20

// resolver replaces references. It is used by one goroutine.
type resolver struct {
	vars    map[string]leaf
	open    map[string]bool // variables being resolved
	known   map[string]any  // variables that are
	entries bool            // values are for entries, which have placeholders of their own
	full    bool            // a text became too long; the rest is not resolved any more
}

func (r *resolver) value(v any, at *Error) (any, error) {
	switch v := v.(type) {
	case string:
		return r.text(v, at)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = r.value(item, at); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any: // in a list; elsewhere maps are flattened
		out := make(map[string]any, len(v))
		for k, item := range v {
			var err error
			if out[k], err = r.value(item, at); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// text replaces the references in a text. One that is the whole text gives the value
// with its type.
func (r *resolver) text(text string, at *Error) (any, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	if m := reference.FindString(text); m == text && m != "$${" {
		return r.lookup(text, at)
	}
	var failed error
	length := 0
	out := reference.ReplaceAllStringFunc(text, func(m string) string {
		if failed != nil && r.full {
			return ""
		}
		v, err := r.lookup(m, at)
		if length += len(fmt.Sprint(v)); length > maxText {
			r.full = true
			err = at.saying("the text is too long when its variables are replaced", "")
		}
		if err != nil {
			failed = errors.Join(failed, err)
		}
		return fmt.Sprint(v)
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}

// lookup returns what a reference stands for, or the reference itself when it is none
// of a configuration.
func (r *resolver) lookup(ref string, at *Error) (any, error) {
	if ref == "$${" {
		if r.entries {
			return ref, nil
		}
		return "${", nil
	}
	m := reference.FindStringSubmatch(ref)
	env, name, alternative := m[1] != "", m[2], m[3]
	switch {
	case alternative != "" && (r.entries || !env):
		return ref, nil // a placeholder of an entry
	case env:
		if strings.ContainsAny(name, ".-") {
			return ref, nil
		}
		if v, ok := os.LookupEnv(name); ok && (v != "" || alternative == "") {
			return v, nil
		}
		if alternative != "" {
			return alternative[1:], nil
		}
		return nil, at.saying(fmt.Sprintf("environment variable %s is not set", name), fmt.Sprintf("set it, or give a default: ${env:%s|default}", name))
	}
	return r.variable(ref, name, at)
}

func (r *resolver) variable(ref, name string, at *Error) (any, error) {
	v, ok := r.vars[name]
	if !ok {
		if len(r.vars) == 0 { // no section vars: the text means something to somebody else
			return ref, nil
		}
		hint := suggest.Hint(name, slices.Collect(maps.Keys(r.vars)))
		if hint == "" {
			hint = "write $${ for a text that begins with ${"
		}
		return nil, at.saying(fmt.Sprintf("unknown variable %q", name), hint)
	}
	if value, ok := r.known[name]; ok {
		return value, nil
	}
	if r.open[name] {
		return nil, v.place.saying(fmt.Sprintf("variable %q refers to itself", name), "")
	}
	r.open[name] = true
	defer func(entries bool) {
		delete(r.open, name)
		r.entries = entries
	}(r.entries)
	r.entries = false
	value, err := r.value(v.value, v.place)
	if err == nil {
		r.known[name] = value
	}
	return value, err
}
