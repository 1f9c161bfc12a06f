// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
)

// Set returns the entry with the field at path set to v. The path is dotted; it starts
// in the data unless its first segment is "data" or "meta"; a leading dot is dropped.
// Missing segments, and segments that are no maps, become maps. The entry given is not
// changed.
func Set(e registry.Entry, path string, v any) (registry.Entry, error) {
	return mutate(e, path, func(any, bool) (any, error) { return v, nil })
}

// Append returns the entry with v appended to the list at path, unless the list holds an
// element with the same text already. A missing list is made.
func Append(e registry.Entry, path string, v any) (registry.Entry, error) {
	return mutate(e, path, func(old any, ok bool) (any, error) {
		if !ok || old == nil {
			return []any{v}, nil
		}
		list, isList := old.([]any)
		if !isList {
			return nil, invalidf("cannot append to non-array at path: %s", path)
		}
		text := fmt.Sprint(v)
		if slices.ContainsFunc(list, func(x any) bool { return fmt.Sprint(x) == text }) {
			return old, nil
		}
		return append(slices.Clone(list), v), nil
	})
}

func mutate(e registry.Entry, path string, f func(old any, ok bool) (any, error)) (registry.Entry, error) {
	area, segs, err := splitPath(path)
	if err != nil {
		return e, err
	}
	if area == "meta" {
		m, err := replace(e.Meta, segs, f)
		if err != nil {
			return e, err
		}
		e.Meta = m
		return e, nil
	}
	data, _ := e.Data.(map[string]any)
	m, err := replace(data, segs, f)
	if err != nil {
		return e, err
	}
	e.Data = m
	return e, nil
}

func splitPath(path string) (area string, segs []string, err error) {
	trimmed := strings.TrimPrefix(path, ".")
	if trimmed == "" {
		return "", nil, invalidf("path cannot be empty")
	}
	segs = strings.Split(trimmed, ".")
	for _, s := range segs {
		if s == "" {
			return "", nil, invalidf("path %q has an empty segment", path)
		}
	}
	area = "data"
	if segs[0] == "data" || segs[0] == "meta" {
		area, segs = segs[0], segs[1:]
		if len(segs) == 0 {
			return "", nil, invalidf("cannot replace entire %s field", area)
		}
	}
	return area, segs, nil
}

// replace copies the maps along the path and nothing else.
func replace(m map[string]any, segs []string, f func(any, bool) (any, error)) (map[string]any, error) {
	old, ok := m[segs[0]]
	var next any
	var err error
	if len(segs) == 1 {
		next, err = f(old, ok)
	} else {
		sub, _ := old.(map[string]any)
		next, err = replace(sub, segs[1:], f)
	}
	if err != nil {
		return nil, err
	}
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	m[segs[0]] = next
	return m, nil
}
