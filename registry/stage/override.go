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
)

// OverrideOptions configures Override.
type OverrideOptions struct {
	// Lenient turns an override of an unknown entry into a warning.
	Lenient bool
	// Position returns where a key was written, for errors. Keys are given in full,
	// "namespace:entry:path", also those of leaves of a map. Optional.
	Position func(key string) string

	_ struct{}
}

// Override returns a stage that sets fields of entries. Keys have the form
// "namespace:entry:path"; the path "kind" is the kind of the entry, any other as in Set,
// or, when it ends in "+=", as in Append. A map as value stands for one override per
// leaf; where a leaf is given twice, the longer key counts. Making the same overrides
// again changes nothing.
//
// An override of an entry that an earlier stage of the pipeline removed is ignored with a
// warning; every other override that cannot be made is an error.
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
	var guess hints
	out := slices.Clone(entries)
	for _, set := range settings {
		i, ok := at[set.id]
		if !ok {
			if by, removed := report.RemovedBy(set.id); removed {
				report.warn(Warning{Stage: s.Name(), ID: set.id, Position: s.position(set.key),
					Message: fmt.Sprintf("override %s ignored: the entry was removed by %s", set.key, by)})
				continue
			}
			err := &KeyError{Key: set.key, Position: s.position(set.key), Err: notFoundf("no entry found for %s", set.id), Hint: guess.id(set.id, entries)}
			if s.opts.Lenient {
				report.warn(Warning{Stage: s.Name(), ID: set.id, Position: err.Position, Message: "override ignored: " + err.Err.Error(), Hint: err.Hint})
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
		return out, &Error{kind: kindOf(errs), msg: "override errors", cause: errors.Join(errs...)}
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
	for _, k := range slices.Sorted(maps.Keys(s.values)) { // "a:b:c" before "a:b:c.d"
		flatten(k, s.values[k], flat)
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
	if path, ok := strings.CutSuffix(set.path, "+="); ok {
		return Append(e, strings.TrimSpace(path), set.value)
	}
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
