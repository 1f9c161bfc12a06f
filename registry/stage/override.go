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
)

// OverrideOptions configures Override.
type OverrideOptions struct {
	// Lenient turns an override of an unknown entry into a warning.
	Lenient bool
	// Position returns where a key was written, for errors. Optional.
	Position func(key string) string

	_ struct{}
}

// Override returns a stage that sets fields of entries. Keys have the form
// "namespace:entry:path"; the path "kind" is the kind of the entry, any other as in Set.
// A map as value stands for one override per leaf. An override of an entry that an
// earlier stage of the pipeline removed is ignored with a warning; every other override
// that cannot be made is an error.
func Override(values map[string]any, opts OverrideOptions) Stage {
	return &override{values: values, opts: opts}
}

type override struct {
	values map[string]any
	opts   OverrideOptions
}

func (s *override) Name() string { return "override" }

// setting is one parsed override.
type setting struct {
	key   string
	id    registry.ID
	path  string
	value any
}

func (s *override) Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	if len(s.values) == 0 {
		return entries, nil
	}
	settings, errs := s.parse()
	at := make(map[registry.ID]int, len(entries))
	for i, e := range entries {
		at[e.ID] = i
	}
	report := reportOf(ctx)
	out := slices.Clone(entries)
	for _, set := range settings {
		i, ok := at[set.id]
		if !ok {
			if by, removed := report.RemovedBy(set.id); removed {
				report.warn(Warning{Stage: s.Name(), ID: set.id, Position: s.position(set.key),
					Message: fmt.Sprintf("override %s ignored: the entry was removed by %s", set.key, by)})
				continue
			}
			err := &KeyError{Key: set.key, Position: s.position(set.key), Err: notFoundf("no entry found for %s", set.id), Hint: idHint(set.id, entries)}
			if s.opts.Lenient {
				report.warn(Warning{Stage: s.Name(), ID: set.id, Position: err.Position, Message: err.Err.Error()})
				continue
			}
			errs = append(errs, err)
			continue
		}
		e, err := set.apply(out[i])
		if err != nil {
			errs = append(errs, &KeyError{Key: set.key, Position: s.position(set.key), Err: err})
			continue
		}
		out[i] = e
	}
	if len(errs) > 0 {
		return nil, &Error{kind: kindOf(errs), msg: "override errors", cause: errors.Join(errs...)}
	}
	return out, nil
}

func (s *override) position(key string) string {
	if s.opts.Position == nil {
		return ""
	}
	return s.opts.Position(key)
}

func (s *override) parse() (settings []setting, errs []error) {
	flat := map[string]any{}
	for k, v := range s.values {
		flatten(k, v, flat)
	}
	for _, k := range slices.Sorted(maps.Keys(flat)) {
		set, err := parseKey(k)
		if err == nil {
			set.value, err = registry.NormalizeValue(flat[k])
		}
		if err != nil {
			errs = append(errs, &KeyError{Key: k, Position: s.position(k), Err: err, invalid: true})
			continue
		}
		settings = append(settings, set)
	}
	return settings, errs
}

func flatten(key string, v any, out map[string]any) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		out[key] = v
		return
	}
	for k, x := range m {
		flatten(key+"."+k, x, out)
	}
}

func parseKey(key string) (setting, error) {
	if key == "" {
		return setting{}, invalidf("empty key")
	}
	ns, rest, ok := strings.Cut(key, ":")
	if !ok {
		return setting{}, invalidf("missing first ':' separator (expected namespace:entry:path)")
	}
	if ns == "" {
		return setting{}, invalidf("empty namespace")
	}
	if rest == "" {
		return setting{}, invalidf("missing entry name and path")
	}
	name, path, _ := strings.Cut(rest, ":")
	if name == "" {
		return setting{}, invalidf("empty entry name")
	}
	if path == "" {
		return setting{}, invalidf("empty path")
	}
	return setting{key: key, id: registry.ID{Namespace: ns, Name: name}, path: path}, nil
}

func (set setting) apply(e registry.Entry) (registry.Entry, error) {
	if strings.TrimPrefix(set.path, ".") != "kind" {
		return Set(e, set.path, set.value)
	}
	kind, ok := set.value.(string)
	if !ok {
		return e, invalidf("kind override must be a string, got %T", set.value)
	}
	if kind == "" {
		return e, invalidf("kind override must not be empty")
	}
	e.Kind = kind
	return e, nil
}

func idHint(id registry.ID, entries []registry.Entry) string {
	return suggest.Hint(id.String(), func(yield func(string) bool) {
		for _, e := range entries {
			if !yield(e.ID.String()) {
				return
			}
		}
	})
}

// KeyError is what is wrong with one key of a configuration.
type KeyError struct {
	Key string
	// Position is "file:line:col", or "".
	Position string
	Err      error
	Hint     string
	invalid  bool
}

// Error returns "position: key: cause (hint)".
func (e *KeyError) Error() string {
	s := e.Key + ": " + e.Err.Error()
	if e.invalid {
		s = "invalid key " + s
	}
	if e.Position != "" {
		s = e.Position + ": " + s
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// kindOf returns the kind all errors share, else "Invalid".
func kindOf(errs []error) string {
	kind := ""
	for _, err := range errs {
		var k interface{ Kind() string }
		if !errors.As(err, &k) || (kind != "" && kind != k.Kind()) {
			return "Invalid"
		}
		kind = k.Kind()
	}
	return kind
}
