// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/internal/suggest"
	"github.com/wippyrun/kit/registry/internal/wildcard"
)

// DisableConfig says which entries Disable removes. In patterns "*" is one segment of a
// dotted name, "**" any number, "(a|b)" one of several.
type DisableConfig struct {
	// Namespaces are patterns for the namespace.
	Namespaces []string
	// Entries are patterns of the form namespace:name.
	Entries []string
	// Meta maps a metadata field, which may be a dotted path, to the texts that disable an
	// entry.
	Meta map[string][]string
	// Lenient turns the name of an entry that does not exist into a warning.
	Lenient bool
	// Position returns where "namespaces", "entries" or "meta.F" was written. Optional.
	Position func(key string) string

	_ struct{}
}

// ParseDisable reads a configuration section with the keys namespaces, entries and meta;
// the latter may be nested, to any depth, or flattened to "meta.F". The error names every
// key that is wrong.
func ParseDisable(section map[string]any) (DisableConfig, error) {
	var c DisableConfig
	var errs []error
	list := func(key string, v any) []string {
		out, err := stringList(v)
		if err != nil {
			errs = append(errs, &KeyError{Key: "disable." + key, Err: err})
		}
		return out
	}
	for _, key := range slices.Sorted(maps.Keys(section)) {
		v := section[key]
		switch {
		case key == "namespaces":
			c.Namespaces = list(key, v)
		case key == "entries":
			c.Entries = list(key, v)
		case key == "meta":
			if _, ok := v.(map[string]any); !ok && v != nil {
				errs = append(errs, &KeyError{Key: "disable.meta", Err: invalidf("must be a map, got %T", v)})
				continue
			}
			fallthrough
		case strings.HasPrefix(key, "meta."):
			flat := map[string]any{}
			flatten(key, v, flat)
			delete(flat, "meta") // nothing at all
			for _, k := range slices.Sorted(maps.Keys(flat)) {
				c.addMeta(k[len("meta."):], list(k, flat[k]))
			}
		default:
			errs = append(errs, &KeyError{Key: "disable." + key, Err: invalidf("unknown field"),
				Hint: suggest.Hint(key, slices.Values([]string{"namespaces", "entries", "meta"}))})
		}
	}
	return c, errors.Join(errs...)
}

func (c *DisableConfig) addMeta(field string, texts []string) {
	if c.Meta == nil {
		c.Meta = map[string][]string{}
	}
	c.Meta[field] = append(c.Meta[field], texts...)
}

func stringList(v any) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{v}, nil
	case []string:
		return v, nil
	case []any:
		out := make([]string, 0, len(v))
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil, invalidf("must be a list of strings, has a %T", x)
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, invalidf("must be a string or a list of strings, got %T", v)
}

// Disable returns a stage that removes entries. A malformed pattern is an error, and so
// is the full name of an entry that does not exist unless the configuration is lenient;
// a pattern or a namespace that matches nothing is a warning.
func Disable(c DisableConfig) Stage { return &disable{c} }

type disable struct{ c DisableConfig }

func (s *disable) Name() string { return "disable" }

// rule is one pattern that removes entries.
type rule struct {
	key     string // where it is configured
	text    string
	match   func(registry.Entry) bool
	literal *registry.ID
	hits    int
}

func (s *disable) Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	rules, errs := s.rules()
	if len(rules) == 0 && len(errs) == 0 {
		return entries, nil
	}
	malformed := len(errs) > 0
	report := reportOf(ctx)
	var guess hints
	kept := make([]registry.Entry, 0, len(entries))
	for _, e := range entries {
		hit := false
		for _, r := range rules {
			if r.match(e) {
				r.hits++
				hit = true
			}
		}
		if hit {
			report.remove(s.Name(), e.ID)
			continue
		}
		kept = append(kept, e)
	}
	for _, r := range rules {
		if r.hits > 0 {
			continue
		}
		if r.literal != nil && !s.c.Lenient {
			if _, gone := report.RemovedBy(*r.literal); !gone {
				errs = append(errs, &KeyError{Key: "disable." + r.key, Position: s.position(r.key),
					Err: notFoundf("no entry found for %s", r.text), Hint: guess.id(*r.literal, entries)})
			}
			continue
		}
		w := Warning{Stage: s.Name(), Position: s.position(r.key), Message: fmt.Sprintf("disable.%s: %q matches no entry", r.key, r.text)}
		switch {
		case r.literal != nil:
			w.Hint = guess.id(*r.literal, entries)
		case r.key == "namespaces" && !wildcard.IsWild(r.text):
			w.Hint = guess.text(r.text, func(yield func(string) bool) {
				for _, e := range entries {
					if !yield(e.ID.Namespace) {
						return
					}
				}
			})
		}
		report.warn(w)
	}
	if malformed {
		// What these patterns were meant to remove is unknown, so that what other stages
		// said about it would be wrong.
		return nil, errors.Join(errs...)
	}
	return kept, errors.Join(errs...)
}

// Matcher returns a function that tells whether the stage would remove an entry. The error
// names every malformed pattern.
func (c DisableConfig) Matcher() (func(registry.Entry) bool, error) {
	s := &disable{c}
	rules, errs := s.rules()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return func(e registry.Entry) bool {
		return slices.ContainsFunc(rules, func(r *rule) bool { return r.match(e) })
	}, nil
}

func (s *disable) position(key string) string {
	if s.c.Position == nil {
		return ""
	}
	return s.c.Position(key)
}

func (s *disable) rules() (rules []*rule, errs []error) {
	for _, text := range s.c.Namespaces {
		p := wildcard.Compile(text)
		rules = append(rules, &rule{key: "namespaces", text: text,
			match: func(e registry.Entry) bool { return p.Match(e.ID.Namespace) }})
	}
	for _, text := range s.c.Entries {
		ns, name, err := splitPattern(text)
		if err != nil {
			errs = append(errs, &KeyError{Key: "disable.entries", Position: s.position("entries"), Err: err})
			continue
		}
		r := &rule{key: "entries", text: text}
		if !wildcard.IsWild(ns) && !wildcard.IsWild(name) {
			r.literal = &registry.ID{Namespace: ns, Name: name}
		}
		n, m := wildcard.Compile(ns), wildcard.Compile(name)
		r.match = func(e registry.Entry) bool { return n.Match(e.ID.Namespace) && m.Match(e.ID.Name) }
		rules = append(rules, r)
	}
	for _, field := range slices.Sorted(maps.Keys(s.c.Meta)) {
		texts := s.c.Meta[field]
		rules = append(rules, &rule{key: "meta." + field, text: strings.Join(texts, ", "), match: func(e registry.Entry) bool {
			v, _ := registry.Lookup(e.Meta, field)
			text, ok := v.(string)
			return ok && slices.Contains(texts, text)
		}})
	}
	return rules, errs
}

func splitPattern(text string) (ns, name string, err error) {
	ns, name, ok := strings.Cut(text, ":")
	reason := ""
	switch {
	case !ok:
		reason = "missing ':' separator (expected namespace:name)"
	case ns == "":
		reason = "empty namespace"
	case name == "":
		reason = "empty name"
	default:
		return ns, name, nil
	}
	return "", "", invalidf("invalid entry pattern '%s': %s", text, reason)
}
